// What holds for every pool, every policy and every course of load.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pcg32, type Rng } from '../../../../src/core/rng.ts';
import {
  absorbScale,
  noScaleHistory,
  type ScaleHistory,
  type ScalePolicy,
} from '../../../../src/core/scale/history.ts';
import { recommendScale } from '../../../../src/core/scale/recommend.ts';
import type { Recommendation } from '../../../../src/core/scale/recommendation.ts';
import type { ScaleNode, ScaleSample } from '../../../../src/core/scale/scale-sample.ts';
import { aSample, aScalePolicy, nodesAt, steady } from './a-scale.ts';

const runs = { seed: 41, numRuns: 150 };

const node: fc.Arbitrary<ScaleNode> = fc.record({
  id: fc.constantFrom('a-1', 'a-2', 'b-10', 'web', 'x'),
  zone: fc.constantFrom('', 'a', 'b'),
  connections: fc.nat({ max: 300 }),
  size: fc.constantFrom(0.5, 1, 1, 1, 4),
  phase: fc.constantFrom('serving', 'serving', 'serving', 'starting', 'leaving', 'down'),
  utilization: fc.oneof(fc.double({ min: 0, max: 2, noNaN: true }), fc.constant(NaN)),
  joinedAtMs: fc.constantFrom(-Infinity, 0, 1000),
});

const sample: fc.Arbitrary<ScaleSample> = fc
  .record({ nodes: fc.array(node, { maxLength: 9 }), isKnown: fc.boolean(), waiting: fc.nat({ max: 3 }) })
  .map(({ nodes, isKnown, waiting }) => {
    const named = nodes.map((each, index) => ({ ...each, id: `${each.id}${index}` }));
    const hasNodes = named.some(({ phase }) => phase === 'serving' || phase === 'starting');
    return aSample(named, { waiting, ...(isKnown && hasNodes ? {} : { load: undefined }) });
  });

const step = fc.constantFrom(1, 3, 'all' as const, { share: 0.2 });

const policy: fc.Arbitrary<ScalePolicy> = fc
  .record({
    min: fc.nat({ max: 4 }),
    more: fc.integer({ min: 1, max: 8 }),
    target: fc.double({ min: 0.01, max: 1, noNaN: true }),
    startTimeMs: fc.constantFrom(0, 30_000, 90_000),
    windowMs: fc.constantFrom<(number | 'auto')[]>('auto', 60_000, 600_000),
    survive: fc.nat({ max: 2 }),
    surviveOf: fc.constantFrom('node' as const, 'zone' as const),
    up: fc.record({ afterMs: fc.constantFrom(0, 20_000), step }),
    down: fc.record({ afterMs: fc.constantFrom(0, 30_000), step, drainMs: fc.constant(20_000) }),
    victims: fc.constantFrom('any' as const, 'ordinal' as const, 'external' as const),
  })
  .map(({ more, ...rest }) => ({ ...rest, max: rest.min + more }));

const course = fc.array(
  fc.record({ sample, elapsedMs: fc.constantFrom(5000, 5000, 5000, 0, -60_000, 40_000, 3_600_000) }),
  { minLength: 1, maxLength: 12 },
);

/** Everything that was recommended along a course, each sample standing for half a minute where time goes on. */
function along(
  steps: readonly { sample: ScaleSample; elapsedMs: number }[],
  rule: ScalePolicy,
): Recommendation[] {
  let history: ScaleHistory = noScaleHistory;
  let atMs = 100_000;
  return steps.map((each) => {
    atMs += each.elapsedMs;
    for (let count = 0; count < 6; count += 1) {
      history = absorbScale(history, { ...each.sample, atMs }, rule);
      atMs += 5000;
    }
    return recommendScale(history, rule);
  });
}

const numbersOf = (value: Recommendation) =>
  Object.values(value).filter((each): each is number => typeof each === 'number');

function gauss(rng: Rng): number {
  return Math.sqrt(-2 * Math.log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next());
}

