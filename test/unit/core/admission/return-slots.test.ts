import { describe, expect, it } from 'vitest';
import { longestReturnMs, ReturnSlots } from '../../../../src/core/admission/return-slots.ts';

describe('moments to come back', () => {
  it('are as far apart as the pool lets clients in, behind those who wait', () => {
    const slots = new ReturnSlots();
    const at = { waitMs: 2000, perSecond: 50 };
    expect([slots.next(0, at), slots.next(0, at), slots.next(0, at)]).toEqual([2020, 2040, 2060]);
  });

  it('come nearer as time goes by', () => {
    const slots = new ReturnSlots();
    for (let i = 0; i < 100; i += 1) slots.next(0, { waitMs: 0, perSecond: 10 });
    expect(slots.next(5000, { waitMs: 0, perSecond: 10 })).toBe(5100);
    expect(slots.next(60_000, { waitMs: 0, perSecond: 10 })).toBe(100);
  });

  it('are never further away than a minute, and still apart, however many were refused', () => {
    const slots = new ReturnSlots();
    const given = Array.from({ length: 10_000 }, () => slots.next(0, { waitMs: 1e6, perSecond: 10 }));
    expect(Math.max(...given)).toBe(longestReturnMs);
    expect(Math.min(...given)).toBeGreaterThanOrEqual(longestReturnMs / 2);
    expect(new Set(given).size).toBe(301);
  });
});
