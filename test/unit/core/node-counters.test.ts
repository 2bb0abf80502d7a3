// What broke once: the connections at a sample were those of the note before it, so that what was placed up to a
// tenth of a second before a sample was in the report and counted again as placed since.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NodeCounters } from '../../../src/core/node-counters.ts';

/** Counters noted every 100 ms up to `untilMs`, with one message and no connection per 10 ms. */
function steady(untilMs: number): NodeCounters {
  const counters = new NodeCounters();
  for (let nowMs = 0; nowMs <= untilMs; nowMs += 100) {
    counters.messagesToNodeTotal = nowMs / 10;
    counters.record(nowMs);
  }
  return counters;
}

describe('NodeCounters', () => {
  it('counts connections and messages over both stages and both ways', () => {
    const counters = Object.assign(new NodeCounters(), { open: 3, dialling: 2 });
    counters.messagesToNodeTotal = 5;
    counters.messagesToClientTotal = 7;
    expect(counters.connections).toBe(5);
    expect(counters.messagesTotal).toBe(12);
  });

  it('answers with the counts now when nothing was noted', () => {
    const counters = Object.assign(new NodeCounters(), { open: 4, messagesToNodeTotal: 9 });
    expect(counters.at(50, 100)).toMatchObject({ messages: 9, connections: 4 });
  });

  it('reads messages between two notes by straight line', () => {
    expect(steady(1000).at(450, 1000).messages).toBeCloseTo(45, 9);
  });

  it('reads messages between the last note and now by straight line', () => {
    const counters = steady(1000);
    counters.messagesToNodeTotal = 200;
    expect(counters.at(1025, 1050).messages).toBeCloseTo(150, 9);
    expect(counters.at(1050, 1050).messages).toBe(200);
  });

  it('reads connections of the nearer note', () => {
    const counters = new NodeCounters();
    counters.record(0);
    counters.open = 10;
    counters.record(100);
    expect(counters.at(40, 100).connections).toBe(0);
    expect(counters.at(60, 100).connections).toBe(10);
  });

  it('has what was placed since the last note in a sample of this moment', () => {
    const counters = new NodeCounters();
    counters.record(0);
    counters.dialling = 7;
    expect(counters.at(87, 90).connections).toBe(7);
  });

  it('answers with the oldest note for anything older', () => {
    expect(steady(1000).at(-500, 1000).messages).toBe(0);
  });

  it('remembers 128 notes and says how far back that reaches', () => {
    const counters = steady(20_000);
    expect(counters.at(7300, 20_000)).toMatchObject({ messages: 730, atMs: 7300 });
    // 128 notes reach back from 20,000 to 7,300: what was before is gone.
    expect(counters.at(1000, 20_000)).toMatchObject({ messages: 730, atMs: 7300 });
    expect(counters.at(15_050, 20_000)).toMatchObject({ messages: 1505, atMs: 15_050 });
  });

  it('averages the expected rate over the notes of a span', () => {
    const counters = new NodeCounters();
    for (const nowMs of [0, 100, 200, 300, 400]) {
      counters.messagesPerSecond = nowMs;
      counters.record(nowMs);
    }
    // From 100 on, not at it: a note stands for the time up to it.
    expect(counters.expectedOver({ startMs: 100, endMs: 300 })).toBe(250);
    expect(counters.expectedOver({ startMs: -1000, endMs: 100 })).toBe(50);
  });

  it('expects what it does now over a span without notes', () => {
    const counters = Object.assign(new NodeCounters(), { messagesPerSecond: 7 });
    expect(counters.expectedOver({ startMs: 0, endMs: 1000 })).toBe(7);
    counters.record(5000);
    counters.messagesPerSecond = 9;
    expect(counters.expectedOver({ startMs: 0, endMs: 1000 })).toBe(9);
  });

  it('lives with two notes at one instant', () => {
    const counters = new NodeCounters();
    counters.record(100);
    counters.messagesToNodeTotal = 4;
    counters.record(100);
    expect(counters.at(100, 100).messages).toBe(4);
    expect(counters.at(50, 100).messages).toBe(0);
  });

  it('never reads a count that was not between its neighbours', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 50 }), { minLength: 2, maxLength: 200 }), fc.nat(), (steps, at) => {
        const counters = new NodeCounters();
        for (const [index, added] of steps.entries()) {
          counters.messagesToClientTotal += added;
          counters.record(index * 100);
        }
        const nowMs = (steps.length - 1) * 100;
        const atMs = at % (nowMs + 1);
        const { messages } = counters.at(atMs, nowMs);
        const later = counters.at(Math.min(nowMs, atMs + 1), nowMs).messages;
        expect(messages).toBeGreaterThanOrEqual(0);
        expect(later).toBeGreaterThanOrEqual(messages);
        expect(later).toBeLessThanOrEqual(counters.messagesTotal);
      }),
      { seed: 11, numRuns: 300 },
    );
  });
});
