import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, meantHint, nameHint, nearest } from '../../../src/core/nearest.ts';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['abc', '', 3],
    ['kitten', 'sitting', 3],
    ['plaec', 'place', 1],
    ['ca', 'abc', 3],
  ])('of %j and %j is %d', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  it('is symmetric, zero for equals only, and at most the longer length', () => {
    const word = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});

describe('nearest', () => {
  it('finds what a slip meant, whatever the case', () => {
    expect(nearest('slowstart', ['place', 'slowStart'])).toBe('slowStart');
    expect(nearest('cup', ['cpu', 'memory'])).toBe('cpu');
  });

  it('finds nothing where nothing is near', () => {
    expect(nearest('queueDelayMs', ['cpu', 'memory', 'throughput'])).toBeUndefined();
    expect(nearest('ab', ['xy'])).toBeUndefined();
    expect(nearest('x'.repeat(1_000_000), ['cpu'])).toBeUndefined();
  });

  const keys = ['cpu', 'eventLoopLag', 'eventLoopUtilization', 'throughput', 'memory'];

  it.each([
    ['eventLoopLg', 'eventLoopLag'],
    ['EVENTLOOPLAG', 'eventLoopLag'],
    ['troughput', 'throughput'],
    ['memroy', 'memory'],
    ['cup', 'cpu'],
    ['cpus', 'cpu'],
    ['evenLoopUtilisation', 'eventLoopUtilization'],
  ])('takes %s for %s', (name, meant) => {
    expect(nearest(name, keys)).toBe(meant);
  });

  it.each(['disk', 'x', 'network', ''])('has no guess for %j', (name) => {
    expect(nearest(name, keys)).toBeUndefined();
  });

  it('has no guess among nothing', () => {
    expect(nearest('cpu', [])).toBeUndefined();
  });

  it('counts swapped neighbours as one change', () => {
    expect(nearest('abdc', ['abcd', 'abxx'])).toBe('abcd');
    expect(nearest('ba', ['ab'])).toBe('ab');
  });
});

describe('meantHint', () => {
  it('ends a sentence with the nearest name, or with nothing', () => {
    expect(meantHint('chst', ['chat', 'game'])).toBe("; did you mean 'chat'?");
    expect(meantHint('zzzz', ['chat', 'game'])).toBe('');
  });
});

describe('nameHint', () => {
  it('lists what is known when nothing is near, a dozen at most', () => {
    expect(nameHint('zzzzzz', ['a', 'b'])).toBe('known: a, b');
    expect(nameHint('zzzzzz', [])).toBe('');
    const many = Array.from({ length: 20 }, (_, index) => `name${index}`);
    expect(nameHint('zzzzzz', many)).toMatch(/name11, …$/);
  });
});
