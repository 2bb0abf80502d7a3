// What an agent tells of itself.
import type { AdminState } from './event.ts';
import type { LeftOut } from './measurements.ts';
import type { Traffic } from './observers/traffic.ts';
import type { BalancerStatus } from './reporter.ts';

/** What an agent knows of itself. */
export interface AgentStatus {
  /** `idle` before `start`. */
  readonly state: 'idle' | 'running' | 'stopped';
  readonly node: string;
  readonly pool: string;
  /** Epoch milliseconds of the last report that any balancer took, undefined before the first. */
  readonly lastReportAtMs: number | undefined;
  /** The last values measured, by policy signal name; empty before the first sample. */
  readonly signals: Readonly<Record<string, number>>;
  /** Worst event-loop delay of the last interval, milliseconds; 0 before the first sample. */
  readonly eventLoopLagMaxMs: number;
  readonly traffic: Readonly<Traffic>;
  readonly adminState: AdminState | undefined;
  readonly balancers: readonly BalancerStatus[];
  /** Signals that could not be measured, with how often and why the last time. */
  readonly leftOut: Readonly<Record<string, LeftOut>>;
  /** Undefined without the option `agentCheck`. */
  readonly agentCheck: AgentCheckStatus | undefined;
}

/** The port for HAProxy's agent-check. */
export interface AgentCheckStatus {
  /** `closed` before `start` and after `stop`; `failing`: in use or not allowed, and tried again every second. */
  readonly state: 'opening' | 'listening' | 'failing' | 'closed';
  /** `host:port` while it is open. */
  readonly address: string | undefined;
  /** What a check is answered now, with its line feed. */
  readonly line: string;
}
