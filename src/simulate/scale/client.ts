// One client of a fleet, as values that crowd.ts changes.
import type { Rng } from '../../core/rng.ts';
import type { FleetNode } from './fleet.ts';

/** One client, from its first attempt until it needs no connection any more. */
export interface Client {
  /** Its own chance, so that all arms of a seed meet the same clients whatever they do with them. */
  readonly rng: Rng;
  readonly endsAtMs: number;
  messagesPerSecond: number;
  messageCost: number;
  /** Undefined while it has no connection. */
  node: FleetNode | undefined;
  /** Place in the node's list. */
  position: number;
  openedAtMs: number;
  /** Messages per second that its relay expects of it. */
  expectedPerSecond: number;
  /** Its relay has heard it for long enough to know its rate. */
  isKnown: boolean;
  /** Opened soon after a rebalance had asked some to leave: maybe one of those. */
  mayBeBack: boolean;
  /** Was asked to leave and has not tried again yet. */
  isAway: boolean;
}

/** Why a connection ended before its client wanted. */
export type Disconnection = 'cut' | 'drained' | 'moved';

/** What has happened so far. Opened is the sum of closed and open. */
export interface CrowdCounts {
  opened: number;
  closed: number;
  open: number;
  /** Attempts that found no node. */
  refused: number;
  /** Ended by a node that went away without asking; asked to leave by a drain, by a rebalance. */
  cut: number;
  drained: number;
  moved: number;
}

/** Comes, and needs a connection until then. */
export function newClient(rng: Rng, endsAtMs: number): Client {
  return {
    rng,
    endsAtMs,
    messagesPerSecond: 0,
    messageCost: 1,
    node: undefined,
    position: -1,
    openedAtMs: NaN,
    expectedPerSecond: 0,
    isKnown: false,
    mayBeBack: false,
    isAway: false,
  };
}

/** Adds a client's work to its node, or takes it off. */
export function countWork(node: FleetNode, { messagesPerSecond, messageCost }: Client, sign: 1 | -1): void {
  node.messagesPerSecond += sign * messagesPerSecond;
  node.work += sign * messagesPerSecond * messageCost;
}
