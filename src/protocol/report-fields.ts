// What each field of a report must be. The decoder and the options of the agent obey the same ranges.
import { builtinSignals, isBuiltinSignal } from '../core/signal.ts';
import {
  idPattern,
  labelPattern,
  type NumberField,
  portOf,
  type Refuse,
  type TextField,
} from './field-checks.ts';

/** At most this many custom signals in one report. */
export const maxCustomSignals = 32;

const idHint = 'use 1 to 64 letters, digits, dots, underscores, colons or hyphens';
const labelHint = 'use 1 to 64 printable characters, or leave the key out';

/** The fields by name; `signal` stands for every value of `signals`. */
export const reportFields = {
  pool: { path: 'pool', pattern: idPattern, expects: 'a pool name', hint: idHint },
  epoch: { path: 'epoch', pattern: idPattern, expects: 'an epoch', hint: idHint },
  id: { path: 'node.id', pattern: idPattern, expects: 'a node id', hint: idHint },
  zone: { path: 'node.zone', pattern: labelPattern, expects: 'a zone name', hint: labelHint },
  version: { path: 'node.version', pattern: labelPattern, expects: 'a version', hint: labelHint },
  port: {
    path: 'node.port',
    min: 1,
    max: 65_535,
    whole: true,
    hint: 'give the port that clients connect to',
  },
  capacity: { path: 'node.capacity', min: 0, aboveMin: true, max: 1000, hint: '1 is an ordinary node' },
  seq: { path: 'seq', min: 0, max: Number.MAX_SAFE_INTEGER, whole: true, hint: 'count up within one epoch' },
  ageMs: {
    path: 'ageMs',
    min: 0,
    max: 60_000,
    hint: 'send an age, not a date; drop samples older than a minute',
  },
  intervalMs: { path: 'intervalMs', min: 50, max: 60_000, hint: 'give the span that the sample covers' },
  // Ten million is beyond what one process has ever held open.
  connections: { path: 'connections', min: 0, max: 1e7, whole: true, hint: 'count open client connections' },
  signal: { path: 'signals', min: 0, max: 1e12, hint: 'leave a signal out when it could not be measured' },
} as const satisfies Record<string, TextField | NumberField>;

/** The builtin signals as a report carries them. */
export const reportedBuiltins = Object.entries(builtinSignals).map(([name, { reportKey }]) => ({
  name,
  field: { ...reportFields.signal, path: `signals.${reportKey}` },
  reportKey,
}));
/** The keys of a report's `signals`. */
export const signalKeys: ReadonlySet<string> = new Set([
  ...reportedBuiltins.map(({ reportKey }) => reportKey),
  'custom',
]);

const customNamePattern = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/** Why a custom signal cannot have this name, undefined when it can. */
export function customNameProblem(name: string): string | undefined {
  if (!customNamePattern.test(name))
    return 'must start with a letter and hold at most 64 letters, digits and _';
  if (isBuiltinSignal(name) || signalKeys.has(name)) return 'is the name of a builtin signal';
  // `constructor` and its kin: somebody's plain object would answer for them.
  if (name in Object.prototype || name === 'prototype') return 'is a reserved word';
  return undefined;
}

/** Refuses an address and a port that name different ports: a connection can go to one of them only. */
export function refuseTwoPorts(
  node: { readonly address?: string; readonly port?: number },
  path: string,
  refuse: Refuse,
): void {
  if (node.address === undefined || node.address === '' || !node.port) return;
  if (portOf(node.address) === node.port) return;
  refuse({
    path,
    message: `must be the port of address, is ${node.port}`,
    hint: 'leave port out when you give address',
  });
}
