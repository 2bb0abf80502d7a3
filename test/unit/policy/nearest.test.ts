import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nameHint, nearestName } from '../../../src/policy/nearest.ts';

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

describe('nearestName', () => {
  it('finds what a slip meant, whatever the case', () => {
    expect(nearestName('slowstart', ['place', 'slowStart'])).toBe('slowStart');
    expect(nearestName('cup', ['cpu', 'memory'])).toBe('cpu');
  });

  it('finds nothing where nothing is near', () => {
    expect(nearestName('queueDelayMs', ['cpu', 'memory', 'throughput'])).toBeUndefined();
    expect(nearestName('ab', ['xy'])).toBeUndefined();
    expect(nearestName('x'.repeat(1_000_000), ['cpu'])).toBeUndefined();
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
