// A recommendation as the feed tells it, and a feed that tells what the test says.
import type { ScaleFeed } from '../../src/balancer/control/ports.ts';
import type { Scaling } from '../../src/protocol/scaling.ts';

/** Three nodes of pool `chat` that are as many as they should be, changed in the members given. */
export function aScaling(parts: Partial<Scaling> = {}): Scaling {
  return {
    pool: 'chat',
    at: '2026-01-01T00:00:00.000Z',
    state: 'known',
    action: 'hold',
    desiredNodes: 3,
    wantedNodes: 3,
    nodes: 3,
    startingNodes: 0,
    load: 0.6,
    totalLoad: 1.8,
    forecastLoad: 1.8,
    capacity: 3,
    target: 0.6,
    min: 1,
    max: 10,
    bottleneck: 'cpu',
    isActive: true,
    isFrozen: false,
    reason: '3 nodes are at 60 % of saturation, which is the target.',
    victims: [],
    ...parts,
  };
}

/** The same without load data: holds, and every load is null. */
export function anUnknownScaling(parts: Partial<Scaling> = {}): Scaling {
  const loads = { wantedNodes: null, load: null, totalLoad: null, forecastLoad: null, capacity: null };
  const reason = 'No node of the pool has a valid report.';
  return aScaling({ state: 'unknown', ...loads, bottleneck: '', reason, ...parts });
}

/** A feed whose recommendations are the test's. */
export interface StubFeed extends ScaleFeed {
  /** Tells whoever listens; the latest of each pool answers `scaling`. */
  say(scaling: Scaling): void;
  /** How many listen. */
  readonly hearing: number;
}

/** `unknownPool` throws for a pool that nothing was said of. */
export function aStubFeed(unknownPool: (pool: string) => Error): StubFeed {
  const listeners = new Set<(scaling: Scaling) => void>();
  const latest = new Map<string, Scaling>();
  return {
    get hearing() {
      return listeners.size;
    },
    say(scaling) {
      latest.set(scaling.pool, scaling);
      for (const hear of listeners) hear(scaling);
    },
    scaling(pool) {
      const found = latest.get(pool);
      if (found === undefined) throw unknownPool(pool);
      return found;
    },
    onScaling(hear) {
      listeners.add(hear);
      return () => void listeners.delete(hear);
    },
  };
}
