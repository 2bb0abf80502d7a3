// Whole control over several registries that share a hub: what one operator says is done everywhere.
import { Peering } from '../../src/balancer/peering.ts';
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
  types(): readonly string[];
}

/** A street of houses on one hub and one clock. */
export interface Street {
  readonly clock: ManualClock;
  readonly hub: MemoryHub;
  /** A balancer that has state of its own before it joins the others, where `before` gives it some. */
  join(id: string, before?: (house: DrainHouse) => void): Promise<PeeredHouse>;
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
  return {
    clock,
    hub,
    run,
    async join(id, before) {
      seed += 1;
      const policy = aPlainPolicy({
        place: { maxShare: 1, slowStartMs: 0, connectRatePerSecond: 1000 },
        reports: { blackoutMs: 0 },
        affinity: { kind: 'cookie' },
      });
      const house = aDrainHouse({ seed, room: aRoom({ policy, nodes: ['a', 'b', 'c'], seed, clock }) });
      before?.(house);
      const { registry, control, events } = house;
      const store = createMemoryStore({ hub, clock, rng: pcg32(seed), selfId: id });
      const tell = (event: (typeof events)[number]) => void events.push(event);
      const peering = new Peering({ store, registry, control, clock, rng: pcg32(100 + seed), tell });
      const started = peering.start();
      await run(1600);
      await started;
      return Object.assign(house, { peering, types: () => events.map(({ type }) => type) });
    },
  };
}
