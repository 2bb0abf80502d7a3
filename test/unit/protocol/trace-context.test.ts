import { describe, expect, it } from 'vitest';
import { pcg32 } from '../../../src/core/rng.ts';
import { randomHex } from '../../../src/protocol/random-hex.ts';
import { isRequestId, newRequestId } from '../../../src/protocol/request-id.ts';
import {
  isTraceParent,
  isTraceState,
  newTraceParent,
  readTrace,
} from '../../../src/protocol/trace-context.ts';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const span = '00f067aa0ba902b7';
const zeros = { chance: { next: () => 0 } };

describe('traceparent', () => {
  it.each([
    `00-${trace}-${span}-01`,
    `00-${trace}-${span}-ff`,
    `01-${trace}-${span}-00`,
    `cc-${trace}-${span}-00-what-comes-later`,
  ])('%s is sound', (value) => {
    expect(isTraceParent(value)).toBe(true);
  });

  it.each([
    '',
    `ff-${trace}-${span}-01`,
    `00-${trace}-${span}-01-more`,
    `00-${trace}-${span}-01-`,
    `cc-${trace}-${span}-00.more`,
    `00-${trace.toUpperCase()}-${span}-01`,
    `00-${'0'.repeat(32)}-${span}-01`,
    `00-${trace}-${'0'.repeat(16)}-01`,
    `00-${trace}-${span}-1`,
    `00-${trace}${span}-01`,
    `0-${trace}-${span}-01`,
    ` 00-${trace}-${span}-01`,
  ])('"%s" is none', (value) => {
    expect(isTraceParent(value)).toBe(false);
  });

  it('made here is sound, and sampled only when it is to be', () => {
    const rng = pcg32(1);
    for (let round = 0; round < 100; round += 1) {
      const made = newTraceParent(rng, round % 2 === 0);
      expect(isTraceParent(made)).toBe(true);
      expect(made.endsWith(round % 2 === 0 ? '-01' : '-00')).toBe(true);
    }
    expect(isTraceParent(newTraceParent(zeros.chance, false))).toBe(true);
  });
});

describe('tracestate', () => {
  it.each([
    [[]],
    [['']],
    [['a=1']],
    [['a=1,b=2', ' c=3 ,, ']],
    [['rojo=00f067aa0ba902b7,congo=t61rcWkgMzE']],
    [['fw529a3039@dt=FfAAAABBBBcc;x=y z'].map((value) => value.replace(';x=', ';x:'))],
    [['1tenant@sys=v']],
    [[Array.from({ length: 32 }, (_, index) => `k${index}=v`).join()]],
  ])('%j is sound', (values) => {
    expect(isTraceState(values)).toBe(true);
  });

  it.each([
    [['a']],
    [['A=1']],
    [['a=']],
    [['a=1,a=2']],
    [['a=b=c']],
    [['1a=1']],
    [['a@1b=1']],
    [['a=\u00e9']],
    [[`a=${'x'.repeat(257)}`]],
    [[`${'k'.repeat(257)}=v`]],
    [[Array.from({ length: 33 }, (_, index) => `k${index}=v`).join()]],
  ])('%j is not', (values) => {
    expect(isTraceState(values)).toBe(false);
  });
});

describe('the trace of a request', () => {
  const parent = ['Traceparent', `00-${trace}-${span}-01`];
  it.each([
    [[], { hasParent: false, isSound: true }],
    [parent, { hasParent: true, isSound: true }],
    [[...parent, 'Tracestate', 'a=1', 'tracestate', 'b=2'], { hasParent: true, isSound: true }],
    [[...parent, 'tracestate', 'A'], { hasParent: true, isSound: false }],
    [[...parent, ...parent], { hasParent: false, isSound: false }],
    [['tracestate', 'a=1'], { hasParent: false, isSound: false }],
    [['traceparent', 'x'], { hasParent: false, isSound: false }],
  ])('%j is read as %j', (fields, reading) => {
    expect(readTrace(fields)).toEqual(reading);
  });
});

describe('ids', () => {
  it('of requests are UUIDs of version 7 that sort by time', () => {
    const rng = pcg32(7);
    const ids = [1_700_000_000_000, 1_700_000_000_001.9, 1_800_000_000_000].map((at) =>
      newRequestId(rng, at),
    );
    for (const id of ids) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(isRequestId(id)).toBe(true);
    }
    expect(ids.toSorted()).toEqual(ids);
    expect(ids[0]?.replaceAll('-', '').slice(0, 12)).toBe((1_700_000_000_000).toString(16).padStart(12, '0'));
  });

  it('of others are taken where no log has to quote them', () => {
    for (const id of ['a', 'A-1.b_c:d+e/f=@', 'x'.repeat(128)]) expect(isRequestId(id)).toBe(true);
    for (const id of ['', 'a b', 'a"', 'a,b', 'ü', 'x'.repeat(129)]) expect(isRequestId(id)).toBe(false);
  });

  it('are never all zeros, and all digits come', () => {
    expect(randomHex(zeros.chance, 16)).toBe('0000000000000001');
    const digits = new Set(randomHex(pcg32(3), 512));
    expect(digits.size).toBe(16);
  });
});
