import { describe, expect, it } from 'vitest';
import { Overfill } from '../../../../src/core/admission/overfill.ts';

const afterMs = 10_000;

/** Notes every second from `from` to `to`, in seconds. */
function note(overfill: Overfill, hasRoom: boolean, [from, to]: readonly [number, number]): void {
  for (let second = from; second <= to; second += 1) overfill.note(second * 1000, hasRoom, afterMs);
}

describe('a pool without room', () => {
  it('yields once it has lacked room for the time given', () => {
    const overfill = new Overfill();
    note(overfill, false, [0, 9]);
    expect(overfill.isYielding).toBe(false);
    note(overfill, false, [10, 10]);
    expect(overfill.isYielding).toBe(true);
  });

  it('counts on while single clients find room, and begins anew after two seconds in which all do', () => {
    const trickle = new Overfill();
    for (let second = 0; second <= 10; second += 1) {
      trickle.note(second * 1000, false, afterMs);
      trickle.note(second * 1000 + 500, true, afterMs);
    }
    expect(trickle.isYielding).toBe(true);
    const calm = new Overfill();
    note(calm, false, [0, 5]);
    note(calm, true, [6, 8]);
    expect(calm.lacksRoom).toBe(false);
    note(calm, false, [9, 12]);
    expect(calm.isYielding).toBe(false);
  });

  it('takes silence for nothing until those who were refused must be back', () => {
    const silent = new Overfill();
    note(silent, false, [0, 4]);
    note(silent, false, [50, 50]);
    expect(silent.isYielding).toBe(true);
    const lucky = new Overfill();
    note(lucky, false, [0, 4]);
    note(lucky, true, [12, 12]);
    note(lucky, false, [13, 13]);
    expect(lucky.isYielding).toBe(true);
    const forgotten = new Overfill();
    note(forgotten, false, [0, 4]);
    note(forgotten, false, [70, 70]);
    expect(forgotten.isYielding).toBe(false);
  });

  it('goes on yielding until nobody has missed room for as long', () => {
    const overfill = new Overfill();
    note(overfill, false, [0, 10]);
    note(overfill, true, [11, 20]);
    expect(overfill.isYielding).toBe(true);
    note(overfill, true, [21, 21]);
    expect(overfill.isYielding).toBe(false);
  });

  it('tells how long it holds on', () => {
    const overfill = new Overfill();
    expect(overfill.untilYieldMs(5000, afterMs)).toBe(10_000);
    note(overfill, false, [5, 8]);
    expect(overfill.untilYieldMs(8000, afterMs)).toBe(7000);
    note(overfill, false, [9, 15]);
    expect(overfill.untilYieldMs(15_000, afterMs)).toBe(0);
  });

  it('holds nobody with a time of 0', () => {
    const overfill = new Overfill();
    overfill.note(0, false, 0);
    expect(overfill.isYielding).toBe(true);
    overfill.note(1, false, 0);
    expect(overfill.isYielding).toBe(true);
  });
});
