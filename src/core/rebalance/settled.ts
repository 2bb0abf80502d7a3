// Whether a pool that looks level during a rebalance is so: by predictions at once, by reports as soon as they show it.
import { clientsIn, type Out } from '../returns.ts';
import { levelOf, type RebalanceNode } from './level.ts';
import { sourcesOf } from './plan.ts';

interface SettlingNode extends RebalanceNode {
  /** Utilization as reported, smoothed over some seconds. */
  readonly reported: number;
}

/** A run as far as this goes. */
interface SettlingRun {
  readonly settledAtMs: number | undefined;
}

/**
 * The next `settledAtMs`: the pool has been level since, with nobody of `out` (the run's own clients) on the way; it is
 * now while there is somebody. After `lagMs` reports show everything that was done. Where a node is still above the level
 * by more than `settle` as predicted and by more than `leftover` as reported, it is undefined again: the run goes on.
 */
export function settledSince(
  { settledAtMs }: SettlingRun,
  at: { readonly nowMs: number; readonly nodes: readonly SettlingNode[]; readonly out: readonly Out[] },
  { settle, leftover, lagMs }: { readonly settle: number; readonly leftover: number; readonly lagMs: number },
): number | undefined {
  const { nowMs, nodes, out } = at;
  // Judged without what is on its way: that may be back, and in the loads, before it is noticed.
  const isEven = isLevelBy(nodes, settle);
  if (settledAtMs === undefined) return isEven ? nowMs : undefined;
  if (clientsIn(out) > 0) return nowMs;
  if (nowMs - settledAtMs < lagMs || isEven) return settledAtMs;
  const asReported = nodes.map((node) => ({ ...node, utilization: node.reported }));
  return isLevelBy(asReported, leftover) ? settledAtMs : undefined;
}

function isLevelBy(nodes: readonly RebalanceNode[], settle: number): boolean {
  return sourcesOf(nodes, { level: levelOf(nodes, 0), settle }).length === 0;
}
