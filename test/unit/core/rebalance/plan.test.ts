import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseConnections } from '../../../../src/core/rebalance/choose.ts';
import { levelOf } from '../../../../src/core/rebalance/level.ts';
import { planSheds } from '../../../../src/core/rebalance/plan.ts';
import { pcg32 } from '../../../../src/core/rng.ts';
import { aRunNode, someConnections } from './a-pool.ts';

const rng = pcg32(1);
const loads = fc.array(fc.double({ min: 0, max: 0.3, noNaN: true }), { minLength: 1, maxLength: 40 });

describe('the level', () => {
  it('is the mean of equal nodes', () => {
    expect(
      levelOf([aRunNode('a', { utilization: 0.2 }), aRunNode('b', { utilization: 0.6 })], 0),
    ).toBeCloseTo(0.4);
  });

  it('weighs nodes by size: a node twice as strong counts twice', () => {
    const nodes = [
      aRunNode('a', { utilization: 0.2, slope: 0.005 }),
      aRunNode('b', { utilization: 0.5, slope: 0.01 }),
    ];
    expect(levelOf(nodes, 0)).toBeCloseTo((2 * 0.2 + 0.5) / 3);
  });

  it('counts work that is between two nodes', () => {
    const nodes = [aRunNode('a', { utilization: 0.2 }), aRunNode('b', { utilization: 0.2 })];
    // Forty average connections of half a point, spread over two nodes.
    expect(levelOf(nodes, 40)).toBeCloseTo(0.3);
  });

  it('leaves out nodes that are not in use or not known, and is NaN without any', () => {
    const nodes = [aRunNode('a'), aRunNode('b', { isEligible: false }), aRunNode('c', { utilization: NaN })];
    expect(levelOf(nodes, 0)).toBeCloseTo(0.5);
    expect(levelOf(nodes.slice(1), 0)).toBeNaN();
  });
});

describe('choosing connections', () => {
  const limits = { relief: 0.1, heaviest: 1, most: 10, choose: 'heaviest' } as const;

  it('takes the heaviest that fit, so that the fewest are disconnected', () => {
    const { rows, utilization } = chooseConnections(
      someConnections([0.01, 0.07, 0.02, 0.3, 0.02]),
      limits,
      rng,
    );
    expect(rows).toEqual([1, 2, 0]);
    expect(utilization).toBeCloseTo(0.1);
  });

  it('takes none that is heavier than what is too much: it would only move the hot spot', () => {
    expect(chooseConnections(someConnections([0.3, 0.2]), limits, rng).rows).toEqual([]);
  });

  it('takes none that is too heavy for the emptiest node', () => {
    expect(chooseConnections(someConnections([0.09, 0.04]), { ...limits, heaviest: 0.05 }, rng).rows).toEqual(
      [1],
    );
  });

  it('takes none that causes no load', () => {
    expect(chooseConnections(someConnections([0, 0, 0.01]), limits, rng).rows).toEqual([2]);
  });

  it.each([
    ['newest', [0, 1, 2]],
    ['oldest', [4, 3, 2]],
  ] as const)('takes the %s first when asked to', (choose, rows) => {
    const each = someConnections([0.03, 0.03, 0.03, 0.03, 0.03]);
    expect(chooseConnections(each, { ...limits, choose }, rng).rows).toEqual(rows);
  });

  it('by chance takes every connection equally often (10,000 draws, seed 3, within a tenth)', () => {
    const chance = pcg32(3);
    const counts = [0, 0, 0, 0, 0];
    for (let draw = 0; draw < 10_000; draw += 1) {
      const [row = -1] = chooseConnections(
        someConnections([0.01, 0.01, 0.01, 0.01, 0.01]),
        { ...limits, most: 1, choose: 'random' },
        chance,
      ).rows;
      counts[row] = (counts[row] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count / 2000 - 1)).toBeLessThan(0.1);
  });

  it('never exceeds any of its limits, and never takes a connection twice', () => {
    fc.assert(
      fc.property(
        loads,
        fc.record({
          relief: fc.double({ min: 0, max: 1, noNaN: true }),
          heaviest: fc.double({ min: 0, max: 1, noNaN: true }),
          most: fc.nat(50),
          choose: fc.constantFrom('heaviest', 'newest', 'oldest', 'random'),
        }),
        (utilizations, limit) => {
          const { rows, utilization } = chooseConnections(someConnections(utilizations), limit, rng);
          expect(rows.length).toBeLessThanOrEqual(limit.most);
          expect(utilization).toBeLessThanOrEqual(limit.relief + 1e-12);
          expect(new Set(rows).size).toBe(rows.length);
          for (const row of rows) expect(utilizations[row]).toBeLessThanOrEqual(limit.heaviest);
        },
      ),
    );
  });
});

describe('the plan of a tick', () => {
  const nodes = [
    aRunNode('hot', { utilization: 0.7 }),
    aRunNode('warm', { utilization: 0.55 }),
    aRunNode('cold', { utilization: 0.25 }),
  ];
  const limits = { level: 0.5, settle: 0.025, most: 100, choose: 'heaviest' } as const;
  const fives = someConnections([0.049, 0.049, 0.049, 0.049, 0.049, 0.049, 0.049]);

  it('takes every node down to the level, the hottest first, and nothing from those below', () => {
    const planned = planSheds(nodes, () => fives, { limits, rng });
    expect(planned.map(({ node, rows }) => [node.id, rows.length])).toEqual([
      ['hot', 4],
      ['warm', 1],
    ]);
  });

  it('spends what it may on the hottest', () => {
    const planned = planSheds(nodes, () => fives, { limits: { ...limits, most: 2.9 }, rng });
    expect(planned.map(({ node, rows }) => [node.id, rows.length])).toEqual([['hot', 2]]);
  });

  it('goes on with the next node when nothing of the hottest fits', () => {
    const heavy = someConnections([0.4]);
    const planned = planSheds(nodes, ({ id }) => (id === 'hot' ? heavy : fives), { limits, rng });
    expect(planned.map(({ node }) => node.id)).toEqual(['warm']);
  });

  it('sees that the same connection causes more on a smaller node', () => {
    const small = [
      aRunNode('hot', { utilization: 0.7 }),
      aRunNode('cold', { utilization: 0.3, slope: 0.02 }),
    ];
    // Room of 0.225 there is room of 0.056 here.
    const planned = planSheds(small, () => someConnections([0.06, 0.05]), { limits, rng });
    expect(planned[0]?.rows).toEqual([1]);
  });

  it('is empty for a pool that is level, for one node, and for none', () => {
    expect(planSheds([aRunNode('a'), aRunNode('b')], () => fives, { limits, rng })).toEqual([]);
    const level = levelOf([aRunNode('a')], 0);
    expect(planSheds([aRunNode('a')], () => fives, { limits: { ...limits, level }, rng })).toEqual([]);
    expect(planSheds([], () => fives, { limits: { ...limits, level: NaN }, rng })).toEqual([]);
  });
});
