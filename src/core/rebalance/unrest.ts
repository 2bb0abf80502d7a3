// How much the loads of a pool change by themselves within a minute, against each other: less than that is chance, and
// not worth a disconnection.
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
export function lookAtUnrest(unrest: Unrest, loads: ReadonlyMap<string, number>, nowMs: number): Unrest {
  const newest = unrest.looks.at(-1);
  if (newest !== undefined && nowMs - newest.atMs < lookEveryMs) return unrest;
  const looks = [...unrest.looks, { atMs: nowMs, loads }];
  const past = looks[0];
  if (past === undefined || nowMs - past.atMs < spanMs) return { ...unrest, looks };
  const change = middleChange(past.loads, loads);
  return { looks: looks.slice(1), changes: [...unrest.changes, change].slice(-keptChanges) };
}

/**
 * The middle of how much nodes moved against each other. Only of those that are in both looks, and against their own
 * mean: nodes that joined have lowered the level for all, and no load has changed by that.
 */
function middleChange(past: ReadonlyMap<string, number>, loads: ReadonlyMap<string, number>): number {
  const moves = [...loads].flatMap(([id, now]) => {
    const before = past.get(id);
    return before === undefined ? [] : [now - before];
  });
  const mean = moves.reduce((sum, each) => sum + each, 0) / Math.max(1, moves.length);
  return median(
    moves.map((each) => Math.abs(each - mean)),
    0,
  );
}

/** Forgets the loads but not how much they changed: what a rebalance changes is no unrest. */
export function forgetLooks(unrest: Unrest): Unrest {
  return { ...unrest, looks: [] };
}
