// What broke once: one node whose reports do not follow its messages pulled the intercept that all nodes share, and with
// it what every other node was taken to cost, down to a third.
import { describe, expect, it } from 'vitest';
import { maxToMean } from '../balancer/state/fleet.ts';
import { meansOf, TeachingFleet, type Oddity } from './teaching-fleet.ts';

const seeds = [1, 2, 3];

const oddities: Readonly<Record<string, Oddity>> = {
  'reports ten times its load': { claim: (load) => load * 10 },
  'reports anything at all': { claim: (_, rng) => rng.next() },
  'has a job of its own that takes 30 points of it': { job: 0.3 },
};

function taught(seed: number, oddity: Oddity = {}): TeachingFleet {
  const fleet = new TeachingFleet(seed, oddity);
  fleet.fleet.run(180);
  return fleet;
}

describe.each(Object.entries(oddities))('a node of ten that %s', (_, oddity) => {
  it.each(seeds)('changes what the others are taken to cost by 15 % at most (seed %d)', (seed) => {
    const without = taught(seed).learned.nodes;
    taught(seed, oddity)
      .learned.nodes.slice(1)
      .forEach(({ messageCost }, index) => {
        const ratio = (messageCost.value ?? NaN) / (without[index + 1]?.messageCost.value ?? NaN);
        expect(ratio).toBeGreaterThan(0.85);
        expect(ratio).toBeLessThan(1.15);
      });
  });

  it.each(seeds)('changes the idle utilization of the pool by 5 points at most (seed %d)', (seed) => {
    const without = taught(seed).learned.pool.idleByMessages ?? NaN;
    const lied = taught(seed, oddity).learned.pool.idleByMessages ?? NaN;
    expect(Math.abs(lied - without)).toBeLessThan(0.05);
  });

  it.each(seeds)('leaves the others level (mean loads within 30 %) (seed %d)', (seed) => {
    const seconds = taught(seed, oddity).watch(60);
    expect(maxToMean(meansOf(seconds, 'loads').slice(1))).toBeLessThan(1.3);
  });
});

describe('a deploy that changes what one node costs', () => {
  it.each([0.5, 2])('to %d times leaves the others’ costs within 15 % while it is learned', (factor) => {
    for (const seed of seeds) {
      const fleet = taught(seed);
      const before = fleet.costRatios;
      fleet.changeCost(factor);
      for (let second = 0; second < 180; second += 5) {
        fleet.fleet.run(5);
        fleet.costRatios.slice(1).forEach((ratio, index) => {
          expect(Math.abs(ratio / (before[index + 1] ?? NaN) - 1)).toBeLessThan(0.15);
        });
      }
    }
  });
});
