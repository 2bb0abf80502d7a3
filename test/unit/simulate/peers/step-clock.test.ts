import { describe, expect, it } from 'vitest';
import { StepClock } from '../../../../src/simulate/peers/step-clock.ts';

describe('the clock of a simulation', () => {
  it('makes calls at their time, in the order in which they were asked for', () => {
    const clock = new StepClock();
    const calls: string[] = [];
    const call = (name: string) => () => void calls.push(`${name} ${clock.nowMs()}`);
    clock.repeat(40, call('often'));
    clock.schedule(80, call('once'));
    clock.schedule(0, call('soon'));
    clock.advanceTo(100);
    expect(calls).toEqual(['soon 1', 'often 40', 'once 80', 'often 80']);
    expect([clock.nowMs(), clock.wallMs()]).toEqual([100, 100]);
  });

  it('does not call what was cancelled, also when it cancels itself', () => {
    const clock = new StepClock();
    let calls = 0;
    const timer = clock.repeat(10, () => {
      calls += 1;
      timer.cancel();
    });
    clock.schedule(5, () => void (calls += 100)).cancel();
    clock.advanceTo(100);
    expect(calls).toBe(1);
  });

  it('never goes back', () => {
    const clock = new StepClock();
    clock.advanceTo(100);
    clock.advanceTo(50);
    expect(clock.nowMs()).toBe(100);
  });
});
