// What one instant says of a pool for scaling: its nodes, and their load as a sum. What came before, and how many nodes
// there should be, is not decided here.
import type { Policy } from '../../policy/policy.ts';
import type { Assessment } from '../assess.ts';
import { slowStartPart } from '../guard.ts';
import type { NodeView } from '../snapshot.ts';
import { nodeSizes } from './node-size.ts';

/** `leaving`: in drain or maint; `starting`: registered, but in its blackout or slow start. */
export type ScalePhase = 'serving' | 'starting' | 'leaving' | 'down';

/** One node as scaling sees it. */
export interface ScaleNode {
  readonly id: string;
  readonly zone: string;
  readonly connections: number;
  /** Relative to the pool's usual (median) node; above 0. */
  readonly size: number;
  readonly phase: ScalePhase;
  /** Demand ÷ what it can do, 0 or more, above 1 when it is asked for too much; NaN where no valid data says it. */
  readonly utilization: number;
  /** -Infinity for nodes that were there when the balancer started. */
  readonly joinedAtMs: number;
}

/** A pool's load, in nodes of the usual size at saturation. */
export interface PoolLoad {
  /** Sum of size × utilization, clients that wait for admission included; 0 or more. */
  readonly total: number;
  /** The same with every node of missing data taken to be full: what a scale-in is judged by. */
  readonly cautious: number;
  /** Utilization that a node has with nothing to do: every node that is added adds it. 0..`mostIdle`. */
  readonly idle: number;
  /** The signal that fills most of it; '' when there is no load. */
  readonly bottleneck: string;
}

/** What one instant says. */
export interface ScaleSample {
  readonly atMs: number;
  readonly nodes: readonly ScaleNode[];
  /** Undefined when more than half of the nodes that serve have no valid data, or none of the nodes has. */
  readonly load: PoolLoad | undefined;
  /** Nodes that serve or are starting without valid data. */
  readonly missing: number;
  /** Clients that wait for admission. */
  readonly waiting: number;
}

// The learned intercept is extrapolated from fleets that are seldom idle and is often far too high, so no more than a
// tenth of a node is believed; taken for too much it would make every new node look useless.
const mostIdle = 0.1;
// With fewer connections, a node's load says nothing about what one of them costs.
const believedConnections = 20;

/**
 * Reads an assessment. Load is the additive utilization that placement predicts: demand, unclipped where message
 * costs or slopes are known, smoothed by `score.smoothing` alone; distress does not enter. What drains counts in the
 * sum, since its clients come back, but not as a node.
 */
export function scaleSampleOf(assessment: Assessment, policy: Pick<Policy, 'place'>): ScaleSample {
  const { snapshot } = assessment;
  const phases = snapshot.nodes.map((node, index) => phaseOf(assessment, { node, index }, policy));
  const sizes = nodeSizes(
    assessment,
    phases.map((phase) => phase === 'serving' || phase === 'starting'),
  );
  const nodes = snapshot.nodes.map((node, index): ScaleNode => ({
    id: node.id,
    zone: node.zone,
    connections: node.counters.connections,
    size: sizes[index] ?? 1,
    phase: phases[index] ?? 'down',
    utilization: utilizationOf(assessment, index),
    joinedAtMs: node.joinedAtMs,
  }));
  const waiting = snapshot.admission?.waiting ?? 0;
  return {
    atMs: snapshot.atMs,
    nodes,
    waiting,
    missing: nodes.filter((node) => countsAsNode(node) && Number.isNaN(node.utilization)).length,
    load: poolLoad(assessment, nodes, waiting),
  };
}

/** True for nodes that the recommendation counts: those that serve and those that are about to. */
export function countsAsNode({ phase }: Pick<ScaleNode, 'phase'>): boolean {
  return phase === 'serving' || phase === 'starting';
}

