import { describe, expect, it } from 'vitest';
import { expectedRate, nextArrivalRate } from '../../../src/core/expected-rate.ts';

describe('expectedRate', () => {
  it('is the prior for a connection that has not lived yet', () => {
    expect(expectedRate(3, { messages: 0, exposureSeconds: 0 })).toBe(3);
  });

  it('is halfway between the prior and its own rate after half a second', () => {
    expect(expectedRate(3, { messages: 2.5, exposureSeconds: 0.5 })).toBe(4);
  });
});

describe('nextArrivalRate', () => {
  it('is the first span itself, and then moves by what five seconds forget', () => {
    expect(nextArrivalRate(undefined, { count: 4, elapsedMs: 500 })).toBe(8);
    expect(nextArrivalRate(8, { count: 0, elapsedMs: 5000 })).toBeCloseTo(8 / Math.E, 12);
  });
});
