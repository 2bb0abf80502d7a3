// The report: what an agent tells a balancer, as values and as JSON. Checking one is in decode-report.ts.
import { builtinSignals, isBuiltinSignal, type SignalValues } from '../core/signal.ts';
import { isRecord } from './field-checks.ts';

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
  /** Size relative to the other nodes, above 0 and at most 1,000; absent: learned. */
  readonly capacity?: number;
  /** 1 to 64 printable characters. */
  readonly zone?: string;
  /** Version of the application, for people; 1 to 64 printable characters. */
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
  /** Open client connections that the node sees, 0..10,000,000. */
  readonly connections: number;
  /** Values by policy signal name (`eventLoopLag`, not `eventLoopLagMs`); signals not measured are absent. */
  readonly signals: SignalValues;
  /** True in the last report of an agent that goes away: place nothing more and forget the node. */
  readonly leaving: boolean;
  /** What the agent can do beyond reporting: `shed`, asking its application to. Absent: nothing. */
  readonly capabilities?: readonly string[];
}

/** What the balancer answers, so that there is no second channel. */
export interface ReportAnswer {
  readonly directives: {
    /** The operator's wish for this node. */
    readonly adminState: 'ready' | 'drain' | 'maint';
    /** Only to agents that say that they can `shed`, and only when there is something to. */
    readonly shed?: ShedDirective;
  };
}

/** So many connections that the application is to say goodbye to, whichever it likes. Each is told once. */
export interface ShedDirective {
  /** 1 or more. */
  readonly count: number;
  /** Milliseconds from now after which the balancer closes what has not gone; above 0. */
  readonly byMs: number;
}

/** The JSON value that `decodeReport` reads back as the same report. Expects a valid report; checks nothing. */
export function encodeReport(report: Report): Readonly<Record<string, unknown>> {
  // Capabilities are left out where there are none: balancers from before this key refuse it.
  const { signals, leaving, ...rest } = report;
  const wire: Record<string, unknown> = {};
  const custom: Record<string, number> = {};
  for (const [name, value] of Object.entries(signals)) {
    if (isBuiltinSignal(name)) wire[builtinSignals[name].reportKey] = value;
    else custom[name] = value;
  }
  if (Object.keys(custom).length > 0) wire['custom'] = custom;
  return { version: reportVersion, ...rest, signals: wire, ...(leaving ? { leaving } : {}) };
}

/** Reads the JSON of an answer, undefined when it is not one. Unknown keys are allowed: balancers may be newer. */
export function decodeReportAnswer(body: unknown): ReportAnswer | undefined {
  if (!isRecord(body) || !isRecord(body['directives'])) return undefined;
  const { adminState, shed } = body['directives'];
  if (adminState !== 'ready' && adminState !== 'drain' && adminState !== 'maint') return undefined;
  const wish = readShed(shed);
  return { directives: wish === undefined ? { adminState } : { adminState, shed: wish } };
}

/** Nonsense is passed over: what an agent does not do, the balancer does itself. */
function readShed(shed: unknown): ShedDirective | undefined {
  if (!isRecord(shed)) return undefined;
  const { count, byMs } = shed;
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1) return undefined;
  return typeof byMs === 'number' && byMs > 0 ? { count, byMs } : undefined;
}