function phaseOf(
  { snapshot, states }: Assessment,
  { node, index }: { node: NodeView; index: number },
  { place }: Pick<Policy, 'place'>,
): ScalePhase {
  if (node.adminState !== 'ready') return 'leaving';
  if (node.health === 'down') return 'down';
  const isNew = states[index] === 'blackout' || slowStartPart(node, snapshot.atMs, place.slowStartMs) < 1;
  return isNew ? 'starting' : 'serving';
}

function utilizationOf({ snapshot, states, evidence, utilization }: Assessment, index: number): number {
  // A report that the relay's own count contradicts is no data.
  if (states[index] !== 'valid' || evidence[index] === 'doubted') return NaN;
  const predicted = utilization[index] ?? NaN;
  // Below the rung of load nothing is predicted, but this node's own report still holds.
  const known = Number.isFinite(predicted) ? predicted : (snapshot.nodes[index]?.load?.utilization ?? NaN);
  return Number.isFinite(known) ? Math.max(0, known) : NaN;
}

function poolLoad(
  assessment: Assessment,
  nodes: readonly ScaleNode[],
  waiting: number,
): PoolLoad | undefined {
  const counted = nodes.filter(countsAsNode);
  const known = counted.filter(({ utilization }) => !Number.isNaN(utilization));
  const serving = counted.filter(({ phase }) => phase === 'serving');
  const lacking = serving.filter(({ utilization }) => Number.isNaN(utilization));
  if (known.length === 0 || lacking.length * 2 > serving.length) return undefined;
  const measured = sumOf(known, ({ size, utilization }) => size * utilization);
  const knownSize = sumOf(known, ({ size }) => size);
  const mean = measured / knownSize;
  const idle = idleOf(assessment, known);
  const leaving = sumOf(nodes, (node) => (countsAsNode(node) ? 0 : loadThatComesBack(node)));
  const connections = sumOf(known, (node) => node.connections);
  const work = Math.max(0, measured - idle * knownSize);
  const each = connections >= believedConnections ? work / connections : 0;
  const total = measured + mean * sumOf(lacking, ({ size }) => size) + leaving + waiting * each;
  const unseen = counted.filter(({ utilization }) => Number.isNaN(utilization));
  // Starting nodes without data are at 0 in the total: they have hardly been given anything.
  const asIfFull = sumOf(
    unseen,
    ({ size, phase }) => size * (phase === 'serving' ? Math.max(0, 1 - mean) : 1),
  );
  return { total, cautious: total + asIfFull, idle, bottleneck: bottleneckOf(assessment, nodes) };
}

/** An empty node that drains or is down brings nothing back, whatever it does for itself. */
function loadThatComesBack({ connections, size, utilization }: ScaleNode): number {
  return connections > 0 && !Number.isNaN(utilization) ? size * utilization : 0;
}

function idleOf({ costs, slopes, snapshot }: Assessment, known: readonly ScaleNode[]): number {
  const fit = snapshot.visibility.countsMessages && costs.slope !== undefined ? costs : slopes;
  // No node is idler than the idlest seen.
  const lowest = known.reduce((least, { utilization }) => Math.min(least, utilization), mostIdle);
  return Math.max(0, Math.min(fit.intercept, lowest));
}

function bottleneckOf({ snapshot }: Assessment, nodes: readonly ScaleNode[]): string {
  const loads = new Map<string, number>();
  nodes.forEach(({ size, utilization }, index) => {
    const name = snapshot.nodes[index]?.load?.latest.bottleneck ?? '';
    if (name === '' || !(utilization > 0)) return;
    loads.set(name, (loads.get(name) ?? 0) + size * utilization);
  });
  let highest = 0;
  let bottleneck = '';
  for (const [name, load] of loads) {
    if (load <= highest) continue;
    highest = load;
    bottleneck = name;
  }
  return bottleneck;
}

function sumOf(nodes: readonly ScaleNode[], valueOf: (node: ScaleNode) => number): number {
  return nodes.reduce((sum, node) => sum + valueOf(node), 0);
}
