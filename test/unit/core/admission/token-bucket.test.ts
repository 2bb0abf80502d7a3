import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { burstOf, TokenBucket } from '../../../../src/core/admission/token-bucket.ts';

/** Takes as often as the bucket allows, at most `wanted` times. */
function takeUpTo(bucket: TokenBucket, wanted: number, at: { nowMs: number; rate: number; burst: number }) {
  let taken = 0;
  while (taken < wanted && bucket.hasToken(at.nowMs, at.rate, at.burst)) {
    bucket.take();
    taken += 1;
  }
  return taken;
}

describe('a token bucket', () => {
  it('begins full and gives no more than its burst at once', () => {
    expect(takeUpTo(new TokenBucket(), 100, { nowMs: 5000, rate: 10, burst: 7 })).toBe(7);
  });

  it('gives one whenever the rate has brought one', () => {
    const bucket = new TokenBucket();
    takeUpTo(bucket, 100, { nowMs: 0, rate: 10, burst: 1 });
    expect(bucket.hasToken(99, 10, 1)).toBe(false);
    expect(bucket.hasToken(100, 10, 1)).toBe(true);
  });

  it('does not save more than its burst while nobody asks', () => {
    const bucket = new TokenBucket();
    takeUpTo(bucket, 100, { nowMs: 0, rate: 10, burst: 3 });
    expect(takeUpTo(bucket, 100, { nowMs: 3_600_000, rate: 10, burst: 3 })).toBe(3);
  });

  it('never gives more than rate × time + burst over any span', () => {
    const moments = fc.array(fc.record({ afterMs: fc.nat(2000), wanted: fc.nat(50) }), { maxLength: 60 });
    const bounds = { rate: fc.double({ min: 0.1, max: 500, noNaN: true }), burstMs: fc.nat(3000) };
    fc.assert(
      fc.property(moments, fc.record(bounds), (steps, { rate, burstMs }) => {
        const burst = burstOf(rate, burstMs);
        const bucket = new TokenBucket();
        const taken: { atMs: number; count: number }[] = [];
        let nowMs = 0;
        for (const { afterMs, wanted } of steps) {
          nowMs += afterMs;
          taken.push({ atMs: nowMs, count: takeUpTo(bucket, wanted, { nowMs, rate, burst }) });
        }
        taken.forEach((from, first) => {
          let sum = 0;
          for (const { atMs, count } of taken.slice(first)) {
            sum += count;
            const most = burst + (rate * (atMs - from.atMs)) / 1000;
            expect(sum).toBeLessThanOrEqual(most + 1e-6);
          }
        });
      }),
      { seed: 4, numRuns: 200 },
    );
  });
});

describe('a burst', () => {
  it('is what the rate gives in its span, and never less than one', () => {
    expect(burstOf(200, 500)).toBe(100);
    expect(burstOf(0.1, 1000)).toBe(1);
    expect(burstOf(200, 0)).toBe(1);
  });
});
