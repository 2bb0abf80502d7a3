// Several balancers' states on one hub and one clock: each a room with its own registry, and Peers between them.
import { Peers } from '../../src/balancer/state/peers/peers.ts';
import type { SharedStore } from '../../src/balancer/state/shared-store.ts';
import { MemoryHub } from '../../src/cluster/memory-hub.ts';
import { createMemoryStore } from '../../src/cluster/memory-store.ts';
import { pcg32 } from '../../src/core/rng.ts';
import { aRoom, type Room } from './a-room.ts';
import { ManualClock } from './manual-clock.ts';

/** One balancer of the fleet. */
export interface FleetPeer extends Room {
  readonly id: string;
  readonly peers: Peers;
  readonly store: SharedStore;
  readonly told: { readonly type: string; readonly facts: Readonly<Record<string, unknown>> }[];
  stop(): Promise<void>;
}

/** The fleet; `run` moves everybody's time and lets words arrive. */
export interface PeerFleet {
  readonly clock: ManualClock;
  readonly hub: MemoryHub;
  join(id: string, epoch?: string): Promise<FleetPeer>;
  run(ms: number): Promise<void>;
}

/** A fleet whose balancers all have pool `chat` with these static nodes. */
export function aPeerFleet(options: Omit<Parameters<typeof aRoom>[0] & object, 'clock'> = {}): PeerFleet {
  const clock = new ManualClock();
  const hub = new MemoryHub(clock);
  let seed = 0;
  return {
    clock,
    hub,
    async join(id, epoch = `${id}-1`) {
      seed += 1;
      const room = aRoom({ ...options, seed, clock });
      const store = createMemoryStore({ hub, clock, rng: pcg32(seed), selfId: id });
      const told: FleetPeer['told'] = [];
      const { registry } = room;
      const tell = (type: string, _: string, facts: Readonly<Record<string, unknown>>) =>
        void told.push({ type, facts });
      const peers = new Peers({ store, registry, clock, epoch, tell });
      registry.listener = {
        report: (report, source) => peers.passOn({ report, ...source }),
        adminState() {},
      };
      await store.start({
        word: (...word) => peers.hearWord(...word),
        peer: (...peer) => peers.hearPeer(...peer),
        link: (status) => peers.hearLink(status),
        register() {},
      });
      peers.start();
      const stop = async () => {
        peers.stop();
        await store.stop();
      };
      return { ...room, id, peers, store, told, stop };
    },
    async run(ms) {
      for (let passed = 0; passed < ms; passed += 50) {
        clock.advance(50);
        await settled();
      }
    },
  };
}

/** Words arrive in microtasks, and one may cause another. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}
