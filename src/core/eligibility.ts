// May a node take a new connection? Never how loaded it is: that is score.ts.
import type { NodeView } from './snapshot.ts';

/**
 * Why a node may not take a new connection. `excluded` is said by whoever places: already tried for this one.
 * `shedding`: a rebalance takes load off it, and what it sheds must not come back to it. */
export type IneligibleReason = 'drain' | 'maint' | 'down' | 'full' | 'shedding' | 'excluded';

/**
 * Distress beyond which a node is refused: four times its saturation. Distress is convex, so a node at twice
 * its saturation is merely busy, while one at four times hardly answers those it has.
 */
export const refusedDistress = 4;

type OwnReason = Exclude<IneligibleReason, 'shedding' | 'excluded'>;

/** Why this node may not take a connection by its own state; undefined when it may. Missing load data is no reason. */
export function ineligibleBecause(node: NodeView): OwnReason | undefined {
  if (node.adminState !== 'ready') return node.adminState;
  if (node.health === 'down') return 'down';
  if (node.counters.connections >= node.maxConnections) return 'full';
  return undefined;
}

/**
 * The reasons of all nodes, in their order; undefined for the eligible. Nodes far beyond their distress
 * saturation are `full`, but only while no more than half of the otherwise eligible nodes are: when the whole
 * fleet is in distress, refusing everybody would turn slowness into an outage. Nodes that shed are left alone while
 * another can take what comes.
 */
export function eligibilityOf(
  nodes: readonly NodeView[],
  distressOf: (node: NodeView, index: number) => number,
): (IneligibleReason | undefined)[] {
  const reasons: (IneligibleReason | undefined)[] = nodes.map(ineligibleBecause);
  const eligible = reasons.filter((reason) => reason === undefined).length;
  const isOverwhelmed = (index: number) => {
    const node = nodes[index];
    return reasons[index] === undefined && node !== undefined && distressOf(node, index) >= refusedDistress;
  };
  const overwhelmed = [...reasons.keys()].filter(isOverwhelmed);
  if (overwhelmed.length * 2 <= eligible) for (const index of overwhelmed) reasons[index] = 'full';
  return withoutShedding(nodes, reasons);
}

function withoutShedding(
  nodes: readonly NodeView[],
  reasons: (IneligibleReason | undefined)[],
): (IneligibleReason | undefined)[] {
  const sheds = (index: number) => nodes[index]?.isShedding === true;
  if (!nodes.some(({ isShedding }) => isShedding)) return reasons;
  if (!reasons.some((reason, index) => reason === undefined && !sheds(index))) return reasons;
  return reasons.map((reason, index) => (reason === undefined && sheds(index) ? 'shedding' : reason));
}

/** True for nodes that serve clients and count in the pool's load, whether or not they take new ones now. */
export function isInUse(reason: IneligibleReason | undefined): boolean {
  return reason === undefined || reason === 'shedding';
}
