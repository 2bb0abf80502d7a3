// A frozen view of a pool at one instant. Only the counters inside it move.
import type { NodeLoad } from './load.ts';
import type { NodeCounters } from './node-counters.ts';
import type { Restored } from './restored.ts';

/** What the operator wants of a node. */
export type AdminState = 'ready' | 'drain' | 'maint';

/** What we see of a node. */
export type Health = 'up' | 'down';

/** What a node says of itself, or the configuration of it. */
export interface NodeIdentity {
  readonly id: string;
  /** Host name or IP literal, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Declared size relative to the other nodes, above 0; undefined: learned. */
  readonly capacity: number | undefined;
  /** '' when nobody has told it; the same for the version. */
  readonly zone: string;
  /** Of the application, for people. */
  readonly version: string;
  /** Connections it may hold; Infinity when not limited. */
  readonly maxConnections: number;
}

/** One node as placement sees it. */
export interface NodeView extends NodeIdentity {
  readonly adminState: AdminState;
  readonly health: Health;
  /** Why it is down, for people; '' when it is up. */
  readonly healthReason: string;
  /** A rebalance takes load off it: it takes nothing while others can. */
  readonly isShedding: boolean;
  /** When it joined; -Infinity for nodes that were there when the balancer started, which need no slow start. */
  readonly joinedAtMs: number;
  /** Undefined before the first report. */
  readonly load: NodeLoad | undefined;
  /** What it had taught before the balancer restarted; of use until its first report, which takes it over. */
  readonly restored?: Restored | undefined;
  readonly counters: NodeCounters;
}

/** What the data plane in front of the pool can see. */
export interface Visibility {
  readonly countsMessages: boolean;
  readonly countsConnections: boolean;
}

/** Who waits for a place in a pool, and why. */
export interface AdmissionView {
  readonly waiting: number;
  /** How long the oldest has waited, ms; 0 when nobody waits. */
  readonly oldestMs: number;
  /** They wait because no node has room below `admit.fillTo`. */
  readonly isHeld: boolean;
  /** There has been no room for so long that clients are let in above it. */
  readonly isOverfilled: boolean;
}

/** A pool at one instant. */
export interface PoolSnapshot {
  readonly pool: string;
  readonly atMs: number;
  /** In order of registration; empty for a pool without nodes. */
  readonly nodes: readonly NodeView[];
  readonly visibility: Visibility;
  /** Absent where nobody is kept waiting, as in the simulator. */
  readonly admission?: AdmissionView;
  /** Placements per second lately, 0 or more. */
  readonly arrivalsPerSecond: number;
  /** Messages per second of a connection of this pool on average: what a fresh one is taken to bring. */
  readonly messagesPerSecondPerConnection: number;
}

/** Connections on a node relative to its size. */
export function connectionsPerCapacity(node: NodeView): number {
  return node.counters.connections / (node.capacity ?? 1);
}
