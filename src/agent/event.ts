// What an agent tells its application.
import type { ReportAnswer } from '../protocol/report.ts';

/** The operator's wish for a node. */
export type AdminState = ReportAnswer['directives']['adminState'];

/** Why a report was not taken, or a port not opened. */
export interface ReportFailure {
  /** `HERALD_…` as the balancer says, `HTTP_503`, `TIMEOUT`, `ANSWER_INVALID`, or a system code: `ECONNREFUSED`. */
  readonly code: string;
  readonly message: string;
}

/** One change of state; told once, not once per report. */
export type AgentEvent =
  /** A balancer takes reports: the first time, and after failures. */
  | { readonly type: 'reporting'; readonly balancer: string }
  /** A balancer does not take reports: the first time, and when the reason changes. The agent keeps trying. */
  | { readonly type: 'failing'; readonly balancer: string; readonly failure: ReportFailure }
  /** A signal could not be measured: the first time, and when the reason changes. Reports go on without it. */
  | { readonly type: 'signalLeftOut'; readonly signal: string; readonly reason: string }
  /** The operator's wish for this node. */
  | { readonly type: 'adminState'; readonly adminState: AdminState }
  /** HAProxy can ask at this `host:port`: the first time, and after failures. */
  | { readonly type: 'agentCheckOpen'; readonly address: string }
  /** The port for HAProxy is not to be had (`HERALD_LISTEN_FAILED`): the first time, and when the reason changes. */
  | { readonly type: 'agentCheckFailing'; readonly failure: ReportFailure };

/** Calls what the application handed in. What it throws is its own affair and must not stop the reports. */
export function callSafely<Value>(callback: ((value: Value) => unknown) | undefined, value: Value): void {
  try {
    swallowRejection(callback?.(value));
  } catch {
    // Nobody to tell: telling it would call the same code again.
  }
}

/** Keeps an async function that was handed in for a plain one from ending the process when it fails. */
export function swallowRejection(value: unknown): void {
  if (value instanceof Promise) void value.catch(() => {});
}
