// The fill found no level where slopes, scores and bounds span many magnitudes: Newton's steps circled inside the
// bracket for all 200 steps (also with 1,000 ordinary nodes), and what came out was off by any factor.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pcg32 } from '../../../src/core/rng.ts';
import { waterFill, type WaterFillInput } from '../../../src/core/water-fill.ts';

interface Vessel {
  score: number;
  slope: number;
  bound: number;
}

const runs = { seed: 20_261, numRuns: 1000 };

/** Numbers spread evenly over the magnitudes from 10^low to 10^high. */
const magnitude = (low: number, high: number) =>
  fc.double({ min: low, max: high, noNaN: true }).map((exponent) => 10 ** exponent);

const score = fc.oneof(fc.double({ min: 0, max: 1.5, noNaN: true }), magnitude(-6, 2), fc.constant(0));
const bound = fc.oneof(
  { weight: 3, arbitrary: magnitude(-3, 9) },
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.constant(Infinity) },
);
const vessel: fc.Arbitrary<Vessel> = fc.record({ score, slope: magnitude(-9, 3), bound });
const vessels = fc.array(vessel, { minLength: 1, maxLength: 12 });
const arrivals = magnitude(-3, 6);

function inputOf(from: readonly Vessel[], arrivals: number): WaterFillInput {
  return {
    score: Float64Array.from(from, (each) => each.score),
    slope: Float64Array.from(from, (each) => each.slope),
    bound: Float64Array.from(from, (each) => each.bound),
    arrivals,
  };
}

const sum = (values: Iterable<number>) => [...values].reduce((total, each) => total + each, 0);

/** True when two numbers differ by at most a billionth of the scale. */
const isClose = (a: number, b: number, scale: number) => Math.abs(a - b) <= 1e-9 * scale;

function fleet(size: number, seed: number): Vessel[] {
  const rng = pcg32(seed);
  return Array.from({ length: size }, () => ({
    score: rng.next(),
    slope: 0.0005 + 0.002 * rng.next(),
    bound: 50 * rng.next(),
  }));
}

/** Arrivals that all nodes together take when filled up to `level`, straight from the formula. */
function volumeAt({ score, slope, bound }: WaterFillInput, level: number): number {
  return score.reduce((sum, each, i) => {
    const height = Math.max(0, level - each);
    return height === 0 ? sum : sum + Math.min(bound[i] ?? NaN, height / (slope[i] ?? NaN));
  }, 0);
}