describe('every recommendation', () => {
  it('is finite, within min and max where load is known, and never goes in where it is not', () => {
    fc.assert(
      fc.property(course, policy, (steps, rule) => {
        for (const each of along(steps, rule)) {
          for (const figure of numbersOf(each)) expect(Number.isFinite(figure)).toBe(true);
          expect(each.reason).not.toMatch(/NaN|undefined|Infinity/);
          expect(Number.isInteger(each.desired)).toBe(true);
          expect(each.victims.length).toBeLessThanOrEqual(Math.max(0, each.nodes - each.desired));
          if (each.isKnown) {
            expect(each.desired).toBeGreaterThanOrEqual(rule.min);
            expect(each.desired).toBeLessThanOrEqual(rule.max);
            expect(each.wanted).toBeGreaterThanOrEqual(rule.min);
            expect(each.wanted).toBeLessThanOrEqual(rule.max);
          } else {
            expect(each.desired).toBeGreaterThanOrEqual(Math.max(each.nodes, rule.min));
          }
        }
      }),
      runs,
    );
  });

  it('names each victim once, and only nodes that count', () => {
    fc.assert(
      fc.property(sample, policy, (seen, rule) => {
        const { victims } = recommendScale(steady(seen, rule, { forMs: 60_000 }), rule);
        const ids = victims.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        const counting = seen.nodes.filter(({ phase }) => phase === 'serving' || phase === 'starting');
        for (const id of ids) expect(counting.map((each) => each.id)).toContain(id);
        if (rule.victims === 'external') expect(ids).toEqual([]);
      }),
      runs,
    );
  });

  it('wants no fewer for more load', () => {
    fc.assert(
      fc.property(sample, policy, fc.double({ min: 1, max: 3, noNaN: true }), (seen, rule, factor) => {
        const { load } = seen;
        fc.pre(load !== undefined);
        if (load === undefined) return;
        const more = {
          ...seen,
          load: { ...load, total: load.total * factor, cautious: load.cautious * factor },
        };
        const before = recommendScale(steady(seen, rule, { forMs: 60_000 }), rule);
        const after = recommendScale(steady(more, rule, { forMs: 60_000 }), rule);
        expect(after.desired).toBeGreaterThanOrEqual(before.desired);
        if (before.isKnown && after.isKnown) expect(after.wanted).toBeGreaterThanOrEqual(before.wanted);
      }),
      runs,
    );
  });

  it('is no lower for nodes to survive, nor for a lower target', () => {
    fc.assert(
      fc.property(sample, policy, fc.double({ min: 0.3, max: 1, noNaN: true }), (seen, rule, factor) => {
        const desiredBy = (parts: Partial<ScalePolicy>) => {
          const changed = { ...rule, ...parts };
          return recommendScale(steady(seen, changed, { forMs: 60_000 }), changed).desired;
        };
        const ofNodes = { surviveOf: 'node' as const };
        expect(desiredBy({ ...ofNodes, survive: 1 })).toBeGreaterThanOrEqual(desiredBy({ survive: 0 }));
        expect(desiredBy({ ...ofNodes, survive: 2 })).toBeGreaterThanOrEqual(
          desiredBy({ ...ofNodes, survive: 1 }),
        );
        expect(desiredBy({ survive: 1, surviveOf: 'zone' })).toBeGreaterThanOrEqual(
          desiredBy({ survive: 0 }),
        );
        expect(desiredBy({ target: rule.target * factor })).toBeGreaterThanOrEqual(desiredBy({}));
      }),
      runs,
    );
  });
});

describe('a day of constant load', () => {
  /** What a day of samples changes in a fleet that follows at once. Each node's load scatters by 10 %. */
  function changesOf(of: { readonly load: number; readonly nodes: number; readonly seed: number }): number {
    const rule = aScalePolicy({ max: 500 });
    const rng = pcg32(of.seed);
    let history: ScaleHistory = noScaleHistory;
    let count = of.nodes;
    let changes = 0;
    for (let atMs = 0; atMs < 24 * 3_600_000; atMs += 15_000) {
      const nodes = nodesAt(of.load / count, count).map((each) => ({
        ...each,
        utilization: each.utilization * (1 + 0.1 * gauss(rng)),
      }));
      history = absorbScale(history, aSample(nodes, { atMs }), rule);
      const { desired } = recommendScale(history, rule);
      if (desired === count) continue;
      changes += 1;
      count = desired;
    }
    return changes;
  }

  // At, just below and just above a whole number of nodes: where chance could tip it over and back.
  it.each([
    { load: 0.6, nodes: 1 },
    { load: 1.1, nodes: 2 },
    { load: 2.9, nodes: 5 },
    { load: 3, nodes: 5 },
    { load: 3.1, nodes: 6 },
    { load: 12, nodes: 20 },
  ])('of $load changes the fleet of $nodes at most six times, with 10 % of noise on each node', (of) => {
    for (const seed of [1, 2]) expect(changesOf({ ...of, seed })).toBeLessThanOrEqual(6);
  });
});
