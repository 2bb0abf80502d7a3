// The regressions recover what made the data. Noise is seeded; tolerances are stated with each test.
import { describe, expect, it } from 'vitest';
import { addPair, fitShared, learnedWeight, noMoments, type Moments } from '../../../src/core/moments.ts';
import { pcg32, type Rng } from '../../../src/core/rng.ts';

interface Truth {
  readonly idle: number;
  readonly slope: number;
  readonly from: number;
  readonly to: number;
  readonly noise: number;
}

/** `pairs` reports a second apart, x uniform between `from` and `to`, y with uniform noise either way. */
function observe(rng: Rng, { idle, slope, from, to, noise }: Truth, pairs = 120): Moments {
  let moments = noMoments;
  for (let i = 0; i < pairs; i += 1) {
    const x = from + (to - from) * rng.next();
    const y = idle + slope * x + noise * (2 * rng.next() - 1);
    moments = addPair(moments, { x, y }, learnedWeight(1000));
  }
  return moments;
}

const learnedFrom = (all: readonly Moments[]) =>
  fitShared(all.map((moments) => ({ moments, capacity: undefined })));

describe('fitShared', () => {
  it('recovers a shared intercept and each slope (10 nodes, 120 reports, noise ±0.02, 20 %, seeds 1 to 10)', () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const rng = pcg32(seed);
      const slopes = Array.from({ length: 10 }, (_, i) => 0.0005 * (1 + (i % 3)));
      const fit = learnedFrom(
        slopes.map((slope) => observe(rng, { idle: 0.08, slope, from: 50, to: 350, noise: 0.02 })),
      );
      expect(Math.abs(fit.intercept - 0.08)).toBeLessThan(0.015);
      for (const [index, slope] of slopes.entries())
        // A tenth of it is by design: a node at half the pool's slope is pulled towards the pool's.
        expect(Math.abs((fit.slopes[index] ?? NaN) / slope - 1)).toBeLessThan(0.2);
    }
  });

  it('does not charge idle overhead to a node with few connections (a new node beside full ones, 25 %, seed 4)', () => {
    const rng = pcg32(4);
    const full = Array.from({ length: 9 }, () =>
      observe(rng, { idle: 0.15, slope: 0.001, from: 300, to: 600, noise: 0.01 }),
    );
    const fresh = observe(rng, { idle: 0.15, slope: 0.001, from: 0, to: 8, noise: 0.01 });
    const fit = learnedFrom([...full, fresh]);
    // Its utilization ÷ its connections would say 0.04, forty times too much; the intercept is doubted, so a
    // part of it is still charged.
    expect(fit.slopes[9]).toBeGreaterThan(0);
    expect(fit.slopes[9]).toBeLessThan(0.008);
    expect(Math.abs((fit.slope ?? NaN) / 0.001 - 1)).toBeLessThan(0.25);
  });

  it('cannot be pulled by one liar: the pool slope stays within 5 % (10 nodes, seed 6)', () => {
    const rng = pcg32(6);
    const honest = Array.from({ length: 9 }, () =>
      observe(rng, { idle: 0, slope: 0.001, from: 100, to: 500, noise: 0.01 }),
    );
    for (const lie of [0, 0.00001, 0.1, 100]) {
      const liar = observe(rng, { idle: 0, slope: lie, from: 100, to: 500, noise: 0 });
      const fit = learnedFrom([...honest, liar]);
      const poolAlone = learnedFrom(honest).slope ?? NaN;
      if (lie < 1) expect(Math.abs((fit.slope ?? NaN) / poolAlone - 1)).toBeLessThan(0.5);
      if (lie < 0.01) expect(Math.abs((fit.slope ?? NaN) / poolAlone - 1)).toBeLessThan(0.05);
    }
  });

  it('gives declared capacity its word: the slope is the pool slope ÷ capacity, whatever was measured', () => {
    const rng = pcg32(8);
    const moments = [1, 2, 4].map((size) =>
      observe(rng, { idle: 0, slope: 0.002 / size, from: 50, to: 200, noise: 0.005 }),
    );
    const inputs = moments.map((each, i) => ({ moments: each, capacity: 2 ** i }));
    const fit = fitShared(inputs);
    expect(Math.abs((fit.slope ?? NaN) / 0.002 - 1)).toBeLessThan(0.05);
    for (const [index, { capacity }] of inputs.entries())
      expect(fit.slopes[index]).toBeCloseTo((fit.slope ?? NaN) / capacity, 12);
  });

  it('leaves the intercept at 0 when nothing has varied', () => {
    const flat = observe(pcg32(1), { idle: 0.2, slope: 0.001, from: 100, to: 100, noise: 0.02 });
    const fit = learnedFrom([flat, flat]);
    expect(fit.intercept).toBeLessThan(1e-6);
    expect(fit.slope).toBeCloseTo(0.003, 3);
  });

  it('takes what an idle node shows for the most that the intercept can be, its newest report included', () => {
    const busy = observe(pcg32(5), { idle: 0.4, slope: 0, from: 20, to: 200, noise: 0.01 });
    const idle = observe(pcg32(6), { idle: 0.05, slope: 0, from: 0, to: 0, noise: 0 });
    expect(learnedFrom([busy]).intercept).toBeGreaterThan(0.2);
    expect(learnedFrom([busy, idle]).intercept).toBeCloseTo(0.05, 6);
    const inputs = [busy, idle].map((moments) => ({ moments, capacity: undefined }));
    const fit = fitShared(inputs.map((each, index) => ({ ...each, newest: index === 1 ? 0.02 : NaN })));
    expect(fit.intercept).toBeCloseTo(0.02, 6);
    // Nor does a busy node that claims to do nothing lower it for the others.
    const liar = observe(pcg32(7), { idle: 0, slope: 0, from: 20, to: 200, noise: 0 });
    expect(learnedFrom([busy, busy, busy, liar]).intercept).toBeGreaterThan(0.2);
  });

  it('does not take for idle what chance in x hides: load follows what was foreseen (true 0.02, seeds 1 to 5)', () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const rng = pcg32(seed);
      let plain = noMoments;
      let foreseen = noMoments;
      for (let i = 0; i < 120; i += 1) {
        const z = 100;
        const x = 2 * z * rng.next();
        const y = 0.02 + 0.004 * z;
        plain = addPair(plain, { x, y }, learnedWeight(1000));
        foreseen = addPair(foreseen, { x, y, z }, learnedWeight(1000));
      }
      expect(learnedFrom([plain]).intercept).toBeGreaterThan(0.15);
      expect(learnedFrom([foreseen]).intercept).toBeLessThan(0.02);
      expect(Math.abs((learnedFrom([foreseen]).slope ?? NaN) / 0.0042 - 1)).toBeLessThan(0.25);
    }
  });

  it('goes by the mean where x ran against what was foreseen, or nothing was foreseen', () => {
    for (const z of [0, 1]) {
      let moments = noMoments;
      for (let i = 0; i < 60; i += 1) {
        const isHigh = i % 2 === 0;
        moments = addPair(moments, { x: isHigh ? 150 : 50, y: 0.4, z: isHigh ? 0 : 100 * z }, 1);
      }
      expect(learnedFrom([moments]).intercept).toBeLessThan(1e-6);
      expect(learnedFrom([moments]).slope).toBeCloseTo(0.004, 6);
    }
  });

  it('never has an intercept below 0 or slopes below 0', () => {
    const falling = observe(pcg32(2), { idle: 0.5, slope: -0.004, from: 10, to: 100, noise: 0 });
    const steep = observe(pcg32(2), { idle: -0.3, slope: 0.01, from: 50, to: 100, noise: 0 });
    expect(learnedFrom([falling]).slope).toBeGreaterThanOrEqual(0);
    expect(learnedFrom([falling]).intercept).toBeLessThanOrEqual(1);
    expect(learnedFrom([steep]).intercept).toBe(0);
  });

  it('has no slope before two reports, and gives the pool slope to a node without any', () => {
    const once = addPair(noMoments, { x: 10, y: 0.1 }, 1);
    expect(learnedFrom([])).toMatchObject({ intercept: 0, slope: undefined });
    expect(learnedFrom([once, noMoments]).slope).toBeUndefined();
    expect([...learnedFrom([once, noMoments]).slopes]).toEqual([NaN, NaN]);
    const known = observe(pcg32(3), { idle: 0, slope: 0.001, from: 10, to: 100, noise: 0 });
    const fit = learnedFrom([known, noMoments]);
    expect(fit.slopes[1]).toBe(fit.slope);
  });

  it('follows a deploy that doubles the cost within a minute and a half (10 %)', () => {
    const rng = pcg32(12);
    let moments = observe(rng, { idle: 0, slope: 0.001, from: 50, to: 300, noise: 0.01 });
    for (let i = 0; i < 90; i += 1) {
      const x = 50 + 250 * rng.next();
      moments = addPair(moments, { x, y: 0.002 * x }, learnedWeight(1000));
    }
    expect(Math.abs((learnedFrom([moments]).slope ?? NaN) / 0.002 - 1)).toBeLessThan(0.1);
  });
});
