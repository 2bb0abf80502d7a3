import { describe, expect, it } from 'vitest';
import { exponential, lognormal, normal, poisson, quickRng } from '../../../src/simulate/chance.ts';
import { createMeter, spreadOf } from '../../../src/simulate/measure.ts';

const draws = 200_000;

function meanOf(draw: () => number): number {
  let sum = 0;
  for (let count = 0; count < draws; count += 1) sum += draw();
  return sum / draws;
}

describe('quickRng', () => {
  it('repeats a seed and a stream, and differs between seeds and between streams', () => {
    const first = (seed: number, stream: number) => {
      const rng = quickRng(seed, stream);
      return [rng.next(), rng.next(), rng.next()];
    };
    expect(first(1, 1)).toEqual(first(1, 1));
    expect(first(1, 1)).not.toEqual(first(2, 1));
    expect(first(1, 1)).not.toEqual(first(1, 2));
  });

  it('is uniform in [0, 1): mean 0.5 and a tenth in each tenth (200,000 draws, seed 1, within 0.005)', () => {
    const rng = quickRng(1, 1);
    const tenths = new Float64Array(10);
    const mean = meanOf(() => {
      const value = rng.next();
      tenths[Math.floor(value * 10)] = (tenths[Math.floor(value * 10)] ?? 0) + 1 / draws;
      return value;
    });
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.005);
    for (const part of tenths) expect(Math.abs(part - 0.1)).toBeLessThan(0.005);
  });
});

describe('distributions (200,000 draws, seed 2)', () => {
  it.each([0.1, 2, 29, 31, 500])('poisson has mean and variance %d, within 3 per cent', (mean) => {
    const rng = quickRng(2, 1);
    expect(Math.abs(meanOf(() => poisson(rng, mean)) / mean - 1)).toBeLessThan(0.03);
    expect(Math.abs(meanOf(() => (poisson(rng, mean) - mean) ** 2) / mean - 1)).toBeLessThan(0.03);
  });

  it('exponential, lognormal and normal have the means that they promise', () => {
    const rng = quickRng(2, 2);
    expect(Math.abs(meanOf(() => exponential(rng, 5)) - 5)).toBeLessThan(0.05);
    expect(Math.abs(meanOf(() => lognormal(rng, 1)) - 1)).toBeLessThan(0.03);
    expect(Math.abs(meanOf(() => normal(rng)))).toBeLessThan(0.01);
  });

  it('a sigma of 0 is no chance at all, and a mean of 0 no events', () => {
    expect(lognormal(quickRng(2, 3), 0)).toBe(1);
    expect(poisson(quickRng(2, 3), 0)).toBe(0);
  });
});

describe('the meter', () => {
  it('averages max ÷ mean over time and looks at every node for the others', () => {
    const meter = createMeter();
    meter.add([0.5, 0.5], undefined);
    meter.add([0.95, 0.05], undefined);
    expect(meter.figures()).toEqual({
      ratio: (1 + 1.9) / 2,
      deviation: 0.45,
      p99: 0.95,
      highest: 0.95,
      over90: 0.25,
      error: NaN,
    });
  });

  it('says NaN where nothing was done', () => {
    const meter = createMeter();
    meter.add([0, 0], [1, 1]);
    expect(meter.figures()).toEqual({
      ratio: NaN,
      deviation: NaN,
      p99: NaN,
      highest: -Infinity,
      over90: NaN,
      error: NaN,
    });
    expect(spreadOf([])).toEqual({ median: NaN, min: NaN, max: NaN });
  });

  it('says how far scores are from the truth, whatever their scale', () => {
    const meter = createMeter();
    meter.add([0.4, 0.6], [4, 6]);
    expect(meter.figures().error).toBeCloseTo(0, 9);
    meter.add([0.4, 0.6], [3, 3]);
    expect(meter.figures().error).toBeCloseTo(0.2 / 2, 9);
  });

  it('gives middle and range', () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
  });
});
