import { describe, expect, it } from 'vitest';
import { planTraffic } from '../../../src/demo/traffic.ts';

const shape = {
  durationMs: 30_000,
  connections: 300,
  holdMs: 10_000,
  messagesPerSecond: 2,
  sigma: 1.5,
  rampMs: 3000,
};

const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;

describe('demo traffic', () => {
  it('is the same for the same seed and another for another', () => {
    expect(planTraffic(shape, 1)).toEqual(planTraffic(shape, 1));
    expect(planTraffic(shape, 1)).not.toEqual(planTraffic(shape, 2));
  });

  it('comes in order, within the run, and as often as the stay asks', () => {
    const plans = planTraffic(shape, 3);
    const times = plans.map(({ arriveAtMs }) => arriveAtMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBeLessThan(30_000);
    // 300 at first and 30 a second for 27 seconds: 1,110 expected, three deviations are 85.
    expect(plans.length).toBeGreaterThan(1025);
    expect(plans.length).toBeLessThan(1195);
  });

  it('has heavy tails around the mean rate asked for', () => {
    // 20,000 draws, seed 4: the mean of a capped lognormal with sigma 1.5 lies a few per cent under the uncapped 2.
    const plans = planTraffic({ ...shape, connections: 20_000, durationMs: 3000 }, 4);
    const rates = plans.map(({ messagesPerSecond }) => messagesPerSecond).toSorted((a, b) => b - a);
    expect(mean(rates)).toBeGreaterThan(1.7);
    expect(mean(rates)).toBeLessThan(2.1);
    const all = rates.reduce((sum, each) => sum + each, 0);
    const top = rates.slice(0, rates.length / 10).reduce((sum, each) => sum + each, 0);
    expect(top / all).toBeGreaterThan(0.5);
    expect(rates[0]).toBeLessThanOrEqual(50);
  });
});
