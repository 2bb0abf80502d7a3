// Checks between keys of a policy. Each runs when the keys of its section are sound by themselves.
import type { z } from 'zod';
import { nearest } from '../core/nearest.ts';
import { builtinSignals, isBuiltinSignal, type SignalKind } from '../core/signal.ts';
import { maxReasonWordBytes, reasonWordsProblem } from '../protocol/goodbye-reason.ts';
import { customNameProblem, maxCustomSignals } from '../protocol/report-fields.ts';
import { showValue, units, type Complaint, type Reading } from './quantity.ts';

type Check<T> = z.core.CheckFn<T>;

interface AnySignal {
  readonly saturation: number | 'auto';
  readonly kind?: SignalKind | undefined;
}

/** The kind that a signal has: its own where it is built in, `distress` where a custom one does not say. */
export function kindOfSignal(name: string, signal: AnySignal): SignalKind {
  return isBuiltinSignal(name) ? builtinSignals[name].kind : (signal.kind ?? 'distress');
}

/** A close code that may go over the wire: RFC 6455 section 7.4 reserves 1004 to 1006, 1015 and all below 1000. */
export function readCloseCode(value: unknown): Reading<number> {
  const isCode = typeof value === 'number' && Number.isInteger(value);
  const isRegistered = isCode && value >= 1000 && value <= 1014 && !(value >= 1004 && value <= 1006);
  if (isCode && (isRegistered || (value >= 3000 && value <= 4999))) return { value };
  return {
    message: `${showValue(value)} is not a close code that may be sent`,
    hint: '1012 restarts, 1001 goes away, 3000 to 4999 are yours',
  };
}

/** Words of a close reason: they leave room for the hint that follows them. May be empty. */
export function readCloseReason(value: unknown): Reading<string> {
  if (typeof value !== 'string')
    return { message: `${showValue(value)} is no text`, hint: 'such as reconnect' };
  const message = reasonWordsProblem(value);
  return message === '' ? { value } : { message, hint: `at most ${maxReasonWordBytes} bytes on one line` };
}

/** Not too many custom signals, something additive to fill, and another additive signal for `auto`. */
export const checkSignals: Check<Record<string, AnySignal | undefined>> = (context) => {
  const add = (path: string[], message: string, hint: string): void => {
    context.issues.push({ code: 'custom', input: context.value, path, message, params: { hint } });
  };
  const present = Object.entries(context.value).flatMap(([key, signal]) =>
    signal === undefined ? [] : [{ key, signal }],
  );
  const custom = present.filter(({ key }) => !isBuiltinSignal(key));
  if (custom.length > maxCustomSignals)
    add([], `${custom.length} custom signals`, `at most ${maxCustomSignals}`);
  const additive = present.filter(({ key, signal }) => kindOfSignal(key, signal) === 'additive');
  if (additive.length === 0) {
    add(
      [],
      'no signal is additive, so nothing says how full a node is',
      'add cpu, or kind: additive to a custom signal',
    );
  } else if (additive.length === 1 && additive[0]?.signal.saturation === 'auto') {
    add(
      [additive[0].key, 'saturation'],
      'auto is learned from another additive signal',
      'add cpu, or write a rate such as 7000/s',
    );
  }
};

/**
 * What is wrong with the name of a custom signal; undefined when nothing is. A custom signal may have a name
 * close to a built-in one, but then it says its kind: a slip has none.
 */
export function complainAboutSignalName(name: string, statesKind: boolean): Complaint | undefined {
  const reported = Object.entries(builtinSignals).find(([, { reportKey }]) => reportKey === name);
  const near = reported?.[0] ?? nearest(name, Object.keys(builtinSignals));
  if (near !== undefined && !statesKind) {
    return {
      message: 'unknown signal',
      hint: `did you mean ${near}? A custom signal of this name states its kind`,
    };
  }
  // What no report can carry would be a signal that never comes.
  const problem = customNameProblem(name);
  if (problem === undefined) return undefined;
  return { message: 'is not a name of a custom signal', hint: `it ${problem}` };
}

/** Data must not expire before the next report can have come. */
export const checkReports: Check<{ interval: number; expiry: number }> = (context) => {
  const { interval, expiry } = context.value;
  if (expiry > interval) return;
  const hint = `more than interval, ${units.duration.write(interval)}`;
  const message = 'data would expire before the next report';
  context.issues.push({ code: 'custom', input: context.value, path: ['expiry'], message, params: { hint } });
};

/** Ejecting on errors without being allowed to eject anything is a contradiction. */
export const checkPassive: Check<{ errors: number; maxEjected: number }> = (context) => {
  const { errors, maxEjected } = context.value;
  if (errors === 0 || maxEjected > 0) return;
  const params = { hint: 'write errors: 0 to eject nothing' };
  context.issues.push({
    code: 'custom',
    input: context.value,
    path: ['maxEjected'],
    message: 'nothing may be ejected',
    params,
  });
};
