// Checks of single values that come from outside, shared by the report's decoder and the agent's options.
// What a report consists of is in report.ts.
import { nearest } from '../core/nearest.ts';
import type { Address } from '../policy/address.ts';

/** One thing wrong with an input. */
export interface Problem {
  /** Where, as a JSON path such as `signals.custom.queueDelayMs`; '' is the whole input. */
  readonly path: string;
  /** What is wrong, with the value. ASCII only, so it is safe in a terminal and in a log. */
  readonly message: string;
  /** How to mend it. */
  readonly hint: string;
}

/** Takes note of a problem; checking goes on, so that all of them are told at once. */
export type Refuse = (problem: Problem) => void;

/** What a text must look like. */
export interface TextField {
  readonly path: string;
  readonly pattern: RegExp;
  /** Ends the sentence "must be …". */
  readonly expects: string;
  readonly hint: string;
}

/** What a number must be: finite, within both bounds. */
export interface NumberField {
  readonly path: string;
  /** Smallest value allowed, or with `aboveMin` the largest value not allowed. */
  readonly min: number;
  readonly max: number;
  readonly aboveMin?: true;
  readonly whole?: true;
  readonly hint: string;
}

/** Ids of nodes, pools and epochs. */
export const idPattern = /^[A-Za-z0-9._:-]{1,64}$/;

/** 1 to 64 characters; no controls, no invisible or direction-changing ones, since people read it in terminals. */
export const labelPattern = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,64}$/u;

const hostPortPattern =
  /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9][A-Za-z0-9._-]{0,252})):([1-9][0-9]{0,4})$/;

const maxShownCharacters = 40;

/** True for a JSON object; arrays and null are not. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value in a few ASCII characters, for a message. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'string') return String(value);
  const cut = value.length > maxShownCharacters ? `${value.slice(0, maxShownCharacters)}...` : value;
  return `"${cut.replaceAll(/[^\x20-\x7e]/g, '?')}"`;
}

/** The text, or '' after refusing it. */
export function readText(value: unknown, field: TextField, refuse: Refuse): string {
  if (typeof value === 'string' && field.pattern.test(value)) return value;
  refuse({
    path: field.path,
    message: `must be ${field.expects}, is ${shown(value)}`,
    hint: field.hint,
  });
  return '';
}

/** The number, or 0 after refusing it. */
export function readNumber(value: unknown, field: NumberField, refuse: Refuse): number {
  if (isWithin(value, field)) return value;
  const kind = field.whole === true ? 'a whole number' : 'a number';
  const range = `${field.aboveMin === true ? 'above' : 'from'} ${field.min} to ${field.max}`;
  refuse({
    path: field.path,
    message: `must be ${kind} ${range}, is ${shown(value)}`,
    hint: typeof value === 'string' ? 'send a number, not a string' : field.hint,
  });
  return 0;
}

/** True for a finite number within the field's bounds. */
export function isWithin(value: unknown, field: NumberField): value is number {
  if (typeof value !== 'number' || !(value >= field.min) || value > field.max) return false;
  if (field.aboveMin === true && value === field.min) return false;
  return field.whole !== true || Number.isSafeInteger(value);
}

/** `host:port` as written, or '' after refusing it. IPv6 literals need brackets; the port is 1..65535. */
export function readAddress(value: unknown, path: string, refuse: Refuse): string {
  if (typeof value === 'string' && portOf(value) <= 65_535) return value;
  refuse({
    path,
    message: `must be host:port with a port from 1 to 65535, is ${shown(value)}`,
    hint: 'write 10.0.0.1:8081, name:8081 or [::1]:8081',
  });
  return '';
}

/** The parts of a `host:port`, the host without brackets; undefined when it is not one. Ports may be too high. */
export function splitAddress(address: string): Address | undefined {
  const [, literal, name, port] = hostPortPattern.exec(address) ?? [];
  const host = literal ?? name;
  return host === undefined ? undefined : { host, port: Number(port) };
}

/** The port of a `host:port`; infinite when it is not one. */
export function portOf(address: string): number {
  return splitAddress(address)?.port ?? Number.POSITIVE_INFINITY;
}

/** Refuses every key that is not known; `path` is the object's own, '' for the outermost. */
export function refuseUnknownKeys(
  row: Readonly<Record<string, unknown>>,
  known: { readonly path: string; readonly keys: ReadonlySet<string> },
  refuse: Refuse,
): void {
  for (const key of Object.keys(row)) {
    if (known.keys.has(key)) continue;
    const near = nearest(key, known.keys);
    const hint = near === undefined ? `known keys: ${[...known.keys].join(', ')}` : `write ${near}`;
    const where = known.path === '' ? '' : `${known.path}.`;
    refuse({ path: `${where}${plainKey(key)}`, message: `unknown key ${shown(key)}`, hint });
  }
}

/** A key as part of a path: what is not plain ASCII becomes `?`, and it is cut to 64 characters. */
export function plainKey(key: string): string {
  return key.slice(0, 64).replaceAll(/[^\x21-\x7e]/g, '?');
}
