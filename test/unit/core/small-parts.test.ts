// The small arithmetic: decay, median, chance, utilization, signals, errors.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blend, keptWeight } from '../../../src/core/decay.ts';
import { errorCatalogue, HeraldError } from '../../../src/core/error.ts';
import { median } from '../../../src/core/median.ts';
import { pcg32 } from '../../../src/core/rng.ts';
import { isBuiltinSignal, type SignalRule } from '../../../src/core/signal.ts';
import { readUtilization } from '../../../src/core/utilization.ts';

describe('keptWeight', () => {
  it('is 1/e after one time constant and a quarter after 1.386 of them', () => {
    expect(keptWeight(1000, 1000)).toBeCloseTo(Math.exp(-1), 15);
    expect(keptWeight(1386.294, 1000)).toBeCloseTo(0.25, 6);
  });

  it('keeps all when no time has passed, even without a memory, and nothing of it later', () => {
    expect(keptWeight(0, 1000)).toBe(1);
    expect(keptWeight(-5, 1000)).toBe(1);
    expect(keptWeight(0, 0)).toBe(1);
    expect(keptWeight(1, 0)).toBe(0);
    expect(keptWeight(Infinity, 1000)).toBe(0);
  });

  it('forgets as much in two steps as in one', () => {
    const span = fc.double({ min: 1, max: 1e5, noNaN: true });
    fc.assert(
      fc.property(span, span, span, (one, two, constant) => {
        const inSteps = keptWeight(one, constant) * keptWeight(two, constant);
        expect(inSteps).toBeCloseTo(keptWeight(one + two, constant), 12);
      }),
      { seed: 3 },
    );
  });
});

describe('blend', () => {
  it('is the sample when there was nothing before', () => {
    expect(blend(undefined, 7, 0.9)).toBe(7);
  });

  it('lies between what was and what is', () => {
    expect(blend(10, 20, 0.25)).toBe(17.5);
  });
});

describe('median', () => {
  it('is the middle, the mean of two, or what stands for nothing', () => {
    expect(median([3, 1, 2], 0)).toBe(2);
    expect(median([4, 1, 2, 3], 0)).toBe(2.5);
    expect(median([], 42)).toBe(42);
    expect(median([10, 9], 0)).toBe(9.5);
  });

  it('does not change what it looks at', () => {
    const values = new Float64Array([3, 1, 2]);
    median(values, 0);
    expect([...values]).toEqual([3, 1, 2]);
  });

  it('is what sorting finds, with ties, in any order', () => {
    const few = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(few, (all) => {
        const sorted = all.toSorted((a, b) => a - b);
        const half = sorted.length >> 1;
        const upper = sorted[half] ?? NaN;
        const expected = sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? NaN) + upper) / 2;
        expect(median(all, NaN)).toBe(expected);
      }),
      { seed: 6, numRuns: 500 },
    );
  });

  it('ends also when a value is not a number', () => {
    expect(median([NaN, NaN, NaN, 1], 0)).toBeNaN();
  });

  it('has as many values below as above, and cannot be pulled by one of them', () => {
    const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 3 });
    fc.assert(
      fc.property(values, (all) => {
        const middle = median(all, NaN);
        const below = all.filter((each) => each < middle).length;
        const above = all.filter((each) => each > middle).length;
        expect(Math.max(below, above) * 2).toBeLessThanOrEqual(all.length);
        const pulled = median([...all.slice(1), 1e300], NaN);
        expect(pulled).toBeLessThanOrEqual(Math.max(...all));
      }),
      { seed: 5 },
    );
  });
});

