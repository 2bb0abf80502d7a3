import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  about,
  combiners,
  createSignalValue,
  reportable,
  single,
} from '../../../../src/agent/sources/signal-value.ts';

function aRate(scale = 1, combine = combiners.sum) {
  return createSignalValue({ rule: { as: 'rate', scale }, combine, maxSpanMs: 3000 });
}

function series(values: Record<string, number>) {
  return new Map(Object.entries(values));
}

describe('a gauge', () => {
  it.each([
    ['sum', 6],
    ['max', 3],
    ['mean', 2],
  ] as const)('is the %s of its series, scaled', (combine, value) => {
    const gauge = createSignalValue({
      rule: { as: 'gauge', scale: 10 },
      combine: combiners[combine],
      maxSpanMs: 3000,
    });
    expect(gauge.next(series({ a: 1, b: 2, c: 3 }), 0)).toEqual({ value: value * 10 });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 1.1e12])('of %d is no signal', (value) => {
    expect(reportable(value)).toEqual({
      missing: expect.stringContaining(`the value is ${value}; a signal`),
    });
  });

  it('of -0 is 0', () => {
    expect(reportable(-0)).toEqual({ value: 0 });
  });
});

describe('a rate', () => {
  it('needs two looks, then is growth per second, scaled', () => {
    const rate = aRate(2);
    expect(rate.next(single(100), 5000)).toEqual({ missing: expect.stringContaining('two looks') });
    expect(rate.next(single(150), 5500)).toEqual({ value: 200 });
    expect(rate.next(single(150), 6500)).toEqual({ value: 0 });
  });

  it('says nothing for a span in which its counter fell, and counts again from there', () => {
    const rate = aRate();
    rate.next(single(100), 0);
    expect(rate.next(single(7), 1000)).toEqual({
      missing: 'counter fell from 100 to 7: it was reset; the next span counts again',
    });
    expect(rate.next(single(9), 2000)).toEqual({ value: 2 });
  });

  it('ignores a look at the same instant, which leaves no time to divide by', () => {
    const rate = aRate();
    const first = rate.next(single(100), 1000);
    expect(rate.next(single(500), 1000)).toEqual(first);
    expect(rate.next(single(200), 2000)).toEqual({ value: 100 });
    expect(rate.next(single(900), 2000)).toEqual({ value: 100 });
    expect(rate.next(single(900), 1500)).toEqual({ value: 100 });
  });

  it('does not spread growth over a long outage', () => {
    const rate = aRate();
    rate.next(single(100), 0);
    expect(rate.next(single(900), 3001)).toEqual({
      missing: '3 s since the last look; the next one counts again',
    });
    expect(rate.next(single(901), 4001)).toEqual({ value: 1 });
  });

  it('is combined of the rates of the series, not taken of what they combine to', () => {
    const rate = aRate(1, combiners.max);
    rate.next(series({ old: 1000, young: 0 }), 0);
    expect(rate.next(series({ old: 1001, young: 50 }), 1000)).toEqual({ value: 50 });
  });

  it('leaves out series that were not there before, and those that have gone', () => {
    const rate = aRate();
    rate.next(series({ a: 10, b: 500 }), 0);
    expect(rate.next(series({ a: 12, c: 9000 }), 1000)).toEqual({ value: 2 });
    expect(rate.next(series({ d: 1 }), 2000)).toEqual({ missing: expect.stringContaining('no series') });
  });

  it('names the series that was reset, cut and in plain letters', () => {
    const rate = aRate();
    const key = `{worker="\u001b[31m${'x'.repeat(100)}"}`;
    rate.next(series({ a: 1, [key]: 5 }), 0);
    const reading = rate.next(series({ a: 2, [key]: 4 }), 1000);
    expect(reading).toEqual({
      missing: expect.stringMatching(/^counter of "[\x20-\x7e]{40}\.\.\." fell from 5/),
    });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('of a counter that becomes %d is no signal', (value) => {
    const rate = aRate();
    rate.next(single(1), 0);
    expect(rate.next(single(value), 1000)).toHaveProperty('missing');
    expect(rate.next(single(5), 2000)).toHaveProperty('missing');
    expect(rate.next(single(6), 3000)).toEqual({ value: 1 });
  });

  it('is a value that a report can carry or a sentence, whatever comes', () => {
    const look = fc.tuple(fc.double(), fc.integer({ min: 0, max: 5000 }), fc.constantFrom('', 'a', 'b'));
    fc.assert(
      fc.property(fc.array(look), fc.constantFrom('gauge', 'rate'), (looks, as) => {
        const value = createSignalValue({ rule: { as, scale: 3 }, combine: combiners.mean, maxSpanMs: 3000 });
        for (const [number, atMs, name] of looks) {
          const reading = value.next(series({ [name]: number }), atMs);
          if ('missing' in reading) expect(reading.missing).not.toBe('');
          else expect(reading.value >= 0 && reading.value <= 1e12).toBe(true);
        }
      }),
    );
  });
});

it('a sentence names its source, a value does not', () => {
  expect(about('file /a', { missing: 'it is empty' })).toEqual({ missing: 'file /a: it is empty' });
  expect(about('file /a', { value: 1 })).toEqual({ value: 1 });
});
