// What createAgent takes, and what becomes of it. The check is in read-options.ts.
import type { ReportedNode } from '../protocol/report.ts';
import type { AdminState, AgentEvent } from './event.ts';

/** Measures a custom signal: a finite number of 0 or more, told at once. */
export type CustomSignal = () => number;

/** Connections that are to go elsewhere. */
export interface ShedWish {
  /** 1 or more. */
  readonly count: number;
  /** Milliseconds from now, above 0. */
  readonly deadlineMs: number;
}

/** How the agent answers HAProxy's agent-check. */
export interface AgentCheckOptions {
  /** 0..65,535; 0 takes any free one, which the event `agentCheckOpen` tells. 5555 is usual. */
  readonly port: number;
  /** The IP address to listen at. Default: `127.0.0.1`. Whoever reaches it reads the load. */
  readonly host?: string | undefined;
  /**
   * The value at which the node is full, above 0, by signal: builtin ones or those of `signals`.
   * Default: `{ cpu: 0.8, eventLoopUtilization: 0.85 }`.
   */
  readonly saturation?: Readonly<Record<string, number>> | undefined;
}

/** Options of `createAgent`. */
export interface AgentOptions {
  /** Intake URLs of the balancers, such as `http://127.0.0.1:9401`; each gets every report. 1 to 16, or none with `agentCheck`. */
  readonly balancers: readonly string[];
  /** The pool that this node belongs to. */
  readonly pool: string;
  /** `[A-Za-z0-9._:-]{1,64}`. Default: `HERALD_NODE_ID`, else host name and port. */
  readonly id?: string | undefined;
  /** `host:port` where balancers reach this node. Default: the reports' source address with `port`. */
  readonly address?: string | undefined;
  /** Port where this node takes clients, 1..65535, for nodes that do not know their address. */
  readonly port?: number | undefined;
  /** Size relative to the other nodes, above 0 and at most 1,000. Default: learned. */
  readonly capacity?: number | undefined;
  /** 1 to 64 printable characters. */
  readonly zone?: string | undefined;
  /** Version of the application, for people. 1 to 64 printable characters. */
  readonly version?: string | undefined;
  /** Sent as `Authorization: Bearer …`. */
  readonly token?: string | undefined;
  /** Time from report to report, 50..60,000. Default: 1,000. */
  readonly intervalMs?: number | undefined;
  /** Custom signals by name, `[A-Za-z][A-Za-z0-9_]{0,63}`, at most 32. Asked once per interval. */
  readonly signals?: Readonly<Record<string, CustomSignal>> | undefined;
  /** Lets an HAProxy ask this agent. Default: no port is opened. */
  readonly agentCheck?: AgentCheckOptions | undefined;
  /** Called when something changes that somebody may want in a log. */
  readonly onEvent?: ((event: AgentEvent) => void) | undefined;
  /**
   * Called when a balancer wants connections to go elsewhere: say goodbye to `count` of them in the application's own
   * words, any of them, within `deadlineMs`. What has not gone by then the balancer closes itself. Absent: it always
   * does. What it throws or rejects with is ignored.
   */
  readonly onShed?: ((wish: ShedWish) => void | Promise<void>) | undefined;
  /** Called when the operator's wish for this node changes, and with the first one. */
  readonly onAdminState?: ((adminState: AdminState) => void) | undefined;
}

/** Checked options with the defaults filled in. */
export interface AgentSettings {
  readonly balancers: readonly URL[];
  readonly pool: string;
  readonly node: ReportedNode;
  readonly token: string | undefined;
  readonly intervalMs: number;
  readonly signals: readonly (readonly [name: string, measure: CustomSignal])[];
  readonly agentCheck: AgentCheckSettings | undefined;
}

/** Checked options of the agent-check with the defaults filled in. */
export type AgentCheckSettings = {
  readonly [Key in keyof AgentCheckOptions]-?: NonNullable<AgentCheckOptions[Key]>;
};
