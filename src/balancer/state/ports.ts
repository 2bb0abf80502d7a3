// What the edges and the loops ask of the state, and what the state asks of whoever carries the bytes.
import type { Hash } from '../../core/pick/rendezvous.ts';
import type { Policy } from '../../policy/policy.ts';

/**
 * Why a node did not take a connection. `tls`: no TLS came about with it. `status`: it answered an upgrade with 5xx.
 * `local` is our own trouble (ports, descriptors) and never the node's fault.
 */
export type DialFailure = 'refused' | 'timeout' | 'reset' | 'tls' | 'handshake' | 'status' | 'local';

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
  /** What came of affinity: `kept`, or what it yielded to; undefined for a client without a node of its own. */
  readonly affinity?: string | undefined;
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
  /**
   * Says who carries the connection, which from now on can be seen and asked to leave, until the lease is settled.
   * Does nothing unless the lease is open.
   */
  carriedBy(carrier: Carrier): void;
}

/** One wish for a node. */
export interface PlaceRequest {
  readonly pool: string;
  /** The node that the client was on, '' when none: kept while it is eligible and not above `affinity.yieldAt`. */
  readonly affinityNode: string;
  /** The hash that says which node the client belongs to; absent where the policy does not hash, or nothing to hash came. */
  readonly affinityKey?: Hash | undefined;
  /** Ids of nodes already tried for this connection. */
  readonly excluded: ReadonlySet<string>;
  /**
   * `request` is a plain HTTP request or a long poll, which admission counts only where the policy says so; absent:
   * `connection`, one that lives for long.
   */
  readonly kind?: 'connection' | 'request';
}

/** Who waits for a place. One of the two is called, once, and neither before `place` has returned. */
export interface Waiter {
  placed(lease: Lease): void;
  refused(refusal: Refusal): void;
}

/** A place in the queue. */
export interface Wait {
  /** The client has gone: nobody is called any more. Idempotent. */
  cancel(): void;
}

/** Why nothing was placed. */
export interface Refusal {
  readonly code: 'HERALD_POOL_UNKNOWN' | 'HERALD_NO_NODE' | 'HERALD_POOL_FULL' | 'HERALD_NOT_ADMITTED';
  /** For people: counts the reasons, such as `2 down, 1 drain`. */
  readonly message: string;
  /** When there is likely to be a place; absent: nobody knows. Without jitter, but each gets a time of its own. */
  readonly retryAfterMs?: number;
}

export type PlaceResult =
  | { readonly placed: true; readonly lease: Lease }
  | { readonly placed: false; readonly refusal: Refusal; readonly wait?: undefined };

/** Nothing was placed yet: the waiter will hear. */
export interface Waits {
  readonly placed: false;
  readonly wait: Wait;
}

