// What the main process and its workers say to each other: structured clones over the channel between parent and child.
// Both are of one release, started from the same files.
import type { ErrorCode } from '../../core/error.ts';
import type { AdminState } from '../../core/snapshot.ts';
import type { Config } from '../../policy/config.ts';
import type { Policy } from '../../policy/policy.ts';
import type { PeerReport } from '../../protocol/peer-words.ts';
import type { CountedSeries } from '../../protocol/workers.ts';
import type { RelayForms, StopReport } from '../state/ports.ts';
import type { ConnectionKind, Goodbye, GoodbyeOutcome } from '../state/ports.ts';
import type { AdmissionFigures } from '../state/admission.ts';
import type { CarriedElsewhere } from '../state/pool-state.ts';
import type { ListenerClients, OwnListenerClients } from './client-words.ts';

/** What a worker works by. */
export interface WorkerSettings {
  readonly config: Config;
  readonly policies: ReadonlyMap<string, Policy>;
}

/** What the main process knows of a node beside its reports. */
export interface NodeStateRow {
  readonly pool: string;
  readonly node: string;
  readonly adminState: AdminState;
  readonly isShedding: boolean;
  /** Result of the active check; '' when it passes. */
  readonly checkFailure: string;
  /** How long it stays ejected; 0 when it is not. */
  readonly ejectedForMs: number;
}

/** What everybody else has on one node: other workers, other balancers, processes that were replaced. */
export type OthersRow = readonly [node: string, connections: number, messagesPerSecond: number];

/** What everybody else does in one pool. A message may hold some of the nodes only. */
export interface OthersInPool {
  readonly pool: string;
  /** Into how many parts the pool's limits in time are divided, 1 or more. */
  readonly parts: number;
  /** Placements per second of the others. */
  readonly arrivalsPerSecond: number;
  /** Connections and exchanges of the other workers of this balancer. */
  readonly siblingConnections: number;
  readonly nodes: readonly OthersRow[];
}

/** One wish to say goodbye. `call` comes back with each outcome. */
export interface ShedOrder {
  readonly call: number;
  readonly pool: string;
  readonly ids: Float64Array;
  /** `byMs` is the time left, since clocks of two processes differ. */
  readonly goodbye: Goodbye;
}

/** What came of one goodbye. `kind` is '' for a connection that was not there. */
export interface SettledRow {
  readonly call: number;
  readonly id: number;
  readonly node: string;
  readonly kind: ConnectionKind | '';
  readonly outcome: GoodbyeOutcome;
}

type Affinities = CarriedElsewhere['affinities'];
type Facts = Readonly<Record<string, unknown>>;

/** From the main process to a worker. */
export type ToWorker =
  | {
      readonly type: 'begin';
      readonly settings: WorkerSettings;
      /** How many there are, this one included. */
      readonly workers: number;
      /** Sections of saved state by name, as of now. */
      readonly sections: Readonly<Record<string, unknown>>;
      readonly nodes: readonly NodeStateRow[];
      readonly others: readonly OthersInPool[];
      /** What the other workers have at each listener. */
      readonly clients: readonly ListenerClients[];
      readonly reports: readonly PeerReport[];
    }
  | { readonly type: 'configure'; readonly settings: WorkerSettings }
  | { readonly type: 'reports'; readonly reports: readonly PeerReport[] }
  /** `isWhole`: nobody else has anything on nodes left out. */
  | { readonly type: 'others'; readonly isWhole: boolean; readonly others: readonly OthersInPool[] }
  | { readonly type: 'nodes'; readonly nodes: readonly NodeStateRow[] }
  /** Listeners left out are as told before. */
  | { readonly type: 'clients'; readonly listeners: readonly ListenerClients[] }
  | { readonly type: 'shed'; readonly orders: readonly ShedOrder[] }
  /** Connections of the pool are wanted oftener, for a while. */
  | { readonly type: 'watch'; readonly pool: string }
  /** Accept nothing more. */
  | { readonly type: 'retire' }
  /** Accept nothing more, ask everybody to leave within so long, then end. */
  | { readonly type: 'stop'; readonly graceMs: number };

/** What a worker has on one node: totals since its process began, all 0 or more. */
export type CarriedRow = readonly [
  node: string,
  open: number,
  dialling: number,
  messagesPerSecond: number,
  openedTotal: number,
  placedTotal: number,
  failedTotal: number,
  messagesToNodeTotal: number,
  messagesToClientTotal: number,
  bytesToNodeTotal: number,
  bytesToClientTotal: number,
];

/** What a worker does in one pool. A message may hold some of the nodes only. */
export interface CarriedInPool {
  readonly pool: string;
  /** Placements since the last message. */
  readonly arrivals: number;
  /** As the worker itself has it, per second. */
  readonly arrivalsPerSecond: number;
  /** Of an average connection. */
  readonly meanMessagesPerSecond: number;
  readonly nodes: readonly CarriedRow[];
  readonly admission: AdmissionFigures;
  /** How often affinity was kept, and why not, since the worker began. */
  readonly affinities: Affinities;
}

/** Some of the open connections of one pool, in columns as `OpenConnections` has them. */
export interface ConnectionRows {
  readonly pool: string;
  /** Belongs to this look; another number for each. */
  readonly look: number;
  /** The last part of this look: what no part named has gone. */
  readonly isLast: boolean;
  readonly id: Float64Array;
  /** Index into `nodes`. */
  readonly node: Uint16Array;
  readonly nodes: readonly string[];
  /** Index into `connectionKinds`. */
  readonly kind: Uint8Array;
  readonly ageMs: Float64Array;
  readonly messagesPerSecond: Float32Array;
  readonly bytesPerSecond: Float32Array;
  readonly isLeaving: Uint8Array;
  readonly inCooldown: Uint8Array;
}

/** Kinds by the number that stands for them in a column. */
export const connectionKinds = [
  'websocket',
  'sse',
  'longPoll',
  'http',
  'tcp',
] as const satisfies readonly ConnectionKind[];

/** What the process itself costs. */
export interface WorkerUse {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** 99th percentile of how late its event loop was in the last second, ms. */
  readonly lagMs: number;
}

/** From a worker to the main process. */
export type FromWorker =
  /** The process runs and waits for `begin`. */
  | { readonly type: 'ready' }
  /** Every listener accepts. */
  | { readonly type: 'serving'; readonly relayForms: RelayForms }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly reason: string }
  | {
      readonly type: 'carried';
      /** Nodes left out have nothing. */
      readonly isWhole: boolean;
      /** Everything under way, heads and dials included. */
      readonly openCount: number;
      readonly pools: readonly CarriedInPool[];
    }
  /** Listeners left out are as said before. */
  | { readonly type: 'clients'; readonly listeners: readonly OwnListenerClients[] }
  | {
      readonly type: 'figures';
      readonly counted: readonly CountedSeries[];
      readonly use: WorkerUse;
      /** Bytes that wait for slow clients, an upper bound. */
      readonly waitingBytes: number;
    }
  | ({ readonly type: 'connections' } & ConnectionRows)
  | { readonly type: 'settled'; readonly outcomes: readonly SettledRow[] }
  | { readonly type: 'ejected'; readonly pool: string; readonly node: string; readonly forMs: number }
  /** Something that concerns all, for the log and the events. */
  | {
      readonly type: 'notice';
      readonly level: 'info' | 'warn';
      readonly event: string;
      readonly facts: Facts;
    }
  | { readonly type: 'stopped'; readonly report: StopReport };
