// What broke once: drains and rebalances each had an estimate of their own, and both took the same arrivals for theirs.
import { describe, expect, it } from 'vitest';
import { admitArrivals, clientsIn, noReturns, withOut, workIn, type Out } from '../../../src/core/returns.ts';
import { pcg32, type Rng } from '../../../src/core/rng.ts';
import { usualPerSecond } from '../../../src/core/usual-rate.ts';

const out = (count: number, atMs = 0, parts: Partial<Out> = {}): Out => ({
  owner: 'drain-1',
  atMs,
  nodeId: 'a',
  count,
  work: 1,
  ...parts,
});

/** Knuth, 1969; for small means. */
function poisson(mean: number, rng: Rng): number {
  let product = rng.next();
  let count = 0;
  for (const least = Math.exp(-mean); product > least; count += 1) product *= rng.next();
  return count;
}

/** A pool to which clients come by chance, four looks a second. */
function aBusyPool(seed: number) {
  const rng = pcg32(seed);
  let returns = noReturns;
  let total = 0;
  let nowMs = 0;
  let back = 0;
  return {
    live(seconds: number, perSecond: number) {
      for (let look = 0; look < seconds * 4; look += 1) {
        total += poisson(perSecond / 4, rng);
        nowMs += 250;
        const admitted = admitArrivals(returns, { arrivedTotal: total, nowMs });
        returns = admitted.returns;
        back += clientsIn(admitted.back);
      }
    },
    shed: (count: number) => (returns = withOut(returns, [out(count, nowMs)])),
    back: () => back,
    usual: () => usualPerSecond(returns.usual),
  };
}

const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const meanOf = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;

describe('the estimate of who is back', () => {
  it('credits each arrival once, to the oldest first, whoever has shed it', () => {
    const shed = [out(3), out(2, 0, { owner: 'rebalance', work: 4 })];
    const first = admitArrivals(withOut(noReturns, shed), { arrivedTotal: 100, nowMs: 1000 });
    expect(first.back).toEqual([]);
    const next = admitArrivals(first.returns, { arrivedTotal: 104, nowMs: 2000 });
    expect(next.back).toEqual([
      { owner: 'drain-1', count: 3 },
      { owner: 'rebalance', count: 1 },
    ]);
    expect([clientsIn(next.returns.out), workIn(next.returns.out)]).toEqual([1, 4]);
    const again = admitArrivals(next.returns, { arrivedTotal: 110, nowMs: 2000 });
    expect([again.back, again.returns]).toEqual([[], next.returns]);
  });

  it('gives up those who have been away for a minute, and says whose they were', () => {
    const { returns } = admitArrivals(noReturns, { arrivedTotal: 0, nowMs: 0 });
    const shed = withOut(returns, [out(3), out(2, 30_000, { owner: 'rebalance' })]);
    const kept = admitArrivals(shed, { arrivedTotal: 0, nowMs: 60_000 });
    expect([kept.lost, clientsIn(kept.returns.out)]).toEqual([[], 5]);
    const late = admitArrivals(kept.returns, { arrivedTotal: 0, nowMs: 60_250 });
    expect(late.lost).toMatchObject([{ owner: 'drain-1', count: 3 }]);
    expect(clientsIn(late.returns.out)).toBe(2);
  });

  it('takes those that come with nobody on the way for newcomers', () => {
    const { returns } = admitArrivals(noReturns, { arrivedTotal: 0, nowMs: 0 });
    const all = admitArrivals(withOut(returns, [out(2)]), { arrivedTotal: 50, nowMs: 1000 });
    const later = admitArrivals(withOut(all.returns, [out(7)]), { arrivedTotal: 50, nowMs: 2000 });
    expect([clientsIn(all.back), later.back]).toEqual([2, []]);
  });

  // What broke once: the lower quartile alone is too low by chance, so that ten seconds of usual arrivals were half a return.
  it('knows the usual rate within a tenth where arrivals scatter', () => {
    const usual = seeds.map((seed) => {
      const pool = aBusyPool(seed);
      pool.live(60, 40);
      return pool.usual();
    });
    expect(Math.abs(meanOf(usual) - 40)).toBeLessThan(1);
    for (const each of usual) expect(Math.abs(each - 40)).toBeLessThan(5);
  });

  // What broke once: a rebalance kept no debt, and took every crowded tick of the usual arrivals for a return.
  it('takes few usual arrivals for returns, and most returns for what they are', () => {
    const figures = seeds.map((seed) => {
      const pool = aBusyPool(seed);
      pool.live(60, 40);
      pool.shed(200);
      pool.live(10, 40);
      const usual = pool.back();
      pool.live(10, 58);
      return { usual, real: pool.back() };
    });
    expect(meanOf(figures.map(({ usual }) => usual))).toBeLessThan(30);
    const real = meanOf(figures.map((each) => each.real));
    // 180 of them came; the usual ones taken for returns are beside these.
    expect(real).toBeGreaterThan(150);
  });

  // What broke once: after half a minute of new clients, hardly anybody of a rebalance was seen to come back.
  it('sees most of those who come back just after many new clients have come', () => {
    const back = seeds.map((seed) => {
      const pool = aBusyPool(seed);
      pool.live(40, 6);
      pool.shed(60);
      pool.live(20, 0);
      pool.live(30, 2);
      return pool.back();
    });
    // About sixty came, all of them returns.
    expect(meanOf(back)).toBeGreaterThan(40);
    for (const each of back) expect(each).toBeGreaterThan(25);
  });

  // What broke once: arrivals of returning clients alone were taken for the new usual rate.
  it('sees those who come back at a steady rate just after a fill', () => {
    const back = seeds.map((seed) => {
      const pool = aBusyPool(seed);
      pool.live(4, 50);
      for (let second = 0; second < 20; second += 1) {
        pool.shed(10);
        pool.live(1, 10);
      }
      return pool.back();
    });
    // Two hundred came, all of them returns; those of the first six seconds are taken for a part of the fill.
    expect(Math.min(...back)).toBeGreaterThan(100);
    expect(Math.max(...back)).toBeLessThanOrEqual(200);
  });

  it('counts the last one back where clients come seldom', () => {
    let { returns } = admitArrivals(noReturns, { arrivedTotal: 0, nowMs: 0 });
    let total = 0;
    // One in twenty seconds.
    for (let second = 1; second <= 60; second += 1) {
      total += second % 20 === 0 ? 1 : 0;
      ({ returns } = admitArrivals(returns, { arrivedTotal: total, nowMs: second * 1000 }));
    }
    returns = withOut(returns, [out(2, 60_000)]);
    for (const second of [61, 62, 63, 64, 65]) {
      total += second === 62 || second === 65 ? 1 : 0;
      ({ returns } = admitArrivals(returns, { arrivedTotal: total, nowMs: second * 1000 }));
    }
    expect(clientsIn(returns.out)).toBe(0);
  });
});