/** The placement as the data plane sees it. */
export interface Placement {
  /** Places now or refuses. */
  place(request: PlaceRequest): PlaceResult;
  /** Places now, refuses, or lets the waiter wait in the pool's queue. */
  place(request: PlaceRequest, waiter: Waiter): PlaceResult | Waits;
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

/**
 * What a connection is. `longPoll`: a request whose answer has not begun; `http`: any other exchange under way, which
 * no event stream is; `tcp`: a tunnel whose frames nobody reads.
 */
export type ConnectionKind = 'websocket' | 'sse' | 'longPoll' | 'http' | 'tcp';

/** How a connection is asked to leave. */
export interface Goodbye {
  /** WebSocket close code. */
  readonly code: number;
  /** Words for people and logs; the form on the wire adds the retry hint and cuts what does not fit. */
  readonly reason: string;
  /** When the client may come back, 0 or more. Who sheds many at once gives each a time of its own. */
  readonly retryAfterMs: number;
  /** Instant of the balancer's clock at which what has not left is ended. */
  readonly byMs: number;
}

/**
 * What came of a goodbye. `closed`: the client has been told and has left, or its exchange has come to its own end.
 * `cut`: ended at the deadline without having been told, or told in a way that it cannot tell from a failure.
 * `refusedByPeer`: told, but it did not leave in time. `alreadyGone`: it ended, or began to close, by itself.
 * `alreadyLeaving`: another goodbye is under way and has the outcome.
 */
export type GoodbyeOutcome = 'closed' | 'cut' | 'refusedByPeer' | 'alreadyGone' | 'alreadyLeaving';

/** Whoever carries the bytes of one open connection. */
export interface Carrier {
  readonly nodeId: string;
  /** May change while an exchange goes on. */
  readonly kind: ConnectionKind;
  /** Says goodbye. `settled` is called exactly once, maybe before this returns. */
  leave(goodbye: Goodbye, settled: (outcome: GoodbyeOutcome) => void): void;
}

/**
 * The ways to shed. `close`: by the data plane itself. `ask`: the node's agent, so that the application says goodbye in
 * its own words. `move`: to another node without the client noticing. A data plane names those it has.
 */
export type ShedWay = 'close' | 'ask' | 'move';

/** What a data plane can do. */
export interface DataPlaneCapabilities {
  readonly ways: readonly ShedWay[];
  /** `connections` lists every open connection; false: there is nothing to choose from. */
  readonly listsConnections: boolean;
  /** It has to be told the shares; false: it asks placement for each connection. */
  readonly takesShares: boolean;
}

/** Open connections in columns, one entry each, in no particular order. A copy of one instant, the caller's to keep. */
export interface OpenConnections {
  readonly size: number;
  /** For `shed`; never given to another connection within the life of this list. */
  readonly id: Float64Array;
  readonly nodeId: readonly string[];
  readonly kind: readonly ConnectionKind[];
  readonly ageMs: Float64Array;
  /** Messages both ways per second over about a minute; the pool's mean for a connection that has not lived yet. */
  readonly messagesPerSecond: Float64Array;
  /** Bytes both ways per second, likewise. */
  readonly bytesPerSecond: Float64Array;
  /** Part of its node's utilization that it causes, 0 or more; all 0 for a node whose load is not known. */
  readonly utilization: Float64Array;
  /** 1 once it has been asked to leave. */
  readonly isLeaving: Uint8Array;
  /** 1 while the policy keeps it from being moved again, since it may be one that was: opened within a minute of a goodbye. */
  readonly inCooldown: Uint8Array;
}

/** One wish to shed. */
export interface ShedRequest {
  readonly pool: string;
  /** Ids of `connections`; unknown ones settle as `alreadyGone`. */
  readonly connectionIds: ArrayLike<number>;
  readonly goodbye: Goodbye;
  /** `close` when absent. HERALD_INTERNAL when the data plane has no such way. */
  readonly way?: ShedWay;
  /** Called exactly once for each id, maybe before `shed` returns. */
  readonly settled?: (id: number, outcome: GoodbyeOutcome) => void;
}

/** What carries the bytes and can shed: our relay, an HAProxy, or the client itself. */
export interface DataPlane {
  readonly capabilities: DataPlaneCapabilities;
  /** Open connections of a pool or, given its id, of one node; an empty list for a pool or node that is not known. */
  connections(pool: string, nodeId?: string): OpenConnections;
  /**
   * Resolves when `connections` of this pool is of now, in bounded time. Absent where it always is: others list what
   * they last heard, some seconds old.
   */
  refresh?(pool: string): Promise<void>;
  /** Asks connections to leave. Never throws for a connection that has gone. */
  shed(request: ShedRequest): void;
  /** Tells the share of the next arrivals of each node, 0..1, by id. Does nothing where shares are not taken. */
  applyShares(pool: string, shares: ReadonlyMap<string, number>): void;
}

/** How bytes of clients are carried: `fast` on raw handles, `plain` on sockets. */
export interface RelayForms {
  readonly form: 'fast' | 'plain';
  /** TLS for clients. */
  readonly tls: 'fast' | 'plain';
}

/** What came of the connections that were open at the end. */
export interface StopReport {
  /** Told, and gone in order. */
  readonly closed: number;
  /** Told, and still there in the end. */
  readonly refusedByPeer: number;
  /** Ended without having been told. */
  readonly cut: number;
}
