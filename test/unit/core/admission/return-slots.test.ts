import { describe, expect, it } from 'vitest';
import { longestReturnMs, ReturnSlots } from '../../../../src/core/admission/return-slots.ts';

describe('moments to come back', () => {
  it('are as far apart as the pool lets clients in, behind those who wait', () => {
    const slots = new ReturnSlots();
    const at = { ahead: 100, perSecond: 50 };
    expect([slots.next(0, at), slots.next(0, at), slots.next(0, at)]).toEqual([2020, 2040, 2060]);
  });

  it('come nearer as time goes by', () => {
    const slots = new ReturnSlots();
    for (let i = 0; i < 100; i += 1) slots.next(0, { ahead: 0, perSecond: 10 });
    expect(slots.next(5000, { ahead: 0, perSecond: 10 })).toBe(5100);
    expect(slots.next(60_000, { ahead: 0, perSecond: 10 })).toBe(100);
  });

  it('are never further away than a minute, however many were refused', () => {
    const slots = new ReturnSlots();
    let last = 0;
    for (let i = 0; i < 10_000; i += 1) last = slots.next(0, { ahead: 0, perSecond: 1 });
    expect(last).toBe(longestReturnMs);
  });
});
