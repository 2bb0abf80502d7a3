// What broke once: a single node at steady load was taken to be idle at most of it, and the empty nodes that joined it
// were doubted for reporting less: they scored as if full, got equal shares, and nothing was there to be levelled.
import { describe, expect, it } from 'vitest';
import { imbalanceOf } from '../../../../src/core/imbalance.ts';
import { learnedOf } from '../../../../src/core/learned.ts';
import type { Assessment } from '../../../../src/core/assess.ts';
import type { Policy } from '../../../../src/policy/policy.ts';
import { aPlainPolicy } from '../../../support/a-policy.ts';
import { MovingFleet } from './moving-fleet.ts';

const operator = { by: 'ada' };

function aPolicy(): Policy {
  const plain = aPlainPolicy({ signals: [{ name: 'cpu', kind: 'additive', saturation: 1 }] });
  return {
    ...plain,
    place: { ...plain.place, slowStartMs: 0 },
    rebalance: { ...plain.rebalance, mode: 'off', floor: 0.3, band: 0.1 },
  };
}

/** One node at 40 % with forty clients that all talk at the same moments, as those of a game or a ticker do. */
function aLoneNode(talkEveryMs: number): MovingFleet {
  const fleet = new MovingFleet({ policy: aPolicy(), nodes: ['old'], talkEveryMs });
  fleet.run(2);
  for (let client = 0; client < 40; client += 1) fleet.connect(4.75, 'old');
  fleet.run(60);
  return fleet;
}

const judged = ({ room }: MovingFleet): Assessment =>
  room.registry.pool('chat').assessment(room.clock.nowMs());

describe.each([100, 1500, 2000, 3000])('a single node whose clients talk every %d ms', (talkEveryMs) => {
  it('teaches no idle part that nothing has shown', () => {
    const fleet = aLoneNode(talkEveryMs);
    const { pool } = learnedOf(judged(fleet), []);
    // Truly 2 %. Three seconds of silence and a burst still look a little like a load that does not follow messages.
    expect(pool.idleByMessages).toBeLessThan(0.1);
    expect(pool.idleByConnections).toBeLessThan(0.1);
    fleet.stop();
  });

  it('is joined by empty nodes whose reports are believed at once, and which get nearly all that comes', () => {
    const fleet = aLoneNode(talkEveryMs);
    fleet.join('new-1');
    fleet.join('new-2');
    fleet.run(5);
    const { evidence, score, share } = judged(fleet);
    expect(evidence).toEqual(['measured', 'measured', 'measured']);
    for (const each of score.slice(1)) expect(each).toBeLessThan(0.1);
    expect(share[0]).toBe(0);
    fleet.stop();
  });

  it('is levelled with them by a rebalance, whose end is told by the figure that status shows', () => {
    const fleet = aLoneNode(talkEveryMs);
    fleet.join('new-1');
    fleet.join('new-2');
    fleet.run(10);
    const { moves } = fleet.control.rebalance('chat', { ratePerSecond: 2 }, operator);
    expect(moves).toMatchObject([{ node: 'old' }]);
    fleet.run(90);
    const [operation] = fleet.control.operations();
    expect(operation).toMatchObject({ state: 'done' });
    // The mean is 15 %: a quarter of the band above it is 1.17, and half of it by reports 1.33.
    expect(fleet.ratio).toBeLessThan(1.3);
    expect(
      Math.abs((operation?.imbalance.now ?? NaN) - (imbalanceOf(judged(fleet)).ratio ?? NaN)),
    ).toBeLessThan(0.05);
    fleet.stop();
  });

  it('goes on being judged by what it reports when it has been drained', () => {
    const fleet = aLoneNode(talkEveryMs);
    fleet.join('new-1');
    fleet.run(5);
    fleet.control.setAdminState(['old'], { adminState: 'drain', deadlineMs: 20_000, force: true }, operator);
    fleet.run(40);
    const scores = Array.from({ length: 60 }, () => {
      fleet.run(1);
      return judged(fleet).score[0] ?? NaN;
    });
    expect(Math.max(...scores)).toBeLessThan(0.1);
    fleet.stop();
  });
});

describe('two new nodes', () => {
  it.each([0.05, 0.2, 1])(
    'are not taken to be full for %d messages a second and their own idle part',
    (rate) => {
      const fleet = new MovingFleet({ policy: aPolicy(), nodes: ['a', 'b'] });
      fleet.run(5);
      fleet.connect(rate, 'a');
      fleet.connect(rate, 'b');
      fleet.run(30);
      for (let client = 0; client < 40; client += 1) fleet.connect(10);
      let highest = Math.max(...judged(fleet).score);
      for (let second = 0; second < 10; second += 1) {
        fleet.run(1);
        highest = Math.max(highest, ...judged(fleet).score);
      }
      // The true load is 0.02 + 0.002 × 200. What broke once: 5.2, since two idle points were two messages' cost.
      expect(highest).toBeLessThan(1.1);
      expect(Math.max(...judged(fleet).score)).toBeCloseTo(0.42, 1);
      fleet.stop();
    },
  );
});
