// What the edges and the loops ask of the state, and what the state asks of whoever carries the bytes.
import type { Policy } from '../../policy/policy.ts';

/**
 * Why a node did not take a connection. `status`: it answered an upgrade with 5xx. `local` is our own trouble
 * (ports, descriptors) and never the node's fault.
 */
export type DialFailure = 'refused' | 'timeout' | 'reset' | 'handshake' | 'status' | 'local';

/** The node that a lease is for. */
export interface PlacedNode {
  readonly id: string;
  /** Host name or IP literal, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * The receipt of one placement. It counts as dialling until `opened`, as open until `release`, and is
 * settled exactly once: `failed` and `release` after the first of them do nothing, in whatever order.
 */
export interface Lease {
  readonly node: PlacedNode;
  /** The node has taken the connection. Does nothing after the first call or after settling. */
  opened(): void;
  /** The node did not take it; counts against the node's passive health unless `local`. Settles. */
  failed(reason: DialFailure): void;
  /** The connection has ended, or its client went away while dialling. Settles. */
  release(): void;
  /** Counts what went to the node; `messages` may be 0. Called for every read of the relay: must stay cheap. */
  toNode(messages: number, bytes: number): void;
  /** Counts what came from the node. */
  toClient(messages: number, bytes: number): void;
}

/** One wish for a node. */
export interface PlaceRequest {
  readonly pool: string;
  /** The node that the client was on, '' when none: kept while it is eligible and not above `affinity.yieldAt`. */
  readonly affinityNode: string;
  /** Ids of nodes already tried for this connection. */
  readonly excluded: ReadonlySet<string>;
}

/** Why nothing was placed. */
export interface Refusal {
  readonly code: 'HERALD_POOL_UNKNOWN' | 'HERALD_NO_NODE';
  /** For people: counts the reasons, such as `2 down, 1 drain`. */
  readonly message: string;
}

export type PlaceResult =
  | { readonly placed: true; readonly lease: Lease }
  | { readonly placed: false; readonly refusal: Refusal };

/** The placement as the data plane sees it. */
export interface Placement {
  place(request: PlaceRequest): PlaceResult;
  /** The policy of a pool, undefined when there is no such pool. May change between two calls. */
  policyOf(pool: string): Policy | undefined;
}

/** What lies where state is saved. */
export type StoredState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'text'; readonly text: string }
  /** Something that nobody here has written, and why. It can be set aside. */
  | { readonly kind: 'foreign'; readonly reason: string }
  /** It cannot be looked at, and why. */
  | { readonly kind: 'unreadable'; readonly reason: string };

/** Where the saved state of one balancer lies: one text, replaced as a whole. */
export interface StateStore {
  /** Never rejects. */
  read(): Promise<StoredState>;
  /** Rejects when the text is not safely there. */
  write(text: string): Promise<void>;
  /** Moves what lies there out of the way; resolves with where to. Rejects when it cannot. */
  setAside(): Promise<string>;
}

/** A named part of what survives a restart. */
export interface StateSection {
  readonly name: string;
  /** Another number whenever `save` would give something else. */
  revision(): number;
  /** A JSON value. */
  save(): unknown;
  /**
   * Takes back what `save` gave `ageMs` ago (0 or more); nonsense in single entries is left out. The number of
   * entries taken; undefined when the whole is not understood.
   */
  restore(saved: unknown, ageMs: number): number | undefined;
}
