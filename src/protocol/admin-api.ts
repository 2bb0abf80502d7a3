// The JSON of the admin API, shared by the balancer that writes it and the CLI that reads it. Types only.
// A number that is not known is null: NaN and Infinity do not exist in JSON.
import type { Basis, LoadState } from '../core/basis.ts';
import type { IneligibleReason } from '../core/eligibility.ts';
import type { PickerName } from '../core/pick/picker-name.ts';
import type { Evidence } from '../core/score.ts';
import type { AdminState, Health } from '../core/snapshot.ts';
import type { NodeLearning, PoolLearning } from './learned.ts';

/** How many nodes of a pool are in which state; they sum to `total`. */
export interface NodeCounts {
  readonly total: number;
  readonly eligible: number;
  readonly drain: number;
  readonly maint: number;
  readonly down: number;
  readonly full: number;
  /** Takes nothing while a rebalance takes load off it. */
  readonly shedding: number;
}

/** A pool at one instant: `GET /v1/pools/{pool}`. */
export interface PoolSummary {
  readonly pool: string;
  readonly policy: string;
  readonly picker: PickerName;
  readonly basis: Basis;
  /** Placing without load data although it was there. */
  readonly panic: boolean;
  readonly nodes: NodeCounts;
  /** `earlier`: relayed by processes that this one has replaced. */
  readonly connections: { readonly open: number; readonly dialling: number; readonly earlier: number };
  readonly arrivalsPerSecond: number;
  /** Mean utilization of the eligible nodes with valid data; null when there are none. */
  readonly meanUtilization: number | null;
  /** Highest ÷ mean utilization of the same nodes, 1 or more; null without data or when all are idle. */
  readonly imbalance: number | null;
  readonly learned: PoolLearning;
}

/** `GET /v1/pools` */
export interface PoolList {
  readonly pools: readonly PoolSummary[];
}

/** One node: `GET /v1/nodes/{id}`. */
export interface NodeDetail {
  readonly id: string;
  readonly pool: string;
  /** `host:port`, IPv6 in brackets. */
  readonly address: string;
  /** '' when none is known; so is `version`. */
  readonly zone: string;
  readonly version: string;
  /** Declared in the configuration, or registered by its reports. */
  readonly origin: 'static' | 'registered';
  readonly adminState: AdminState;
  readonly health: Health;
  /** Why it is down; '' when it is up. */
  readonly healthReason: string;
  /** Why it may not take a connection; null when it may. */
  readonly ineligible: IneligibleReason | null;
  readonly loadState: LoadState;
  readonly evidence: Evidence;
  /** Predicted utilization, what placement compares; lower is better. */
  readonly score: number | null;
  /** Smoothed utilization as reported; null before the first report with an additive signal. */
  readonly utilization: number | null;
  /** The additive signal that is highest; '' when none was reported. */
  readonly bottleneck: string;
  /** Worst distress signal ÷ its saturation, smoothed; null before the first report. */
  readonly distress: number | null;
  /** Newest values by signal name, in the signal's base unit (fraction, ms, messages/s). */
  readonly signals: Readonly<Record<string, number>>;
  /** Part of the next arrivals, 0..1. */
  readonly share: number;
  readonly connections: {
    readonly open: number;
    readonly dialling: number;
    /** Relayed by processes that this one has replaced. */
    readonly earlier: number;
    readonly reported: number | null;
  };
  /** Most connections it may hold; null when not limited. */
  readonly maxConnections: number | null;
  /** What the relay carries now, both ways. */
  readonly messagesPerSecond: number;
  /** Age of the newest sample; null before the first report. */
  readonly reportAgeMs: number | null;
  /** Declared size; null: learned. */
  readonly capacity: number | null;
  /** `learned.messageCost.value`. */
  readonly costPerMessage: number | null;
  /** `learned.connectionSlope.value`. */
  readonly slopePerConnection: number | null;
  readonly learned: NodeLearning;
}

/** `GET /v1/pools/{pool}/nodes` */
export interface NodeList {
  readonly pool: string;
  readonly nodes: readonly NodeDetail[];
}

/** What bounds a node's part of the arrivals. */
export type GuardName = 'maxConnections' | 'maxShare' | 'connectRate' | 'slowStart';

/** One node's part in an explanation. */
export interface NodeExplanation {
  readonly id: string;
  readonly ineligible: IneligibleReason | null;
  readonly loadState: LoadState;
  readonly evidence: Evidence;
  readonly score: number | null;
  /** The part of the score that the reports show, null without reports. */
  readonly reported: number | null;
  /** The rest of it: what has come and gone since, and distress. Null where the score is not the node's own. */
  readonly added: number | null;
  /** What the score is made of, one sentence. */
  readonly scoreReason: string;
  /** What one more connection adds to the score. */
  readonly slope: number | null;
  /** Most of `arrivals` that it may take; null when no guard bounds it. */
  readonly bound: number | null;
  /** The guard that sets `bound`. */
  readonly guard: GuardName | null;
  readonly share: number;
  /** Why the share is what it is, one sentence. */
  readonly shareReason: string;
  readonly learned: NodeLearning;
  /** What was learned of the node and from whom, one sentence. */
  readonly learnedReason: string;
}

/** Why the next connection goes where: `GET /v1/pools/{pool}/explain`. */
export interface PoolExplanation {
  readonly pool: string;
  readonly policy: string;
  readonly picker: PickerName;
  readonly basis: Basis;
  /** Why it is placed by this, one sentence. */
  readonly basisReason: string;
  readonly panic: boolean;
  readonly horizonMs: number;
  readonly arrivalsPerSecond: number;
  /** Connections that the shares were made for. */
  readonly arrivals: number;
  /** Of these, what the guards leave without a place. */
  readonly unplaced: number;
  /** Score that the shares fill the nodes up to; null when no node is eligible. */
  readonly level: number | null;
  /** Where the next connection goes and why, one sentence. */
  readonly summary: string;
  /** What else an operator should know, such as that load does not follow connections here. Often empty. */
  readonly notes: readonly string[];
  readonly learned: PoolLearning;
  /** What was learned of the pool, one sentence. */
  readonly learnedReason: string;
  readonly nodes: readonly NodeExplanation[];
}

/** Body of `PUT /v1/nodes/{id}/admin-state`. */
export interface AdminStateWish {
  readonly adminState: AdminState;
}

/** `GET /healthz` */
export interface HealthAnswer {
  readonly status: 'alive';
}

/** `GET /readyz`: 200 when `ready`, else 503. */
export interface ReadyAnswer {
  readonly ready: boolean;
  /** Why it is not; '' when it is. */
  readonly reason: string;
  /** Pools without any eligible node. */
  readonly poolsWithoutNode: readonly string[];
}

/** A policy as its YAML would write it: `GET /v1/policies/{name}`. Quantities are texts with a unit. */
export type PolicyDocument = Readonly<Record<string, unknown>>;
