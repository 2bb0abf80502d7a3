// What other balancers carry of a node, as far as a plan needs it: only sums are known of them, so each is told how much
// to take off, and chooses its own connections. Who tells them is control/.
import type { Rng } from '../rng.ts';
import type { RebalanceNode } from './level.ts';

/** What one other balancer has on one node. */
export interface PeerShare {
  readonly peer: string;
  /** Open there, above 0. */
  readonly connections: number;
  /** Part of the node's utilization that they cause, above 0. */
  readonly utilization: number;
}

/** What one other balancer is to take off one node. */
export interface PlannedOrder {
  readonly peer: string;
  readonly node: string;
  /** Utilization that it takes off at most, above 0. */
  readonly relief: number;
  /** The heaviest single connection that has a place elsewhere, as utilization of this node. */
  readonly heaviest: number;
  /** Connections that it asks at most, 1 or more. */
  readonly most: number;
  /** What that will probably come to, by its average connection. */
  readonly expected: { readonly connections: number; readonly utilization: number };
}

/** What another balancer has shed for the run under way. */
export interface ToldShed {
  readonly node: string;
  /** Above 0. */
  readonly connections: number;
  /** Of the node, as the one who shed them sees it; 0 or more. */
  readonly utilization: number;
}

/** The other balancers at one tick. */
export interface OthersView {
  /** Those that may be told to shed from this node now; none for none. */
  readonly sharesOf: (node: RebalanceNode) => readonly PeerShare[];
  /** Told to take off this node, and not answered yet: utilization. */
  readonly reliefOrdered: (node: string) => number;
  /** Connections that they may still ask by orders that are not answered yet. */
  readonly ordered: number;
  /** What has been shed since the last tick. */
  readonly told: readonly ToldShed[];
  /** Connections that orders allowed and nobody asked, since the last tick. */
  readonly unspent: number;
}

/** Where no order has been given. */
export const nothingOrdered = {
  reliefOrdered: () => 0,
  ordered: 0,
  told: [],
  unspent: 0,
} as const satisfies Omit<OthersView, 'sharesOf'>;

/** What of one node's relief each is to take off. */
export interface SplitRelief {
  readonly own: { readonly relief: number; readonly most: number };
  readonly orders: readonly Omit<PlannedOrder, 'node' | 'heaviest'>[];
}

/** What there is to take off a node, and by whom. */
export interface ReliefParts {
  /** Above 0. */
  readonly relief: number;
  /** Connections at most, 1 or more; Infinity for a forecast. */
  readonly most: number;
  /** What may be moved here. */
  readonly own: { readonly connections: number; readonly utilization: number };
  readonly shares: readonly PeerShare[];
}

/**
 * Splits by the load that each carries. Connections are whole and few, often one in a second, so they are dealt by
 * chance that is right on average (systematic sampling), and the relief goes with them: split by load alone, each part
 * could be smaller than any connection. Everything stays here when nobody else has any; then no chance is drawn.
 */
export function splitRelief({ relief, most, own, shares }: ReliefParts, rng: Rng): SplitRelief {
  if (shares.length === 0) return { own: { relief, most }, orders: [] };
  const all = [{ peer: '', ...own }, ...shares];
  const load = all.reduce((sum, { utilization }) => sum + utilization, 0);
  const connections = all.reduce((sum, each) => sum + each.connections, 0);
  // So many average connections are too much; more than that dealt would part the relief for nobody's good.
  const count = Math.min(most, Math.max(1, Math.floor((relief * connections) / load)));
  const [ownMost = 0, ...mosts] = dealt(
    all.map(({ utilization }) => (count * utilization) / load),
    rng.next(),
  );
  const orders = shares.flatMap((share, index) => {
    const partMost = mosts[index] ?? 0;
    if (partMost < 1) return [];
    const part = (relief * partMost) / count;
    const utilization = Math.min(part, (partMost * share.utilization) / share.connections);
    const asked = Math.min(partMost, share.connections);
    return [
      { peer: share.peer, relief: part, most: partMost, expected: { connections: asked, utilization } },
    ];
  });
  return { own: { relief: (relief * ownMost) / count, most: ownMost }, orders };
}

/** Whole numbers that sum up as the parts do, each its part rounded down or up, by an offset of chance in 0..1. */
function dealt(parts: readonly number[], offset: number): number[] {
  let sum = 0;
  let before = 0;
  return parts.map((part, index) => {
    sum += part;
    // The last takes what rounding of sums would lose.
    const upTo = index === parts.length - 1 ? Math.round(sum) : Math.floor(sum + offset);
    const count = Math.max(0, upTo - before);
    before = Math.max(before, upTo);
    return count;
  });
}
