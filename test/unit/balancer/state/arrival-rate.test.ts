import { describe, expect, it } from 'vitest';
import { ArrivalRate } from '../../../../src/balancer/state/arrival-rate.ts';
import { anOpenPolicy } from '../../../support/a-policy.ts';
import { aRoom } from '../../../support/a-room.ts';

function count(rate: ArrivalRate, times: number): void {
  for (let i = 0; i < times; i += 1) rate.count();
}

/** A rate after ten seconds of so many arrivals in each tenth. */
function steady(perTenth: number): ArrivalRate {
  const rate = new ArrivalRate(0);
  for (let nowMs = 100; nowMs <= 10_000; nowMs += 100) {
    count(rate, perTenth);
    rate.tick(nowMs);
  }
  return rate;
}

describe('the rate of arrivals', () => {
  it('is smoothed as long as nothing unheard of happens', () => {
    const rate = steady(2);
    count(rate, 15);
    expect(rate.perSecond).toBeCloseTo(20);
  });

  it('is what came within the last second in a storm, at once, and no longer than that', () => {
    const rate = steady(2);
    count(rate, 100);
    expect(rate.perSecond).toBe(120);
    rate.tick(10_100);
    expect(rate.perSecond).toBe(118);
    for (let nowMs = 10_200; nowMs <= 11_100; nowMs += 100) rate.tick(nowMs);
    expect(rate.perSecond).toBeLessThan(40);
  });

  it('counts what comes before the first tick once that is a storm', () => {
    const rate = new ArrivalRate(0);
    expect(rate.perSecond).toBe(0);
    count(rate, 9);
    expect(rate.perSecond).toBe(0);
    count(rate, 1);
    expect(rate.perSecond).toBe(10);
  });
});

describe('the shares of a storm', () => {
  it('are made again when more have come than they were made for, and otherwise last 50 ms', () => {
    const room = aRoom({ policy: anOpenPolicy(), nodes: ['a', 'b'] });
    const pool = room.registry.pool('chat');
    const seen = new Set<unknown>();
    for (let i = 0; i < 100; i += 1) {
      room.place()?.opened();
      seen.add(pool.assessment(room.clock.nowMs()));
    }
    // Made with the first, then after eight and again eight, when a storm was seen, then for three seconds of that.
    expect(seen.size).toBe(4);
    const calm = pool.assessment(room.clock.nowMs());
    for (let i = 0; i < 100; i += 1) room.place()?.release();
    expect(pool.assessment(room.clock.nowMs())).toBe(calm);
  });
});
