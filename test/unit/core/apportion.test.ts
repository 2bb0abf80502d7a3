import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apportion } from '../../../src/core/apportion.ts';

const sum = (parts: Float64Array) => parts.reduce((total, each) => total + each, 0);

describe('apportion', () => {
  it('gives each connection its part of what is above the intercept, by messages', () => {
    const rates = { messagesPerSecond: [30, 10, 0], bytesPerSecond: [0, 0, 0] };
    const parts = apportion(rates, { utilization: 0.5, intercept: 0.1 });
    [0.3, 0.1, 0].forEach((part, i) => expect(parts[i]).toBeCloseTo(part, 12));
  });

  it('counts bytes, 16 KiB as one message more', () => {
    const rates = { messagesPerSecond: [1, 1, 0], bytesPerSecond: [0, 16_384, 16_384] };
    expect([...apportion(rates, { utilization: 0.4, intercept: 0 })]).toEqual([0.1, 0.2, 0.1]);
  });

  it('shares equally when nothing moves', () => {
    const rates = { messagesPerSecond: [0, 0], bytesPerSecond: [0, 0] };
    expect([...apportion(rates, { utilization: 0.5, intercept: 0.25 })]).toEqual([0.125, 0.125]);
  });

  it('is empty for no connections, and 0 for a node at its intercept', () => {
    const nobody = { messagesPerSecond: [], bytesPerSecond: [] };
    expect(apportion(nobody, { utilization: 0.5, intercept: 0 })).toHaveLength(0);
    const busy = { messagesPerSecond: [5, 9], bytesPerSecond: [1, 1] };
    expect([...apportion(busy, { utilization: 0.1, intercept: 0.2 })]).toEqual([0, 0]);
  });

  it('sums up to the utilization together with the intercept', () => {
    const rate = fc.double({ min: 0, max: 1e6, noNaN: true });
    const level = fc.double({ min: 0, max: 4, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(rate, rate), { minLength: 1, maxLength: 50 }),
        level,
        level,
        (rows, utilization, intercept) => {
          const rates = { messagesPerSecond: rows.map(([m]) => m), bytesPerSecond: rows.map(([, b]) => b) };
          const parts = apportion(rates, { utilization, intercept });
          expect(parts.every((part) => part >= 0)).toBe(true);
          expect(sum(parts) + Math.min(intercept, utilization)).toBeCloseTo(utilization, 9);
        },
      ),
      { seed: 3 },
    );
  });
});
