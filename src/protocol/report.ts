// The report: what an agent tells a balancer. Its decoder refuses everything that placement could not use.
// By hand, not by zod: a full report (32 custom signals) takes zod 4.6 17 µs and this 8 µs, and zod would
// add 0.1 s to the start of every process that loads the agent.
import { HeraldError } from '../core/error.ts';
import { builtinSignals, isBuiltinSignal, type SignalValues } from '../core/signal.ts';
import {
  isRecord,
  isWithin,
  plainKey,
  type Problem,
  readAddress,
  readNumber,
  readText,
  type Refuse,
  refuseUnknownKeys,
  shown,
} from './field-checks.ts';
import {
  customNameProblem,
  maxCustomSignals,
  refuseTwoPorts,
  reportedBuiltins,
  reportFields,
  signalKeys,
} from './report-fields.ts';

/** The body limit of `POST /v1/reports`. A full report with 32 custom signals is under 3 KiB. */
export const maxReportBytes = 16 * 1024;

/** The wire's version; a report with another one is refused. */
const reportVersion = 1;

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
}

/** What the balancer answers, so that there is no second channel. */
export interface ReportAnswer {
  readonly directives: {
    /** The operator's wish for this node. */
    readonly adminState: 'ready' | 'drain' | 'maint';
  };
}

/** More problems than these are counted, not listed: a hostile body could name thousands. */
const maxListedProblems = 64;

const topKeys = new Set(
  'version pool node epoch seq ageMs intervalMs connections signals leaving'.split(' '),
);
const nodeKeys = new Set('id address port capacity zone version'.split(' '));

/**
 * Checks and types the parsed JSON of a report.
 * Throws HERALD_REPORT_INVALID with every problem in `details.problems` and in the message.
 */
export function decodeReport(body: unknown): Report {
  const problems: Problem[] = [];
  const refuse: Refuse = (problem) => problems.push(problem);
  const row = readRecord(body, 'report', refuse);
  // Of what is no object at all, nothing more is said than that.
  if (problems.length > 0) throw refusal(problems);
  const report = readReport(row, refuse);
  if (problems.length === 0) return report;
  throw refusal(problems);
}

function refusal(problems: readonly Problem[]): HeraldError {
  const listed = problems.slice(0, maxListedProblems);
  const more = problems.length > listed.length ? `; and ${problems.length - listed.length} more` : '';
  const lines = listed.map(({ path, message, hint }) => `${path}: ${message} (${hint})`);
  return new HeraldError('HERALD_REPORT_INVALID', `report refused: ${lines.join('; ')}${more}`, {
    problems: listed,
  });
}

/** The JSON value that `decodeReport` reads back as the same report. Expects a valid report; checks nothing. */
export function encodeReport(report: Report): Readonly<Record<string, unknown>> {
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

function readReport(row: Readonly<Record<string, unknown>>, refuse: Refuse): Report {
  if (row['version'] !== reportVersion) {
    refuse({
      path: 'version',
      message: `must be ${reportVersion}, is ${shown(row['version'])}`,
      hint: `this balancer reads version ${reportVersion}`,
    });
  }
  refuseUnknownKeys(row, { path: '', keys: topKeys }, refuse);
  const leaving = row['leaving'] ?? false;
  if (typeof leaving !== 'boolean') {
    refuse({
      path: 'leaving',
      message: `must be true or false, is ${shown(leaving)}`,
      hint: 'or leave it out',
    });
  }
  return {
    pool: readText(row['pool'], reportFields.pool, refuse),
    node: readNode(readRecord(row['node'], 'node', refuse), refuse),
    epoch: readText(row['epoch'], reportFields.epoch, refuse),
    seq: readNumber(row['seq'], reportFields.seq, refuse),
    ageMs: readNumber(row['ageMs'], reportFields.ageMs, refuse),
    intervalMs: readNumber(row['intervalMs'], reportFields.intervalMs, refuse),
    connections: readNumber(row['connections'], reportFields.connections, refuse),
    signals: readSignals(readRecord(row['signals'], 'signals', refuse), refuse),
    leaving: leaving === true,
  };
}

function readNode(row: Readonly<Record<string, unknown>>, refuse: Refuse): ReportedNode {
  refuseUnknownKeys(row, { path: 'node', keys: nodeKeys }, refuse);
  const { address, port, capacity, zone, version } = row;
  const node = {
    id: readText(row['id'], reportFields.id, refuse),
    ...(address === undefined ? {} : { address: readAddress(address, 'node.address', refuse) }),
    ...(port === undefined ? {} : { port: readNumber(port, reportFields.port, refuse) }),
    ...(capacity === undefined ? {} : { capacity: readNumber(capacity, reportFields.capacity, refuse) }),
    ...(zone === undefined ? {} : { zone: readText(zone, reportFields.zone, refuse) }),
    ...(version === undefined ? {} : { version: readText(version, reportFields.version, refuse) }),
  };
  refuseTwoPorts(node, 'node.port', refuse);
  return node;
}

function readSignals(row: Readonly<Record<string, unknown>>, refuse: Refuse): SignalValues {
  refuseUnknownKeys(row, { path: 'signals', keys: signalKeys }, refuse);
  // Without a prototype, so that looking up a name of anybody's choice finds measured values only.
  const signals: Record<string, number> = Object.create(null);
  for (const { name, field, reportKey } of reportedBuiltins) {
    const value = row[reportKey];
    if (value !== undefined) signals[name] = readNumber(value, field, refuse);
  }
  if (row['custom'] !== undefined)
    addCustom(readRecord(row['custom'], 'signals.custom', refuse), signals, refuse);
  return Object.freeze(signals);
}

function addCustom(
  row: Readonly<Record<string, unknown>>,
  signals: Record<string, number>,
  refuse: Refuse,
): void {
  const names = Object.keys(row);
  if (names.length > maxCustomSignals) {
    const message = `must hold at most ${maxCustomSignals} signals, holds ${names.length}`;
    refuse({ path: 'signals.custom', message, hint: 'report only what the policy names' });
  }
  for (const name of names) {
    const problem = customNameProblem(name);
    const value = row[name];
    if (problem === undefined && isWithin(value, reportFields.signal)) {
      signals[name] = value;
      continue;
    }
    const path = `signals.custom.${plainKey(name)}`;
    if (problem === undefined) readNumber(value, { ...reportFields.signal, path }, refuse);
    else refuse({ path, message: `${shown(name)} ${problem}`, hint: 'give the signal another name' });
  }
}

/** The object, or an empty one after refusing it. */
function readRecord(value: unknown, path: string, refuse: Refuse): Readonly<Record<string, unknown>> {
  if (isRecord(value)) return value;
  refuse({ path, message: `must be an object, is ${shown(value)}`, hint: 'see docs/reference/report.md' });
  return {};
}

/** Reads the JSON of an answer, undefined when it is not one. Unknown keys are allowed: balancers may be newer. */
export function decodeReportAnswer(body: unknown): ReportAnswer | undefined {
  if (!isRecord(body) || !isRecord(body['directives'])) return undefined;
  const adminState = body['directives']['adminState'];
  if (adminState !== 'ready' && adminState !== 'drain' && adminState !== 'maint') return undefined;
  return { directives: { adminState } };
}
