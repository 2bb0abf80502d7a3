// A feed of recommendations that a test sets: the real one is the scaling loop of src/balancer/control.
import { HeraldError } from '../../src/core/error.ts';
import { meantHint } from '../../src/core/nearest.ts';
import type { ScaleFeed } from '../../src/balancer/control/ports.ts';
import type { Scaling } from '../../src/protocol/scaling.ts';

/** A recommendation for pool `chat`: 8 nodes at 55 %, held. */
export function aScaling(parts: Partial<Scaling> = {}): Scaling {
  return {
    pool: 'chat',
    at: '2026-01-01T00:00:00.000Z',
    state: 'known',
    action: 'hold',
    desiredNodes: 8,
    wantedNodes: 8,
    nodes: 8,
    startingNodes: 0,
    load: 0.55,
    totalLoad: 4.4,
    forecastLoad: 4.4,
    capacity: 8,
    target: 0.6,
    min: 2,
    max: 50,
    bottleneck: 'cpu',
    isActive: true,
    isFrozen: false,
    reason: 'The load of 4.4 nodes fits 8.',
    victims: [],
    ...parts,
  };
}

/** Without valid load data. */
export function anUnknownScaling(parts: Partial<Scaling> = {}): Scaling {
  return aScaling({
    state: 'unknown',
    wantedNodes: null,
    load: null,
    totalLoad: null,
    forecastLoad: null,
    capacity: null,
    reason: 'No node has reported for 10 s.',
    ...parts,
  });
}

export interface StubScaleFeed extends ScaleFeed {
  /** Sets what is recommended for its pool and tells whoever hears. */
  tell(scaling: Scaling): void;
  /** Who hears now. */
  readonly hearers: number;
}

export function aStubScaleFeed(...first: readonly Scaling[]): StubScaleFeed {
  const scalings = new Map(first.map((scaling) => [scaling.pool, scaling]));
  const hearers = new Set<(scaling: Scaling) => void>();
  return {
    get hearers() {
      return hearers.size;
    },
    scaling(pool) {
      const found = scalings.get(pool);
      if (found !== undefined) return found;
      throw new HeraldError(
        'HERALD_POOL_UNKNOWN',
        `there is no pool '${pool}'${meantHint(pool, scalings.keys())}`,
      );
    },
    onScaling(hear) {
      hearers.add(hear);
      return () => void hearers.delete(hear);
    },
    tell(scaling) {
      scalings.set(scaling.pool, scaling);
      for (const hear of hearers) hear(scaling);
    },
  };
}
