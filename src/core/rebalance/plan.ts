// What to shed now: one tick of a rebalance. What became of earlier ticks is run.ts's work.
import type { Rng } from '../rng.ts';
import { chooseConnections, type Choice, type Chosen, type MovableConnections } from './choose.ts';
import { takesPart, type RebalanceNode } from './level.ts';
import { splitRelief, type OthersView, type PlannedOrder } from './others.ts';

/** What one tick may do. */
export interface PlanLimits {
  /** Where all would stand; see `levelOf`. */
  readonly level: number;
  /** A node this far above the level is level enough. */
  readonly settle: number;
  /** Connections at most, all nodes together. */
  readonly most: number;
  readonly choose: Choice;
}

/** What to shed from one node. */
export interface PlannedShed extends Chosen {
  readonly node: RebalanceNode;
  readonly connections: MovableConnections;
}

/** What one tick comes to: what is shed here, and what other balancers are told to shed. */
export interface PlannedMoves {
  readonly sheds: readonly PlannedShed[];
  readonly orders: readonly PlannedOrder[];
}

/** Nodes that are above the level by more than `settle`, the highest first. */
export function sourcesOf(
  nodes: readonly RebalanceNode[],
  { level, settle }: Pick<PlanLimits, 'level' | 'settle'>,
): readonly RebalanceNode[] {
  return nodes
    .filter((node) => takesPart(node) && node.utilization > level + settle)
    .toSorted((a, b) => b.utilization - a.utilization);
}

/**
 * Takes every source down to the level by the fewest connections, the hottest first, as far as `most` goes. Never more
 * than a source has too much, and no connection that is too heavy for the emptiest node. `connectionsOf` tells what may
 * be moved: neither leaving nor in its cooldown.
 */
export function planSheds(
  nodes: readonly RebalanceNode[],
  connectionsOf: (node: RebalanceNode) => MovableConnections,
  by: { readonly limits: PlanLimits; readonly rng: Rng },
): readonly PlannedShed[] {
  return planMoves(nodes, connectionsOf, by).sheds;
}

/** The same with what other balancers carry; each source's relief is split between them and this one. */
export function planMoves(
  nodes: readonly RebalanceNode[],
  connectionsOf: (node: RebalanceNode) => MovableConnections,
  by: {
    readonly limits: PlanLimits;
    readonly rng: Rng;
    readonly others?: Pick<OthersView, 'sharesOf' | 'reliefOrdered'> | undefined;
  },
): PlannedMoves {
  const { limits, rng, others } = by;
  const { level, choose } = limits;
  const sheds: PlannedShed[] = [];
  const orders: PlannedOrder[] = [];
  let left = limits.most;
  for (const node of sourcesOf(nodes, limits)) {
    if (left < 1) break;
    const connections = connectionsOf(node);
    const relief = node.utilization - level - (others?.reliefOrdered(node.id) ?? 0);
    if (relief <= 0) continue;
    const heaviest = roomFor(node, nodes, limits);
    const shares = others?.sharesOf(node) ?? [];
    const split = splitRelief({ relief, most: Math.floor(left), own: sumOf(connections), shares }, rng);
    const chosen = chooseConnections(connections, { ...split.own, heaviest, choose }, rng);
    if (chosen.rows.length > 0) sheds.push({ ...chosen, node, connections });
    left -= chosen.rows.length;
    if (heaviest <= 0) continue;
    for (const order of split.orders) {
      orders.push({ ...order, node: node.id, heaviest });
      left -= order.most;
    }
  }
  return { sheds, orders };
}

function sumOf({ size, utilization }: MovableConnections): { connections: number; utilization: number } {
  let sum = 0;
  for (let row = 0; row < size; row += 1) sum += utilization[row] ?? 0;
  return { connections: size, utilization: sum };
}

/** The most that a connection of this node may cause here, so that the node it lands on ends no hotter than level. */
function roomFor(
  source: RebalanceNode,
  nodes: readonly RebalanceNode[],
  { level, settle }: PlanLimits,
): number {
  let room = 0;
  for (const node of nodes) {
    if (node === source || !takesPart(node)) continue;
    // The same connection causes less on a larger node.
    room = Math.max(room, (level + settle - node.utilization) * (source.slope / node.slope));
  }
  return room;
}
