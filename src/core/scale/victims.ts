// Which nodes of a pool go first when there are too many. How many may go is decided in fleet.ts.
import type { Policy } from '../../policy/policy.ts';
import type { Victim } from './recommendation.ts';
import { countsAsNode, type ScaleNode } from './scale-sample.ts';

/** A node that may go, and why it is this one's turn. */
export interface Candidate {
  readonly node: ScaleNode;
  readonly reason: string;
}

type Victims = Policy['scale']['victims'];

/**
 * The nodes that count, in the order in which they would go. `any`: the cheapest to drain of the zone with the most
 * nodes; `ordinal`: the highest number at the end of the id, as a StatefulSet does; `external`: who goes is not known,
 * so the largest are taken to.
 */
export function victimOrder(nodes: readonly ScaleNode[], victims: Victims): readonly Candidate[] {
  const counted = nodes.filter(countsAsNode);
  if (victims === 'ordinal') return byOrdinal(counted);
  if (victims === 'any') return byCost(counted);
  return counted.toSorted((a, b) => b.size - a.size).map((node) => ({ node, reason: 'the largest' }));
}

/** As the recommendation names it. */
export function victimOf({ node, reason }: Candidate): Victim {
  const { id, zone, connections } = node;
  return { id, zone, connections, reason };
}

function byOrdinal(nodes: readonly ScaleNode[]): readonly Candidate[] {
  return nodes
    .map((node) => ({ node, ordinal: ordinalOf(node.id) }))
    .toSorted((a, b) => b.ordinal - a.ordinal || compareText(b.node.id, a.node.id))
    .map(({ node, ordinal }) => ({
      node,
      reason: ordinal < 0 ? 'has no ordinal' : `highest ordinal, ${ordinal}`,
    }));
}

/** The number at the end of an id, as of `chat-12`; -1 without one, so that such nodes go last. */
function ordinalOf(id: string): number {
  const digits = /\d+$/.exec(id)?.[0];
  return digits === undefined ? -1 : Number(digits);
}

/**
 * The zone with the most nodes gives the next one, so a node's turn comes by how many of its zone are left when the
 * cheaper ones have gone: one sort instead of a search for each victim.
 */
function byCost(nodes: readonly ScaleNode[]): readonly Candidate[] {
  const zones = new Map<string, ScaleNode[]>();
  for (const node of nodes) {
    const inZone = zones.get(node.zone);
    if (inZone === undefined) zones.set(node.zone, [node]);
    else inZone.push(node);
  }
  const ranked = [...zones.values()].flatMap((inZone) =>
    inZone.toSorted(compareCost).map((node, index) => ({ node, left: inZone.length - index })),
  );
  const hasZones = zones.size > 1;
  return ranked
    .toSorted((a, b) => b.left - a.left || compareCost(a.node, b.node))
    .map(({ node, left }) => ({ node, reason: costReason(node, hasZones ? left : 0) }));
}

/** What a drain costs: clients disturbed, then load moved; then the youngest, which has been trusted least. */
function compareCost(a: ScaleNode, b: ScaleNode): number {
  return (
    a.connections - b.connections ||
    loadOf(a) - loadOf(b) ||
    compareNumbers(b.joinedAtMs, a.joinedAtMs) ||
    compareText(a.id, b.id)
  );
}

function costReason({ connections, zone }: ScaleNode, ofZone: number): string {
  const cost = `${connections} ${connections === 1 ? 'connection' : 'connections'} to move`;
  return ofZone === 0 ? cost : `${cost}, one of ${ofZone} in zone ${zone === '' ? 'without a name' : zone}`;
}

function loadOf({ size, utilization }: ScaleNode): number {
  // What is not known is not idle.
  return Number.isNaN(utilization) ? size : size * utilization;
}

// Not by difference: two nodes that were always there differ by Infinity − Infinity.
function compareNumbers(a: number, b: number): number {
  return Number(a > b) - Number(a < b);
}

function compareText(a: string, b: string): number {
  return Number(a > b) - Number(a < b);
}
