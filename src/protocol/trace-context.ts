// W3C Trace Context: whether a request's traceparent and tracestate are sound, and how a new trace begins.
// https://www.w3.org/TR/trace-context/
import type { Rng } from '../core/rng.ts';
import { valuesOf, type HeadFields } from './http-head.ts';
import { randomHex } from './random-hex.ts';

const parent = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/;

/** Whether `value` is a traceparent. Later versions may say more behind the flags, version 00 may not. */
export function isTraceParent(value: string): boolean {
  const [, version, traceId = '', parentId = '', more] = parent.exec(value) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return false;
  return !/^0+$/.test(traceId) && !/^0+$/.test(parentId);
}

// Section 3.3.1: a list of at most 32, each key once; blanks around members and empty members are allowed.
const maxMembers = 32;
const member =
  /^(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** Whether `values`, all tracestate fields of a request, are one sound list; an empty one is. */
export function isTraceState(values: readonly string[]): boolean {
  const members = values
    .join(',')
    .split(',')
    .map((each) => each.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((each) => each !== '');
  const keys = new Set(members.map((each) => each.slice(0, each.indexOf('='))));
  return (
    members.length <= maxMembers && keys.size === members.length && members.every((each) => member.test(each))
  );
}

/** What the fields of a request say of its trace. */
export interface TraceReading {
  /** There is one traceparent, and it is sound. */
  readonly hasParent: boolean;
  /** There is nothing of a trace, or all of it is sound. */
  readonly isSound: boolean;
}

/** Reads the trace of a request. */
export function readTrace(fields: HeadFields): TraceReading {
  const parents = valuesOf(fields, 'traceparent');
  const states = valuesOf(fields, 'tracestate');
  const hasParent = parents.length === 1 && isTraceParent(parents[0] ?? '');
  const isAbsent = parents.length === 0 && states.length === 0;
  return { hasParent, isSound: isAbsent || (hasParent && isTraceState(states)) };
}

/** A traceparent that begins a trace. */
export function newTraceParent(rng: Rng, isSampled: boolean): string {
  return `00-${randomHex(rng, 32)}-${randomHex(rng, 16)}-${isSampled ? '01' : '00'}`;
}
