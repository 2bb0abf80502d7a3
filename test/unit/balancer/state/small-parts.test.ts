// Arrival rate and passive health: the two small memories of the state.
import { describe, expect, it } from 'vitest';
import { ArrivalRate } from '../../../../src/balancer/state/arrival-rate.ts';
import { PassiveHealth } from '../../../../src/balancer/state/passive-health.ts';

const rule = { errors: 3, windowMs: 10_000, ejectMs: 30_000, maxEjected: 0.5 };

function arrive(rate: ArrivalRate, span: { fromMs: number; untilMs: number; perTick: number }): void {
  for (let nowMs = span.fromMs + 100; nowMs <= span.untilMs; nowMs += 100) {
    for (let i = 0; i < span.perTick; i += 1) rate.count();
    rate.tick(nowMs);
  }
}

describe('ArrivalRate', () => {
  it('is 0 before the first tick', () => {
    const rate = new ArrivalRate(0);
    rate.count();
    expect(rate.perSecond).toBe(0);
  });

  it('is the rate of a steady stream', () => {
    const rate = new ArrivalRate(0);
    arrive(rate, { fromMs: 0, untilMs: 20_000, perTick: 3 });
    expect(rate.perSecond).toBeCloseTo(30, 9);
  });

  it('follows a change by two thirds in five seconds', () => {
    const rate = new ArrivalRate(0);
    arrive(rate, { fromMs: 0, untilMs: 10_000, perTick: 1 });
    arrive(rate, { fromMs: 10_000, untilMs: 15_000, perTick: 11 });
    // 10 + 100 × (1 − 1/e)
    expect(rate.perSecond).toBeCloseTo(10 + 100 * (1 - Math.exp(-1)), 6);
  });

  it('keeps what was counted when time stands still', () => {
    const rate = new ArrivalRate(1000);
    rate.count();
    rate.tick(1000);
    expect(rate.perSecond).toBe(0);
    rate.tick(2000);
    expect(rate.perSecond).toBe(1);
  });
});

describe('PassiveHealth', () => {
  it('says when the failures of its window are one too many', () => {
    const health = new PassiveHealth();
    expect([health.fail(0, rule), health.fail(1000, rule), health.fail(2000, rule)]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('forgets failures older than its window', () => {
    const health = new PassiveHealth();
    health.fail(0, rule);
    health.fail(1000, rule);
    expect(health.fail(10_500, rule)).toBe(false);
    expect(health.fail(10_600, rule)).toBe(true);
  });

  it('forgets failures when the node answers', () => {
    const health = new PassiveHealth();
    health.fail(0, rule);
    health.fail(1, rule);
    health.succeed();
    health.succeed();
    expect(health.fail(2, rule)).toBe(false);
  });

  it('is ejected until the instant given, and starts afresh after it', () => {
    const health = new PassiveHealth();
    health.fail(0, rule);
    health.fail(0, rule);
    health.eject(30_000);
    expect(health.isEjected(29_999)).toBe(true);
    expect(health.fail(10_000, rule)).toBe(false);
    expect(health.isEjected(30_000)).toBe(false);
    expect(health.fail(30_000, rule)).toBe(false);
  });

  it('never asks for an ejection when it is off', () => {
    const health = new PassiveHealth();
    const answers = Array.from({ length: 100 }, () => health.fail(0, { ...rule, errors: 0 }));
    expect(answers).not.toContain(true);
  });
});
