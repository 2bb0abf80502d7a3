// Whole control over several registries that share a hub: what one operator says is done everywhere.
import { WishMemory } from '../../src/balancer/control/wish-memory.ts';
import { Peering } from '../../src/balancer/peering.ts';
import type { SharedStore } from '../../src/balancer/state/shared-store.ts';
import { CountsReport } from '../../src/balancer/takeover/counts.ts';
import { EarlierProcesses } from '../../src/balancer/takeover/earlier-processes.ts';
import type { PeerHeritage, ToSuccessor } from '../../src/balancer/takeover/messages.ts';
import { MemoryHub } from '../../src/cluster/memory-hub.ts';
import { createMemoryStore } from '../../src/cluster/memory-store.ts';
import { pcg32 } from '../../src/core/rng.ts';
import { aDrainHouse, type DrainHouse } from './a-drain-house.ts';
import { aPlainPolicy } from './a-policy.ts';
import { aRoom } from './a-room.ts';
import { ManualClock } from './manual-clock.ts';

/** One balancer. */
export interface PeeredHouse extends DrainHouse {
  readonly peering: Peering;
  readonly store: SharedStore;
  readonly memory: WishMemory;
  /** What processes before it carry; undefined where it has replaced none. */
  readonly earlier?: EarlierProcesses;
  types(): readonly string[];
}

/** A process on its way to replace another. */
export interface Heir extends PeeredHouse {
  /** The other lets go, and this one is the peer. */
  serve(): Promise<void>;
}

/** A street of houses on one hub and one clock. */
export interface Street {
  readonly clock: ManualClock;
  readonly hub: MemoryHub;
  /** A balancer that has state of its own before it joins the others, where `before` gives it some. */
  join(id: string, before?: (house: PeeredHouse) => void): Promise<PeeredHouse>;
  /** A process that is about to replace the one of a house, and knows what that one carries. */
  heirOf(house: PeeredHouse): Promise<Heir>;
  run(ms: number): Promise<void>;
}

/** Nodes a, b and c in pool `chat`, on every balancer. */
export function aStreet(): Street {
  const clock = new ManualClock();
  const hub = new MemoryHub(clock);
  let seed = 0;
  const run = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 50) {
      clock.advance(50);
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    }
  };
  const make = (id: string, inherited?: PeerHeritage): PeeredHouse => {
    seed += 1;
    const policy = aPlainPolicy({
      place: { maxShare: 1, slowStartMs: 0, connectRatePerSecond: 1000 },
      reports: { blackoutMs: 0 },
      affinity: { kind: 'cookie' },
    });
    const house = aDrainHouse({ seed, room: aRoom({ policy, nodes: ['a', 'b', 'c'], seed, clock }) });
    const { registry, control, events } = house;
    const place = inherited && { inherited: inherited.place };
    const store = createMemoryStore({ hub, clock, rng: pcg32(seed), selfId: id, ...place });
    const tell = (event: (typeof events)[number]) => void events.push(event);
    const rng = pcg32(100 + seed);
    const memory = new WishMemory();
    const peering = new Peering({ store, registry, control, clock, rng, memory, tell, inherited });
    return Object.assign(house, { peering, store, memory, types: () => events.map(({ type }) => type) });
  };
  return {
    clock,
    hub,
    run,
    async join(id, before) {
      const house = make(id);
      before?.(house);
      const started = house.peering.start();
      await run(1600);
      await started;
      return house;
    },
    async heirOf(house) {
      const heir = make('', await house.peering.handOver());
      const overlay = new EarlierProcesses(heir.registry.pools);
      const { registry, peering } = house;
      const report = new CountsReport({
        clock,
        pools: registry.pools,
        self: { generation: seed, pid: seed },
        earlier: () => house.earlier?.processes ?? [],
        // As over the channel: no object is shared.
        send: (message) =>
          overlay.absorb(JSON.parse(JSON.stringify(message)) as ToSuccessor & { type: 'counts' }),
      });
      report.start();
      const started = heir.peering.start({ isQuiet: true });
      await run(1600);
      await started;
      const serve = async () => {
        await peering.leave(heir.peering.place);
        report.tell();
        await heir.peering.speak();
      };
      return Object.assign(heir, { earlier: overlay, serve });
    },
  };
}
