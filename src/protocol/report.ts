// The report: what an agent tells a balancer. Its decoder refuses everything that placement could not use.
import type { SignalValues } from '../core/signal.ts';

/** The body limit of `POST /v1/reports`. A full report with 32 custom signals is under 3 KiB. */
export const maxReportBytes = 16 * 1024;

/** The wire's version; a report with another one is refused. */
export const reportVersion = 1;

/** Who reports. */
export interface ReportedNode {
  /** `[A-Za-z0-9._:-]{1,64}`, unique within the balancer. */
  readonly id: string;
  /** `host:port` where the node takes clients. Absent: the report's source address with `port`. */
  readonly address?: string;
  /** Port where the node takes clients, for agents that do not know their own address. */
  readonly port?: number;
  /** Size relative to the other nodes, above 0; absent: learned. */
  readonly capacity?: number;
  readonly zone?: string;
  /** Version of the application, for people. */
  readonly version?: string;
}

/** One report as it came over the wire, checked. */
export interface Report {
  readonly pool: string;
  readonly node: ReportedNode;
  /** Changes whenever the agent restarts; `seq` counts within it. */
  readonly epoch: string;
  /** 0 or more, rising within one epoch. */
  readonly seq: number;
  /** How old the sample was when it was sent, 0..60,000. Wires carry ages, never clocks. */
  readonly ageMs: number;
  /** The span that the sample's rates and CPU cover, 50..60,000. */
  readonly intervalMs: number;
  /** Open client connections that the node sees, 0 or more. */
  readonly connections: number;
  /** Values by policy signal name (`eventLoopLag`, not `eventLoopLagMs`); signals not measured are absent. */
  readonly signals: SignalValues;
  /** True in the last report of an agent that goes away: place nothing more and forget the node. */
  readonly leaving: boolean;
}

/** What the balancer answers, so that there is no second channel. */
export interface ReportAnswer {
  readonly directives: {
    /** The operator's wish for this node. */
    readonly adminState: 'ready' | 'drain' | 'maint';
  };
}
