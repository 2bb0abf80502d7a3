// Reads reports, and refuses everything that placement could not use.
// By hand, not by zod: a full report (32 custom signals) takes zod 4.6 17 µs and this 8 µs, and zod would
// add 0.1 s to the start of every process that loads the agent.
import { HeraldError } from '../core/error.ts';
import type { SignalValues } from '../core/signal.ts';
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
import { reportVersion, type Report, type ReportedNode } from './report.ts';

/** More problems than these are counted, not listed: a hostile body could name thousands. */
const maxListedProblems = 64;

const maxCapabilities = 16;
const capabilityPattern = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

const topKeys = new Set(
  'version pool node epoch seq ageMs intervalMs connections signals leaving capabilities'.split(' '),
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
    ...(row['capabilities'] !== undefined && {
      capabilities: readCapabilities(row['capabilities'], refuse),
    }),
  };
}

function readCapabilities(value: unknown, refuse: Refuse): readonly string[] {
  const isList = Array.isArray(value) && value.length <= maxCapabilities;
  if (isList && value.every((each) => typeof each === 'string' && capabilityPattern.test(each)))
    return Object.freeze([...value]);
  const message = `must be a list of at most ${maxCapabilities} short names, is ${shown(value)}`;
  refuse({ path: 'capabilities', message, hint: "['shed'], or leave it out" });
  return [];
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
