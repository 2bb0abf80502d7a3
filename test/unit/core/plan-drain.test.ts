import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerTimeMs, planDrain, type DrainRoom, type DrainTick } from '../../../src/core/plan-drain.ts';

const wide: DrainRoom = { connections: 1e6, connectsPerSecond: 1e6, feedbackMs: 2000, leaving: 1e6 };

function aTick(parts: Partial<DrainTick> = {}): DrainTick {
  return {
    waiting: 1000,
    askWithinMs: 100_000,
    elapsedMs: 250,
    ratePerSecond: 'auto',
    room: wide,
    ...parts,
  };
}

const rooms = fc.record({
  connections: fc.oneof(fc.constant(NaN), fc.double({ min: -1e4, max: 1e5, noNaN: true })),
  connectsPerSecond: fc.double({ min: 0, max: 1e4, noNaN: true }),
  feedbackMs: fc.double({ min: 100, max: 60_000, noNaN: true }),
  leaving: fc.nat(5000),
});
const ticks = fc.record({
  waiting: fc.nat(100_000),
  askWithinMs: fc.double({ min: -1000, max: 1e6, noNaN: true }),
  elapsedMs: fc.double({ min: 1, max: 5000, noNaN: true }),
  ratePerSecond: fc.oneof(fc.constant('auto' as const), fc.double({ min: 0.01, max: 1e5, noNaN: true })),
  room: rooms,
});

describe('planDrain', () => {
  it('asks none when nobody waits, and never more than wait', () => {
    fc.assert(
      fc.property(ticks, (tick) => {
        const planned = planDrain(tick);
        expect(planned).toBeGreaterThanOrEqual(0);
        expect(planned).toBeLessThanOrEqual(tick.waiting);
      }),
    );
    expect(planDrain(aTick({ waiting: 0, askWithinMs: -5 }))).toBe(0);
  });

  it('asks everybody who waits once an answer takes all the time left', () => {
    fc.assert(
      fc.property(ticks, ({ elapsedMs, ...tick }) => {
        const planned = planDrain({ ...tick, elapsedMs, askWithinMs: Math.min(tick.askWithinMs, elapsedMs) });
        expect(planned).toBe(tick.waiting);
      }),
    );
  });

  it('has asked everybody in time, whatever rate and room say, when it is called at every tick', () => {
    fc.assert(
      fc.property(ticks, fc.integer({ min: 250, max: 60_000 }), (tick, askWithinMs) => {
        let { waiting } = tick;
        for (let leftMs = askWithinMs; leftMs > 0; leftMs -= 250)
          waiting -= planDrain({ ...tick, waiting, askWithinMs: leftMs, elapsedMs: 250 });
        expect(waiting).toBeLessThanOrEqual(1e-6);
      }),
    );
  });

  it('never asks fewer for more room, for a faster rate or for less time', () => {
    fc.assert(
      fc.property(ticks, fc.double({ min: 0, max: 1e4, noNaN: true }), (tick, more) => {
        const planned = planDrain(tick) - 1e-9;
        const { room, ratePerSecond } = tick;
        const wider = {
          connections: room.connections + more,
          connectsPerSecond: room.connectsPerSecond + more,
          feedbackMs: room.feedbackMs,
          leaving: room.leaving + more,
        };
        expect(planDrain({ ...tick, room: wider })).toBeGreaterThanOrEqual(planned);
        if (ratePerSecond !== 'auto')
          expect(planDrain({ ...tick, ratePerSecond: ratePerSecond + more })).toBeGreaterThanOrEqual(planned);
        expect(planDrain({ ...tick, askWithinMs: tick.askWithinMs - more })).toBeGreaterThanOrEqual(planned);
      }),
    );
  });

  it('takes in one feedback time at most half of the room', () => {
    const room = { ...wide, connections: 400 };
    expect(planDrain(aTick({ room, elapsedMs: 2000 }))).toBe(200);
  });

  it('never asks for more new connections per second than the others may take', () => {
    expect(planDrain(aTick({ room: { ...wide, connectsPerSecond: 40 } }))).toBe(10);
  });

  it('spreads evenly over the time left without load data and without room', () => {
    expect(planDrain(aTick({ room: { ...wide, connections: NaN } }))).toBe(2.5);
    expect(planDrain(aTick({ room: { ...wide, connections: -3 } }))).toBe(2.5);
  });

  it('keeps to a given rate, but for what the deadline needs', () => {
    expect(planDrain(aTick({ ratePerSecond: 100 }))).toBe(25);
    expect(planDrain(aTick({ ratePerSecond: 1 }))).toBe(2.5);
  });

  it('leaves to those that are leaving until the deadline needs more', () => {
    expect(planDrain(aTick({ room: { ...wide, leaving: 0 } }))).toBe(2.5);
  });
});

describe('answerTimeMs', () => {
  it('is what a goodbye takes, but half of a short deadline and nothing of one that has passed', () => {
    expect([600_000, 24_000, 10_000, 0, -5].map(answerTimeMs)).toEqual([12_000, 12_000, 5000, 0, 0]);
  });
});
