// How loaded is each node now, and what would one more connection add? Which node to take is not decided here.
import type { Basis, LoadState } from './basis.ts';
import { connectionsNow } from './load.ts';
import { median } from './median.ts';
import { fitShared, type SharedFit } from './moments.ts';
import { currentLearning, type Learning } from './restored.ts';
import { connectionsPerCapacity, type NodeView, type PoolSnapshot } from './snapshot.ts';

/** Where a node's score comes from. `doubted`: its report is far below what our relay measures. */
export type Evidence = 'measured' | 'median' | 'doubted' | 'counted';

/** What the nodes have taught, one slope a node in the snapshot's order. */
export interface Fits {
  /** Utilization per relayed message per second. */
  readonly costs: SharedFit;
  /** Utilization per connection. */
  readonly slopes: SharedFit;
  /** Utilization by the other additive signals per reported message per second, for `saturation: auto`. */
  readonly throughputs: SharedFit;
}

/** Scores of a pool, one entry a node in the snapshot's order. */
export interface ScoreSheet {
  /** Predicted utilization plus a surcharge for distress; lower is better; 0 or more, finite. */
  readonly score: Float64Array;
  /** What one more connection adds to it; above 0, finite. */
  readonly slope: Float64Array;
  readonly evidence: readonly Evidence[];
  /** The utilization in the score, without surcharges; NaN where the node's own reports are not used. */
  readonly utilization: Float64Array;
}

/**
 * A pool below this mean utilization hardly says anything by its load: the gap up to it is shared out by
 * connections, so that idle fleets are levelled by connection count and loaded ones are not.
 */
export const idleUtilization = 0.1;
// What a node reports must not be under a quarter of what its messages cost elsewhere, once that is a tenth of
// a node: below that, noise decides, and honest nodes differ in speed by less.
const doubtBelow = 0.25;
const doubtFrom = 0.1;
// A measured share of time cannot exceed 1, however much is queued: from here on demand is computed.
const clippedFrom = 0.9;
// Distress at its saturation costs as much as ten points of utilization, and four times as much at twice that.
const distressSurcharge = 0.1;
const leastSlope = 1e-9;
// Mean score of the rungs below load: only ratios mean anything there.
const nominalUtilization = 0.5;

/** What is known of the nodes before they are scored, in the snapshot's order. */
interface Judged {
  readonly states: readonly LoadState[];
  readonly eligible: readonly boolean[];
}

/** What all nodes have taught together. */
export function fitPool({ nodes, atMs }: PoolSnapshot): Fits {
  const fitBy = (part: keyof Learning) =>
    fitShared(
      nodes.map((node) => ({
        moments: currentLearning(node, atMs)[part],
        capacity: node.capacity,
        newest: node.load?.utilization,
      })),
    );
  return {
    costs: fitBy('byMessages'),
    slopes: fitBy('byConnections'),
    throughputs: fitBy('byThroughput'),
  };
}

/** Scores a pool on the rung it stands on. Deterministic; looks at the counters as they are now. */
export function scorePool(
  snapshot: PoolSnapshot,
  footing: Judged & { basis: Basis },
  fits: Fits,
): ScoreSheet {
  return footing.basis === 'load'
    ? scoreByLoad(snapshot, footing, fits)
    : scoreByCount(snapshot, footing.basis);
}

function scoreByLoad(snapshot: PoolSnapshot, judged: Judged, fits: Fits): ScoreSheet {
  const { nodes } = snapshot;
  const { states, eligible } = judged;
  const idle = idleRule(snapshot, judged, fits);
  const score = new Float64Array(nodes.length).fill(NaN);
  const slope = new Float64Array(nodes.length).fill(NaN);
  const evidence: Evidence[] = nodes.map((node, index) => {
    if (states[index] !== 'valid') return 'median';
    const prediction = predict(snapshot, index, fits);
    score[index] = prediction.utilization;
    slope[index] = prediction.slope ?? idle.priorSlope / (node.capacity ?? 1);
    return isDoubtful(node, prediction.utilization, fits.costs) ? 'doubted' : 'measured';
  });
  // Of the eligible alone: half a fleet that drains has no load, and would make the unknown look idle.
  const believed = (values: Float64Array) =>
    values.filter((_, index) => evidence[index] === 'measured' && eligible[index] === true);
  const medianScore = median(believed(score), 0);
  const medianSlope = median(believed(slope), idle.priorSlope);
  const utilization = score.map((each, index) => (evidence[index] === 'measured' ? each : NaN));
  nodes.forEach((node, index) => {
    if (evidence[index] !== 'measured') {
      score[index] = Math.max(medianScore, relayedUtilization(node, fits.costs));
      slope[index] = medianSlope;
    }
    const idleSlope = idle.slope / (node.capacity ?? 1);
    score[index] =
      (score[index] ?? 0) + idleSlope * node.counters.connections + surchargeOf(node, states[index]);
    slope[index] = Math.max(leastSlope, (slope[index] ?? 0) + idleSlope);
  });
  return { score, slope, evidence, utilization };
}

