// What the edges ask of the loops that drain, rebalance and freeze, and what these tell. No sockets here or below.
import type { Victim } from '../../core/scale/recommendation.ts';
import type { AdminState } from '../../core/snapshot.ts';
import type {
  AdminStateAnswer,
  AdminStateRequest,
  EventRecord,
  FreezeState,
  Operation,
  RebalanceAnswer,
  RebalanceRequest,
} from '../../protocol/operations.ts';
import type { OwnedOperation } from '../../protocol/peer-wishes.ts';
import type { Scaling } from '../../protocol/scaling.ts';

/** Who asks, for audit events. */
export interface Asker {
  /** A token's name, `local` for the UNIX socket, `auto` for the balancer itself. */
  readonly by: string;
  /** The drain of another balancer that this is part of; absent where nobody said. */
  readonly operation?: OwnedOperation;
}

/** Everything that moves connections or changes what the operator wants. Methods throw HeraldError with a code. */
export interface Control {
  /**
   * Sets the admin state of nodes of one pool, all or none. `drain` begins an operation, or returns the one under
   * way; `ready` and `maint` end it. HERALD_NODE_UNKNOWN, HERALD_DRAIN_REFUSED.
   */
  setAdminState(nodes: readonly string[], request: AdminStateRequest, asker: Asker): AdminStateAnswer;
  /** Resolves, in bounded time, when what is known of the pool's connections is of now: before a plan is shown. */
  refreshed(pool: string): Promise<void>;
  /** Plans a rebalance and, unless `dryRun`, begins it. HERALD_POOL_UNKNOWN, HERALD_FROZEN, HERALD_OPERATION_RUNNING, HERALD_NO_LEADER. */
  rebalance(pool: string, request: RebalanceRequest, asker: Asker): RebalanceAnswer;
  /** Running first, then the newest. */
  operations(): readonly Operation[];
  /** HERALD_OPERATION_UNKNOWN. */
  operation(id: string): Operation;
  /** Ends a running operation; one that is over stays as it is. A cancelled drain leaves its nodes in `drain`. */
  cancel(id: string, asker: Asker & { readonly why: string }): Operation;
  /** `pool` undefined: all pools. */
  freezeState(pool: string | undefined): FreezeState;
  /** Stops every automatic action, or lets them go on. A drain that an operator asked for goes on. */
  setFrozen(
    pool: string | undefined,
    wish: { readonly frozen: boolean; readonly why: string },
    asker: Asker,
  ): FreezeState;
}

/** What is told to whoever listens: the API's stream, the log, metrics. */
export interface EventFeed {
  /** Gives the event its id and instant, keeps it and tells it. */
  tell(event: Omit<EventRecord, 'id' | 'at'>): void;
  /** Events after `id` that are still kept, oldest first; `isWhole` is false when some after it are forgotten. */
  since(id: number): { readonly events: readonly EventRecord[]; readonly isWhole: boolean };
  /** Hears every event from now on; the answer ends it. */
  listen(hear: (event: EventRecord) => void): () => void;
}

/** The admin states there are, for checks at the edge. */
export const adminStates = ['ready', 'drain', 'maint'] as const satisfies readonly AdminState[];

/** What the scaling loop recommends, for the outputs: API, hooks, drivers, KEDA. */
export interface ScaleFeed {
  /** The latest recommendation; computed when there is none yet. HERALD_POOL_UNKNOWN. */
  scaling(pool: string): Scaling;
  /** Hears every recommendation of every pool, changed or not, each interval; the answer ends it. */
  onScaling(hear: (scaling: Scaling) => void): () => void;
}

/** One thing asked of what starts and stops nodes. */
export interface ScaleWish {
  /** `[a-z0-9-]{1,60}`: names this wish. A repetition after a failure has the same id, so that it is done once. */
  readonly id: string;
  readonly pool: string;
  /**
   * Nodes that the platform should run: those that are to serve, at least the policy's `min`, and beside them those that
   * an operator keeps in drain or maint.
   */
  readonly desired: number;
  readonly action: 'out' | 'in';
  /** `in`: the nodes to stop, drained already; empty where the platform chooses for itself. `out`: empty. */
  readonly victims: readonly Victim[];
  /** One sentence with the figures. */
  readonly reason: string;
}

/** What starts and stops nodes: a command, a platform's API, processes of this machine. */
export interface ScaleExecutor {
  /** For events and logs: `exec`, `processes`. */
  readonly name: string;
  /**
   * Asks for so many nodes. Resolves when the platform has taken the wish, not when the nodes are there; rejects, or
   * throws, when it has not. It bounds its own time; the driver waits two minutes at most, then repeats the wish.
   */
  apply(wish: ScaleWish): Promise<void>;
}