describe('waterFill', () => {
  it('fills parts that sum to the arrivals less what is unplaced', () => {
    fc.assert(
      fc.property(vessels, arrivals, (from, count) => {
        const { filled, unplaced } = waterFill(inputOf(from, count));
        expect(isClose(sum(filled), count - unplaced, count)).toBe(true);
        expect(unplaced).toBeGreaterThanOrEqual(0);
      }),
      runs,
    );
  });

  it('leaves arrivals without a place exactly when the bounds hold less', () => {
    fc.assert(
      fc.property(vessels, arrivals, (from, count) => {
        const room = sum(from.map((each) => each.bound));
        expect(waterFill(inputOf(from, count)).unplaced).toBe(room <= count ? count - room : 0);
      }),
      runs,
    );
  });

  it('never gives a node less than nothing or more than its bound', () => {
    fc.assert(
      fc.property(vessels, arrivals, (from, count) => {
        const { filled } = waterFill(inputOf(from, count));
        for (const [index, each] of filled.entries()) {
          expect(each).toBeGreaterThanOrEqual(0);
          expect(each).toBeLessThanOrEqual(from[index]?.bound ?? NaN);
        }
      }),
      runs,
    );
  });

  it('finds the level exactly: the arrivals lie between the volumes of the neighbouring doubles', () => {
    fc.assert(
      fc.property(vessels, arrivals, (from, count) => {
        const input = inputOf(from, count);
        const { level, unplaced } = waterFill(input);
        fc.pre(unplaced === 0);
        const step = Math.max(Number.MIN_VALUE, Math.abs(level) * 2 * Number.EPSILON);
        expect(volumeAt(input, level - step)).toBeLessThanOrEqual(count * (1 + 1e-9));
        expect(volumeAt(input, level + step)).toBeGreaterThanOrEqual(count * (1 - 1e-9));
      }),
      runs,
    );
  });

  it('meets the arrivals at the level to 1e-9 wherever a double can tell', () => {
    const tame = fc.array(
      fc.record({ score: fc.double({ min: 0, max: 1.5, noNaN: true }), slope: magnitude(-5, 1), bound }),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(tame, magnitude(0, 5), (from, count) => {
        const input = inputOf(from, count);
        const { level, unplaced } = waterFill(input);
        fc.pre(unplaced === 0);
        expect(isClose(volumeAt(input, level), count, count)).toBe(true);
      }),
      runs,
    );
  });

  it('never gives more to the node with the higher score', () => {
    fc.assert(
      fc.property(vessels, arrivals, score, score, (from, count, one, other) => {
        const twins = { slope: 0.01, bound: 40 };
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        const { filled } = waterFill(
          inputOf([{ ...twins, score: low }, { ...twins, score: high }, ...from], count),
        );
        expect((filled[0] ?? NaN) + 1e-9 * count).toBeGreaterThanOrEqual(filled[1] ?? NaN);
      }),
      runs,
    );
  });

  it('gives a node no less when its own score falls', () => {
    fc.assert(
      fc.property(vessels, arrivals, fc.double({ min: 0, max: 1, noNaN: true }), (from, count, part) => {
        const before = waterFill(inputOf(from, count)).filled[0] ?? NaN;
        const lowered = from.map((each, i) => (i === 0 ? { ...each, score: each.score * part } : each));
        const after = waterFill(inputOf(lowered, count)).filled[0] ?? NaN;
        expect(after).toBeGreaterThanOrEqual(before - 1e-9 * count);
      }),
      runs,
    );
  });

  it('does not depend on the order of the nodes', () => {
    fc.assert(
      fc.property(vessels, arrivals, (from, count) => {
        const there = waterFill(inputOf(from, count));
        const back = waterFill(inputOf(from.toReversed(), count));
        const turned = back.filled.toReversed();
        for (const [index, each] of there.filled.entries())
          expect(isClose(each, turned[index] ?? NaN, count)).toBe(true);
      }),
      runs,
    );
  });

  it('gives equal nodes equal parts', () => {
    fc.assert(
      fc.property(vessel, fc.integer({ min: 1, max: 40 }), arrivals, (each, size, count) => {
        const { filled } = waterFill(inputOf(Array<Vessel>(size).fill(each), count));
        expect(new Set(filled).size).toBe(1);
      }),
      runs,
    );
  });

  it('fills two nodes of different room and slope to one level', () => {
    const input = inputOf(
      [
        { score: 0.2, slope: 0.1, bound: Infinity },
        { score: 0.4, slope: 0.05, bound: Infinity },
        { score: 0.9, slope: 0.01, bound: Infinity },
      ],
      5,
    );
    // 10 (W − 0.2) + 20 (W − 0.4) = 5 gives W = 0.5.
    const { level, filled } = waterFill(input);
    expect(level).toBeCloseTo(0.5, 12);
    expect([...filled].map((each) => Number(each.toFixed(9)))).toEqual([3, 2, 0]);
  });

  it('fills past a capped node to the level of the others', () => {
    const input = inputOf(
      [
        { score: 0, slope: 0.1, bound: 2 },
        { score: 0.5, slope: 0.1, bound: Infinity },
      ],
      5,
    );
    const { level, filled } = waterFill(input);
    expect(level).toBeCloseTo(0.8, 12);
    expect(filled[0]).toBe(2);
    expect(filled[1]).toBeCloseTo(3, 9);
  });

  it('says where the highest node ends when the bounds are full', () => {
    const both = [
      { score: 0.1, slope: 0.1, bound: 2 },
      { score: 0.5, slope: 0.1, bound: 1 },
      { score: 9, slope: 0.1, bound: 0 },
    ];
    const { level, filled, unplaced } = waterFill(inputOf(both, 5));
    expect(level).toBeCloseTo(0.6, 12);
    expect([...filled]).toEqual([2, 1, 0]);
    expect(unplaced).toBe(2);
  });

  it('has no level and places nothing without nodes', () => {
    expect(waterFill(inputOf([], 3))).toEqual({ level: NaN, filled: new Float64Array(0), unplaced: 3 });
  });

  it('has no level and places nothing when all bounds are zero', () => {
    const { level, filled, unplaced } = waterFill(inputOf([{ score: 0.1, slope: 1, bound: 0 }], 3));
    expect(level).toBeNaN();
    expect([...filled]).toEqual([0]);
    expect(unplaced).toBe(3);
  });

  it('places between two doubles what they are too coarse to tell', () => {
    // At a score of 100 a double steps by 1.4e-14, worth 14 arrivals at this slope.
    const steep = { score: 100, slope: 1e-15, bound: 2 };
    const { filled } = waterFill(inputOf([steep, steep, { ...steep, bound: 0.5 }], 3));
    expect([...filled].map((each) => Number(each.toFixed(9)))).toEqual([1.25, 1.25, 0.5]);
  });

  it('fills 5,000 nodes to one level (seeds 1 to 5)', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const from = fleet(5000, seed);
      const input = inputOf(from, 20_000);
      const { level, filled } = waterFill(input);
      expect(isClose(volumeAt(input, level), 20_000, 20_000)).toBe(true);
      expect(isClose(sum(filled), 20_000, 20_000)).toBe(true);
    }
  });
});
