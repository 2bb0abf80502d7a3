// The JSON of drains, rebalances, freezes and events, shared by the balancer that writes it and the CLI that reads it.
// Types only. A number that is not known is null.
import type { AdminState } from '../core/snapshot.ts';

/** Where an operation stands. `running` is the only one that is not final. */
export type OperationState =
  | 'running'
  /** Reached its goal: nothing is left, or the pool is level. */
  | 'done'
  /** Ended by an operator, by `ready`, or by a freeze. */
  | 'cancelled'
  /** The deadline passed: what was left has been ended and counted as `cut`. */
  | 'deadline'
  /** It stopped by itself, since going on would have hurt or was of no use; `reason` says why. */
  | 'stopped';

/**
 * What became of the connections of an operation, on all balancers together. The parts sum to `total` when it is over.
 */
export interface OperationProgress {
  /** Connections that it is about: those open when it began, and for a rebalance those it has asked so far. */
  readonly total: number;
  /** Not asked to leave yet. */
  readonly waiting: number;
  /** Asked, and still open. */
  readonly leaving: number;
  /** Told, and gone. */
  readonly closed: number;
  /** Ended at the deadline without a goodbye that they could read. */
  readonly cut: number;
  /** Told, but they did not leave in time and were ended. */
  readonly refusedByPeer: number;
  /** Ended by themselves before they were asked. */
  readonly leftByThemselves: number;
  /** Of those shed, clients that came back somewhere: an estimate by arrivals, never above the shed. */
  readonly returned: number;
}

/** A drain or a rebalance in progress, or over: `GET /v1/operations/{id}`. */
export interface Operation {
  /** `[a-z0-9-]{1,40}`, unique over restarts. */
  readonly id: string;
  readonly kind: 'drain' | 'rebalance';
  /** The balancer that runs it, by its name among its peers; absent where nothing is shared. */
  readonly owner?: string;
  readonly pool: string;
  /** A drain: the nodes that are emptied. A rebalance: the nodes that it has shed from so far. */
  readonly nodes: readonly string[];
  readonly state: OperationState;
  /** One sentence: why it is in this state, with figures. */
  readonly reason: string;
  /** Who began it: a token's name, `local` for the UNIX socket, `auto` for the balancer itself. */
  readonly by: string;
  /** What the operator gave as a reason; '' for none. */
  readonly why: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** Null while running. */
  readonly endedAt: string | null;
  /** When what is left will be ended; null for a rebalance. */
  readonly deadlineAt: string | null;
  /** Until it is done at the present rate; null when that cannot be told. */
  readonly etaMs: number | null;
  /** Connections shed per second now. */
  readonly ratePerSecond: number;
  readonly progress: OperationProgress;
  /** A rebalance: highest ÷ mean utilization when it began, now, and predicted; null for a drain or without data. */
  readonly imbalance: {
    readonly before: number | null;
    readonly now: number | null;
    readonly predicted: number | null;
  };
}

/** `GET /v1/operations`: running ones first, then the newest; at most 100 that are over are kept. */
export interface OperationList {
  readonly operations: readonly Operation[];
}

/** Body of `PUT /v1/nodes/{id}/admin-state` and, with `nodes`, of `POST /v1/pools/{pool}/drains`. */
export interface AdminStateRequest {
  readonly adminState: AdminState;
  /** Only with `drain`. Absent: the policy's. */
  readonly deadlineMs?: number;
  /** Connections per second, above 0; only with `drain`. Absent: the policy's. */
  readonly ratePerSecond?: number;
  /** Drains although the rest of the pool would pass saturation. */
  readonly force?: boolean;
  /** Says what would happen and changes nothing. */
  readonly dryRun?: boolean;
  /** The node itself asks, since it is going away: never refused, and the deadline is the shorter of the two. */
  readonly self?: boolean;
  /** For the audit event; at most 200 characters. */
  readonly why?: string;
}

/** What a change of admin state came to. */
export interface AdminStateAnswer {
  readonly nodes: readonly string[];
  readonly adminState: AdminState;
  /** The drain that was begun or was already under way; null for `ready`, `maint` and a dry run. */
  readonly operation: Operation | null;
  /** What the rest of the pool would be at or will be at; null without load data. */
  readonly forecast: DrainForecast | null;
}

/** What a drain does to the nodes that stay. */
export interface DrainForecast {
  readonly connections: number;
  /** Mean utilization of the nodes that stay, before and after. */
  readonly utilizationBefore: number;
  readonly utilizationAfter: number;
  /** Whether that passes saturation: such a drain takes `force`. */
  readonly isRefused: boolean;
  /** One sentence with the figures. */
  readonly sentence: string;
}

/** Body of `POST /v1/pools/{pool}/rebalance`. */
export interface RebalanceRequest {
  readonly dryRun?: boolean;
  /** Connections per second, above 0. Absent: the policy's. */
  readonly ratePerSecond?: number;
  readonly why?: string;
}

/** What a rebalance does or would do. */
export interface RebalanceAnswer {
  /** Null for a dry run, or when there is nothing to do. */
  readonly operation: Operation | null;
  /** Connections that would move, from each node. */
  readonly moves: readonly {
    readonly node: string;
    readonly connections: number;
    readonly utilization: number;
  }[];
  readonly imbalance: { readonly now: number | null; readonly predicted: number | null };
  /** One sentence. */
  readonly sentence: string;
  /** Why it would be refused now, as the error would say it; null when it would not, and for what is no dry run. */
  readonly refusal: { readonly code: string; readonly message: string } | null;
}

/** `GET` and `PUT /v1/pools/{pool}/freeze`; `/v1/freeze` for all pools. */
export interface FreezeState {
  readonly frozen: boolean;
  /** Who froze it and why; '' when it is not frozen. */
  readonly by: string;
  readonly why: string;
  /** ISO 8601; null when it is not frozen. */
  readonly since: string | null;
}

/** One line of `GET /v1/events`. */
export interface EventRecord {
  /** Rises by one with each event of this process; the Last-Event-ID of a stream. */
  readonly id: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** `node.joined`, `operation.started`, `breaker.opened`, … : stable names, listed in docs/reference/events.md. */
  readonly type: string;
  /** '' when it is about no pool; so is `node`. */
  readonly pool: string;
  readonly node: string;
  /** Who did it: a token's name, `local`, `auto`; '' when nobody did. */
  readonly by: string;
  readonly why: string;
  /** One sentence for people. */
  readonly message: string;
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;
}