/** Utilization now: what the reports showed, plus what has come and gone since. */
function predict(
  snapshot: PoolSnapshot,
  index: number,
  { costs, slopes }: Fits,
): { utilization: number; slope: number | undefined } {
  const node = snapshot.nodes[index];
  const load = node?.load;
  if (node === undefined || load === undefined) return { utilization: NaN, slope: undefined };
  const { counters } = node;
  const cost = costs.slopes[index] ?? NaN;
  const isClipped = load.latest.additive >= clippedFrom;
  // Our relay sees every message, now; connections only say how many there are. So messages go first.
  if (snapshot.visibility.countsMessages && cost > 0) {
    const rise = cost * (counters.expectedMessagesPerSecond - load.smoothedMessagesPerSecond);
    const demand = isClipped ? costs.intercept + cost * counters.expectedMessagesPerSecond : 0;
    return {
      utilization: Math.max(0, load.utilization + rise, demand),
      slope: cost * snapshot.messagesPerSecondPerConnection,
    };
  }
  const each = slopes.slopes[index] ?? NaN;
  if (Number.isNaN(each)) return { utilization: load.utilization, slope: undefined };
  const connections = connectionsNow(load, counters.connections);
  const demand = isClipped ? slopes.intercept + each * connections : 0;
  const rise = each * (connections - load.smoothedConnections);
  return { utilization: Math.max(0, load.utilization + rise, demand), slope: each };
}

/** What the messages that our relay sees now would cost on a usual node of its size; 0 before a cost is learned. */
function relayedWork({ capacity, counters }: NodeView, { slope = 0 }: SharedFit): number {
  return (slope / (capacity ?? 1)) * counters.expectedMessagesPerSecond;
}

function relayedUtilization(node: NodeView, costs: SharedFit): number {
  return costs.slope === undefined ? 0 : costs.intercept + relayedWork(node, costs);
}

/**
 * Compares with the work alone, not with the idle part: an empty node has none, so nothing of it can be doubted. Nor can
 * a node that says it is full: what it carries can cost many times what it is able to report, and it lures nobody.
 */
function isDoubtful(node: NodeView, utilization: number, costs: SharedFit): boolean {
  if ((node.load?.latest.additive ?? 0) >= clippedFrom) return false;
  const expected = relayedWork(node, costs);
  return expected > doubtFrom && utilization < doubtBelow * expected;
}

function surchargeOf(node: NodeView, state: LoadState | undefined): number {
  if (node.load === undefined || state !== 'valid') return 0;
  return distressSurcharge * node.load.distress ** 2;
}

/** How much a connection counts for its own sake, and what it is taken to add before anything is learned. */
function idleRule(
  snapshot: PoolSnapshot,
  { states, eligible }: Judged,
  { slopes }: Fits,
): { slope: number; priorSlope: number } {
  let utilization = 0;
  let connections = 0;
  let capacity = 0;
  snapshot.nodes.forEach((node, index) => {
    if (states[index] !== 'valid' || eligible[index] !== true || node.load === undefined) return;
    const size = node.capacity ?? 1;
    utilization += node.load.utilization * size;
    connections += node.counters.connections;
    capacity += size;
  });
  if (capacity === 0) return { slope: idleUtilization, priorSlope: 0 };
  const mean = utilization / capacity;
  const connectionsEach = Math.max(1, connections / capacity);
  return {
    slope: Math.max(0, idleUtilization - mean) / connectionsEach,
    priorSlope: Math.max(0, mean - slopes.intercept) / connectionsEach,
  };
}

function scoreByCount({ nodes, messagesPerSecondPerConnection }: PoolSnapshot, basis: Basis): ScoreSheet {
  const amountOf = (node: NodeView) => {
    if (basis === 'rotation') return 0;
    if (basis === 'connections') return connectionsPerCapacity(node);
    return node.counters.expectedMessagesPerSecond / (node.capacity ?? 1);
  };
  const step = basis === 'relay' ? Math.max(messagesPerSecondPerConnection, leastSlope) : 1;
  const amounts = nodes.map(amountOf);
  const mean = amounts.reduce((sum, each) => sum + each, 0) / Math.max(1, nodes.length);
  // One more step in the mean keeps an empty pool from dividing by nothing.
  const scale = nominalUtilization / (mean + step);
  return {
    score: new Float64Array(amounts.map((amount) => amount * scale)),
    slope: new Float64Array(nodes.map((node) => Math.max(leastSlope, (step * scale) / (node.capacity ?? 1)))),
    evidence: nodes.map(() => 'counted'),
    utilization: new Float64Array(nodes.length).fill(NaN),
  };
}
