import { describe, expect, it } from 'vitest';
import { createRequestRate } from '../../../../src/balancer/admin/request-rate.ts';
import { HeraldError } from '../../../../src/core/error.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

function refusalOf(take: () => void): HeraldError | undefined {
  try {
    take();
    return undefined;
  } catch (error) {
    if (error instanceof HeraldError) return error;
    throw error;
  }
}

describe('the rate of a caller', () => {
  it('allows a burst, then as much as comes back', () => {
    const clock = new ManualClock();
    const take = createRequestRate(clock, { perSecond: 2, burst: 3 });
    for (let i = 0; i < 3; i++) take('a');
    expect(refusalOf(() => take('a'))).toMatchObject({
      code: 'HERALD_TOO_MANY_REQUESTS',
      details: { retryAfterMs: 500 },
    });
    clock.advance(500);
    take('a');
    expect(refusalOf(() => take('a'))).toBeDefined();
  });

  it('does not save up more than the burst', () => {
    const clock = new ManualClock();
    const take = createRequestRate(clock, { perSecond: 2, burst: 3 });
    clock.advance(3_600_000);
    for (let i = 0; i < 3; i++) take('a');
    expect(refusalOf(() => take('a'))).toBeDefined();
  });

  it('is its own', () => {
    const take = createRequestRate(new ManualClock(), { perSecond: 1, burst: 1 });
    take('a');
    expect(refusalOf(() => take('b'))).toBeUndefined();
  });
});
