// When a run is over, and why: what it was to do is done, or going on would hurt or be of no use.
import { takesPart, type RebalanceNode } from './level.ts';
import { reliefOf, type Relief } from './relief.ts';

/** A node with what tells that it hurts, and that what was shed brought relief. */
interface JudgedNode extends RebalanceNode {
  readonly reported: number;
  readonly distress: number;
}

/** A pool at one tick. */
interface JudgedPool {
  readonly nowMs: number;
  readonly nodes: readonly JudgedNode[];
  readonly placedTotal: number;
  readonly failedTotal: number;
}

/** A run so far. */
interface JudgedRun {
  readonly shedTotal: number;
  readonly lost: number;
  readonly relief: Relief;
  readonly shedAtMs: number;
  readonly settledAtMs: number | undefined;
  readonly start: Readonly<Record<'distress' | 'placedTotal' | 'failedTotal', number>>;
}

/** Why a run is over. */
export type RunEnd =
  | 'level'
  /** What is left cannot be moved: too heavy for any node, in its cooldown, or no load at all. */
  | 'nothingMovable'
  /** Less than a third of the relief came: load does not follow connections here. */
  | 'noRelief'
  /** Clients that were asked to leave do not come back. */
  | 'noReturn'
  /** Nodes refuse connections. */
  | 'failures'
  /** Nodes hurt more than before. */
  | 'distress';

// Long enough for a cooldown that ends or a connection that gets lighter, short enough to be believed by who watches.
const stuckAfterMs = 15_000;
// Below these numbers a part is chance. Ten points for one node; the noise of several adds up as its root does.
const leastPredicted = 0.1;
const leastShed = 10;
const leastRelief = 0.3;
const mostLost = 0.3;
const mostFailed = 0.2;
const mostDistressRise = 0.5;

/** Why this run is over now; undefined while it goes on. */
export function endOf(run: JudgedRun, view: JudgedPool, lagMs: number): RunEnd | undefined {
  const { start, shedTotal } = run;
  const { predicted, actual } = reliefOf(run.relief, view, lagMs);
  if (predicted >= leastPredicted * Math.sqrt(run.relief.size) && actual < leastRelief * predicted)
    return 'noRelief';
  if (shedTotal >= leastShed && run.lost > mostLost * shedTotal) return 'noReturn';
  const placed = view.placedTotal - start.placedTotal;
  const failed = view.failedTotal - start.failedTotal;
  if (failed >= leastShed && failed > mostFailed * placed) return 'failures';
  const distress = meanDistress(view.nodes);
  if (distress > 1 && distress > start.distress + mostDistressRise) return 'distress';
  if (run.settledAtMs !== undefined) return view.nowMs - run.settledAtMs >= lagMs ? 'level' : undefined;
  return view.nowMs - run.shedAtMs > stuckAfterMs ? 'nothingMovable' : undefined;
}

/** Mean of the nodes that take part; 0 without any. */
export function meanDistress(nodes: readonly JudgedNode[]): number {
  const known = nodes.filter(takesPart);
  return known.length === 0 ? 0 : known.reduce((sum, { distress }) => sum + distress, 0) / known.length;
}
