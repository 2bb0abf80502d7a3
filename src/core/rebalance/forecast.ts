// What a rebalance would do if it could do everything at once, for dry runs, advice and the time that it will take.
import type { Rng } from '../rng.ts';
import { waterFill } from '../water-fill.ts';
import type { Choice, MovableConnections } from './choose.ts';
import { levelOf, maxToMean, takesPart, type RebalanceNode } from './level.ts';
import type { OthersView } from './others.ts';
import { planMoves, type PlannedMoves } from './plan.ts';

/** What would move, and what that would come to. */
export interface RebalanceForecast {
  readonly moves: readonly {
    readonly node: string;
    readonly connections: number;
    readonly utilization: number;
  }[];
  /** Highest ÷ mean utilization; NaN for a pool that is idle or not known. */
  readonly now: number;
  readonly predicted: number;
}

/** The forecast; no moves for a pool that is level, or where nothing can be moved. */
export function forecastRebalance(
  nodes: readonly RebalanceNode[],
  connectionsOf: (node: RebalanceNode) => MovableConnections,
  by: {
    readonly settle: number;
    readonly choose: Choice;
    readonly rng: Rng;
    readonly others?: OthersView | undefined;
  },
): RebalanceForecast {
  const { settle, choose, rng } = by;
  // What has been ordered already is a run's, and a forecast is of what is to be done from now on.
  const others = by.others && { ...by.others, reliefOrdered: () => 0 };
  const limits = { level: levelOf(nodes, 0), settle, most: Infinity, choose };
  const moves = movesIn(planMoves(nodes, connectionsOf, { limits, rng, others }), nodes);
  const taken = new Map(moves.map(({ node, utilization }) => [node, utilization]));
  const slopes = new Map(nodes.map(({ id, slope }) => [id, slope]));
  const work = moves.reduce((sum, { node, utilization }) => sum + utilization / (slopes.get(node) ?? NaN), 0);
  const now = maxToMean(nodes);
  return { moves, now, predicted: work > 0 ? maxToMean(afterMoves(nodes, taken, work)) : now };
}

/** By node, in the order of the plan: what is chosen here, and what others will probably choose. */
function movesIn(
  { sheds, orders }: PlannedMoves,
  nodes: readonly RebalanceNode[],
): RebalanceForecast['moves'] {
  const parts = [
    ...sheds.map(({ node, rows, utilization }) => ({ node: node.id, connections: rows.length, utilization })),
    ...orders.map(({ node, expected }) => ({ node, ...expected })),
  ];
  const hottestFirst = nodes.toSorted((a, b) => b.utilization - a.utilization);
  return hottestFirst.flatMap(({ id }) => {
    const own = parts.filter(({ node }) => node === id);
    const sum = (key: 'connections' | 'utilization') => own.reduce((all, part) => all + part[key], 0);
    return own.length === 0
      ? []
      : [{ node: id, connections: sum('connections'), utilization: sum('utilization') }];
  });
}

/** The nodes when what was taken has come back by water-filling. */
function afterMoves(
  nodes: readonly RebalanceNode[],
  taken: ReadonlyMap<string, number>,
  arrivals: number,
): readonly RebalanceNode[] {
  const inUse = nodes.filter(takesPart);
  const { filled } = waterFill({
    score: new Float64Array(inUse.map(({ utilization }) => utilization)),
    slope: new Float64Array(inUse.map(({ slope }) => slope)),
    bound: new Float64Array(inUse.map(({ id }) => (taken.has(id) ? 0 : Infinity))),
    arrivals,
  });
  return inUse.map((node, index) => ({
    ...node,
    utilization: node.utilization - (taken.get(node.id) ?? 0) + (filled[index] ?? 0) * node.slope,
  }));
}
