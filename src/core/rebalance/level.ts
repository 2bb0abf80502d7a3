// How far the nodes of a pool are from level. Whether something should be done about it is not decided here.

/** One node as a rebalance sees it. */
export interface RebalanceNode {
  readonly id: string;
  /** Predicted utilization now: what has come and gone since the reports is in it. NaN when that is not known. */
  readonly utilization: number;
  /** Utilization that an average connection adds, above 0; the smaller, the larger the node. */
  readonly slope: number;
  /** Whether it may take connections now. */
  readonly isEligible: boolean;
  /** How far it is through its slow start, above 0 and at most 1. */
  readonly slowStartPart: number;
}

/** True for nodes that take part in levelling: in use, and with a load that is known. */
export function takesPart({ isEligible, utilization, slope }: RebalanceNode): boolean {
  return isEligible && Number.isFinite(utilization) && slope > 0;
}

/**
 * The utilization at which all would stand if the pool's work were spread by size: Σ (utilization ÷ slope) ÷
 * Σ (1 ÷ slope), which is what water-filling ends at. `onTheWay` is work that has left a node and not come back yet,
 * in average connections: without it the level would sink while clients are between two nodes, and too much would be
 * shed. NaN without nodes that take part.
 */
export function levelOf(nodes: readonly RebalanceNode[], onTheWay: number): number {
  let work = onTheWay;
  let size = 0;
  for (const node of nodes) {
    if (!takesPart(node)) continue;
    work += node.utilization / node.slope;
    size += 1 / node.slope;
  }
  return size > 0 ? work / size : NaN;
}

/** Highest ÷ mean utilization of the nodes that take part; NaN when there are none or they are idle. */
export function maxToMean(nodes: readonly RebalanceNode[]): number {
  const known = nodes.filter(takesPart).map(({ utilization }) => utilization);
  const mean = known.reduce((sum, each) => sum + each, 0) / known.length;
  return mean > 0 ? Math.max(...known) / mean : NaN;
}
