// How much the loads of a pool change by themselves within a minute, against each other: less than that is chance, and
// not worth a disconnection.
import { median } from '../median.ts';

interface Look {
  readonly atMs: number;
  /** Utilization above the pool's level by node id; negative below it. */
  readonly excess: ReadonlyMap<string, number>;
}

/** What is remembered of a pool's loads. */
export interface Unrest {
  /** One every few seconds, oldest first, over a minute. */
  readonly looks: readonly Look[];
  /** The middle change of each look against the one a minute before it, oldest first, over three minutes. */
  readonly changes: readonly number[];
}

export const noUnrest: Unrest = { looks: [], changes: [] };

const lookEveryMs = 5000;
const spanMs = 60_000;
// Three spans: what happens once (a fleet fills up, nodes join, a deploy) is in the changes of one of them only.
const keptChanges = 36;
// For a normal distribution the median of |x| is 0.67 deviations, and a difference has √2 times the deviation of each.
const deviationPerMedian = 1 / (0.6745 * Math.SQRT2);

/** Standard deviation of what a load changes by within a minute, 0 or more; 0 until a minute has been seen. */
export function deviationOf({ changes }: Unrest): number {
  return median(changes, 0) * deviationPerMedian;
}

/** Takes a look. Nothing changes when the last one was less than five seconds ago. */
export function lookAtUnrest(unrest: Unrest, excess: ReadonlyMap<string, number>, nowMs: number): Unrest {
  const newest = unrest.looks.at(-1);
  if (newest !== undefined && nowMs - newest.atMs < lookEveryMs) return unrest;
  const looks = [...unrest.looks, { atMs: nowMs, excess }];
  const past = looks[0];
  if (past === undefined || nowMs - past.atMs < spanMs) return { ...unrest, looks };
  const changes = [...excess].flatMap(([id, now]) => {
    const before = past.excess.get(id);
    return before === undefined ? [] : [Math.abs(now - before)];
  });
  return {
    looks: looks.slice(1),
    changes: [...unrest.changes, median(changes, 0)].slice(-keptChanges),
  };
}

/** Forgets the loads but not how much they changed: what a rebalance changes is no unrest. */
export function forgetLooks(unrest: Unrest): Unrest {
  return { ...unrest, looks: [] };
}
