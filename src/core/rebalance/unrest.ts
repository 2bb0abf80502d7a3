// How much the loads of a pool change by themselves within a minute: less than that is chance, and not worth a
// disconnection.
import { blend, keptWeight } from '../decay.ts';
import { median } from '../median.ts';

interface Look {
  readonly atMs: number;
  /** Utilization by node id. */
  readonly loads: ReadonlyMap<string, number>;
}

/** What is remembered of a pool's loads. */
export interface Unrest {
  /** One every few seconds, oldest first, over a minute. */
  readonly looks: readonly Look[];
  /** Standard deviation of what a load changes by within a minute, 0 or more; 0 until a minute has been seen. */
  readonly deviation: number;
  readonly measuredAtMs: number;
}

export const noUnrest: Unrest = { looks: [], deviation: 0, measuredAtMs: -Infinity };

const lookEveryMs = 5000;
const spanMs = 60_000;
// A few spans: one quiet or wild minute is not what a pool is like.
const memoryMs = 180_000;
// For a normal distribution the median of |x| is 0.67 deviations, and a difference has √2 times the deviation of each.
const deviationPerMedian = 1 / (0.6745 * Math.SQRT2);

/** Takes a look at the loads. Nothing changes when the last one was less than five seconds ago. */
export function lookAtUnrest(unrest: Unrest, loads: ReadonlyMap<string, number>, nowMs: number): Unrest {
  const newest = unrest.looks.at(-1);
  if (newest !== undefined && nowMs - newest.atMs < lookEveryMs) return unrest;
  const looks = [...unrest.looks, { atMs: nowMs, loads }];
  const past = looks[0];
  if (past === undefined || nowMs - past.atMs < spanMs) return { ...unrest, looks };
  const changes = [...loads].flatMap(([id, load]) => {
    const before = past.loads.get(id);
    return before === undefined ? [] : [Math.abs(load - before)];
  });
  const deviation = median(changes, 0) * deviationPerMedian;
  const kept = keptWeight(nowMs - unrest.measuredAtMs, memoryMs);
  return {
    looks: looks.slice(1),
    deviation: blend(unrest.measuredAtMs === -Infinity ? undefined : unrest.deviation, deviation, kept),
    measuredAtMs: nowMs,
  };
}

/** Forgets the loads but not the deviation: what a rebalance changes is no unrest. */
export function forgetLooks(unrest: Unrest): Unrest {
  return { ...unrest, looks: [] };
}