describe('pcg32', () => {
  // Made with the published minimal C implementation: pcg32_srandom_r(&rng, seed, 1442695040888963407 >> 1).
  it.each([
    [0, [0xe823a24e, 0x7a7ecbd9, 0x89fd6c06, 0xae646aa8, 0xcd3cf945, 0x6204b303]],
    [42, [0xc2f57bd6, 0x6b07c4a9, 0x72b7b29b, 0x44215383, 0xf5af5ead, 0x68beb632]],
    [-1, [0xd9313036, 0xcd4b6992, 0x7b8ec69e, 0x999dd010, 0x5c4eb9ab, 0xb7673059]],
  ])('gives the published sequence for seed %d', (seed, expected) => {
    const rng = pcg32(seed);
    expect(expected.map(() => rng.next() * 2 ** 32)).toEqual(expected);
  });

  it('is uniform over sixteen parts (n = 160,000, seed 9, five standard deviations)', () => {
    const rng = pcg32(9);
    const counts = Array.from({ length: 16 }, () => 0);
    for (let i = 0; i < 160_000; i += 1) {
      const drawn = rng.next();
      expect(drawn < 1 && drawn >= 0).toBe(true);
      const part = Math.floor(drawn * 16);
      counts[part] = (counts[part] ?? 0) + 1;
    }
    const deviation = Math.sqrt(160_000 * (1 / 16) * (15 / 16));
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(5 * deviation);
  });
});

describe('readUtilization', () => {
  const rules: SignalRule[] = [
    { name: 'cpu', kind: 'additive', saturation: 0.8 },
    { name: 'throughput', kind: 'additive', saturation: 'auto' },
    { name: 'eventLoopLag', kind: 'distress', saturation: 50 },
    { name: 'memory', kind: 'distress', saturation: 0.9 },
  ];
  const max = { combine: { combine: 'max', weights: {} }, autoSaturation: 1000 } as const;

  it('is the fullest resource, and names it', () => {
    expect(readUtilization({ cpu: 0.4, throughput: 700 }, rules, max)).toEqual({
      additive: 0.7,
      bottleneck: 'throughput',
      distress: 0,
    });
  });

  it('is a weighted mean of what was reported where the policy says mean', () => {
    const mean = { combine: { combine: 'mean', weights: { cpu: 3 } }, autoSaturation: 1000 } as const;
    expect(readUtilization({ cpu: 0.4, throughput: 700 }, rules, mean).additive).toBeCloseTo(0.55, 12);
    expect(readUtilization({ cpu: 0.4 }, rules, mean).additive).toBeCloseTo(0.5, 12);
  });

  it('falls back to the highest when the weights of all that was reported are 0', () => {
    const mean = { combine: { combine: 'mean', weights: { cpu: 0 } }, autoSaturation: undefined } as const;
    expect(readUtilization({ cpu: 0.4 }, rules, mean).additive).toBeCloseTo(0.5, 12);
  });

  it('leaves an auto signal out until its saturation is learned', () => {
    const early = readUtilization({ throughput: 700 }, rules, { ...max, autoSaturation: undefined });
    expect(early.additive).toBeNaN();
    expect(early.bottleneck).toBe('');
  });

  it('takes the worst distress, apart from the rest', () => {
    const { additive, distress } = readUtilization(
      { cpu: 0.08, eventLoopLag: 100, memory: 0.45 },
      rules,
      max,
    );
    expect(additive).toBeCloseTo(0.1, 12);
    expect(distress).toBe(2);
  });

  it('says NaN and no distress for an empty report', () => {
    expect(readUtilization({}, rules, max)).toEqual({ additive: NaN, bottleneck: '', distress: 0 });
  });
});

describe('signals', () => {
  it('knows its own from custom ones, also those named like members of every object', () => {
    expect(isBuiltinSignal('cpu')).toBe(true);
    expect(isBuiltinSignal('queueDelayMs')).toBe(false);
    expect(isBuiltinSignal('toString')).toBe(false);
  });
});

describe('HeraldError', () => {
  it('carries its code, status, facts and origin', () => {
    const cause = new Error('ECONNREFUSED');
    const error = new HeraldError('HERALD_DIAL_FAILED', 'cannot reach 10.0.0.1:80', { node: 'a' }, { cause });
    expect(error).toMatchObject({
      name: 'HeraldError',
      code: 'HERALD_DIAL_FAILED',
      status: 502,
      details: { node: 'a' },
      cause,
    });
    expect(new HeraldError('HERALD_INTERNAL', 'x').details).toEqual({});
  });

  it('has a status and two sentences for every code', () => {
    for (const [code, { status, meaning, remedy }] of Object.entries(errorCatalogue)) {
      expect(code).toMatch(/^HERALD_[A-Z_]+$/);
      expect(status >= 400 && status < 600).toBe(true);
      expect(meaning).toMatch(/\.$/);
      expect(remedy).toMatch(/\.$/);
    }
  });
});
