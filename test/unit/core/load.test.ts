// What broke once: a report of 90 % or more (or without any additive signal) was swallowed whole: the load stayed
// what it had been, sequence and age included, so a full node looked as it did before it filled up, then expired.
import { describe, expect, it } from 'vitest';
import {
  absorbReport,
  isNewer,
  type AbsorbRule,
  type NodeLoad,
  type RelayWindow,
} from '../../../src/core/load.ts';
import type { Report } from '../../../src/protocol/report.ts';
import { aPolicy } from '../../support/a-policy.ts';
import { aReport } from '../../support/a-report.ts';

const rule: AbsorbRule = {
  signals: [
    { name: 'cpu', kind: 'additive', saturation: 1 },
    { name: 'eventLoopLag', kind: 'distress', saturation: 50 },
  ],
  combine: { combine: 'max', weights: {} },
  smoothingMs: 1000,
  expiryMs: 10_000,
  autoSaturation: undefined,
};

interface Moment {
  readonly nowMs?: number;
  readonly rule?: AbsorbRule;
  readonly relay?: RelayWindow;
}

const take = (previous: NodeLoad | undefined, report: Report, { nowMs = 0, ...rest }: Moment = {}) =>
  absorbReport(previous, report, { nowMs, rule: rest.rule ?? rule, relay: rest.relay });

/** A report with this share of the CPU. */
const atCpu = (cpu: number, parts: Parameters<typeof aReport>[0] = {}) =>
  aReport({ signals: { cpu }, ...parts });

describe('absorbReport', () => {
  it('takes the first report as it is', () => {
    const load = take(undefined, atCpu(0.4, { connections: 7, ageMs: 30 }), { nowMs: 1000 });
    expect(load).toMatchObject({
      utilization: 0.4,
      smoothedConnections: 7,
      reportedConnections: 7,
      countedAtSample: 7,
      sampledAtMs: 970,
      firstAtMs: 1000,
      distress: 0,
    });
  });

  it('moves utilization, connections and message rate by the same part', () => {
    const first = take(undefined, atCpu(0.2, { connections: 10 }), {
      relay: { messagesPerSecond: 100, expectedPerSecond: 100, connections: 10 },
    });
    const next = take(first, atCpu(0.6, { seq: 2, connections: 30 }), {
      nowMs: 1000,
      relay: { messagesPerSecond: 300, expectedPerSecond: 300, connections: 30 },
    });
    const part = 1 - Math.exp(-1);
    expect(next.utilization).toBeCloseTo(0.2 + 0.4 * part, 12);
    expect(next.smoothedConnections).toBeCloseTo(10 + 20 * part, 12);
    expect(next.smoothedMessagesPerSecond).toBeCloseTo(100 + 200 * part, 12);
    expect(next.latest.additive).toBe(0.6);
    expect(next.countedAtSample).toBe(30);
  });

  it('takes reports raw without smoothing', () => {
    const first = take(undefined, atCpu(0.2));
    const next = take(first, atCpu(0.6, { seq: 2 }), { nowMs: 1000, rule: { ...rule, smoothingMs: 0 } });
    expect(next.utilization).toBe(0.6);
  });

  it.each([0.9, 1, 3.5])('takes in a report of a full node (%d)', (cpu) => {
    const first = take(undefined, atCpu(0.2, { connections: 4 }));
    const next = take(first, atCpu(cpu, { seq: 2, connections: 9 }), {
      nowMs: 60_000,
      rule: { ...rule, expiryMs: 1e9 },
    });
    expect(next).toMatchObject({ seq: 2, sampledAtMs: 60_000, reportedConnections: 9 });
    expect(next.utilization).toBeCloseTo(cpu, 9);
  });

  it('compares later rates with the middle of what was carried and what was expected', () => {
    const relay = { messagesPerSecond: 100, expectedPerSecond: 60, connections: 4 };
    expect(take(undefined, atCpu(0.2), { relay }).smoothedMessagesPerSecond).toBe(80);
  });

  it('learns nothing from a full node, and forgets nothing', () => {
    const first = take(undefined, atCpu(0.2, { connections: 4 }), {
      relay: { messagesPerSecond: 9, expectedPerSecond: 9, connections: 4 },
    });
    const { byMessages, byConnections, byThroughput } = take(first, atCpu(0.95, { seq: 2 }), {
      nowMs: 60_000,
    });
    expect([byMessages, byConnections, byThroughput]).toEqual([
      first.byMessages,
      first.byConnections,
      first.byThroughput,
    ]);
  });

  it('has no utilization without an additive signal, and has it back with the next', () => {
    const first = take(undefined, atCpu(0.2));
    const blind = take(first, aReport({ seq: 2, signals: { eventLoopLag: 5 } }), { nowMs: 1000 });
    expect(blind.utilization).toBeNaN();
    expect(blind.seq).toBe(2);
    expect(blind.distress).toBeGreaterThan(0);
    expect(take(blind, atCpu(0.7, { seq: 3 }), { nowMs: 2000 }).utilization).toBe(0.7);
  });

  it('smooths distress as it does utilization, from 0', () => {
    const first = take(undefined, aReport({ signals: { cpu: 0.1, eventLoopLag: 100 } }));
    expect(first.distress).toBe(2);
    expect(take(first, atCpu(0.1, { seq: 2 }), { nowMs: 1000 }).distress).toBeCloseTo(2 * Math.exp(-1), 12);
  });

  it('starts afresh with a new epoch, and keeps what was learned', () => {
    const first = take(undefined, atCpu(0.2, { connections: 10 }));
    const next = take(first, atCpu(0.6, { epoch: 'e2', seq: 0, connections: 10 }), { nowMs: 1000 });
    expect(next.utilization).toBe(0.6);
    expect(next.firstAtMs).toBe(1000);
    expect(next.byConnections.weight).toBeGreaterThan(1.9);
  });

  it('starts afresh after a gap longer than the expiry, not before', () => {
    const first = take(undefined, atCpu(0.2));
    expect(take(first, atCpu(0.6, { seq: 2 }), { nowMs: 10_000 }).firstAtMs).toBe(0);
    const late = take(first, atCpu(0.6, { seq: 2 }), { nowMs: 10_001 });
    expect([late.firstAtMs, late.utilization]).toEqual([10_001, 0.6]);
  });

  it('lets a sample that is older than the last change nothing smoothed', () => {
    const first = take(undefined, atCpu(0.2), { nowMs: 5000 });
    const next = take(first, atCpu(0.8, { seq: 2, ageMs: 4000 }), { nowMs: 5100 });
    expect(next.utilization).toBe(0.2);
    expect(next.seq).toBe(2);
  });

  it('pairs the throughput with what the other additive signals show', () => {
    const { signals, score } = aPolicy();
    const load = take(undefined, aReport({ signals: { cpu: 0.4, throughput: 1200 } }), {
      rule: { ...rule, signals, combine: score, autoSaturation: 2000 },
    });
    expect(load.latest.additive).toBe(0.6);
    expect(load.byThroughput).toMatchObject({ weight: 1, x: 1200, y: 0.5 });
  });

  it('leaves the throughput unpaired when nothing else was reported', () => {
    const { signals, score } = aPolicy();
    const load = take(undefined, aReport({ signals: { cpu: NaN, throughput: 900 } }), {
      rule: {
        ...rule,
        signals: signals.filter(({ name }) => name === 'throughput'),
        combine: score,
        autoSaturation: 2000,
      },
    });
    expect(load.utilization).toBe(0.45);
    expect(load.byThroughput.weight).toBe(0);
  });
});

describe('isNewer', () => {
  it('wants a higher number in the same epoch, and any in another', () => {
    const load = take(undefined, atCpu(0.2, { seq: 5 }));
    expect(isNewer(undefined, aReport({ seq: 0 }))).toBe(true);
    expect(isNewer(load, aReport({ seq: 5 }))).toBe(false);
    expect(isNewer(load, aReport({ seq: 4 }))).toBe(false);
    expect(isNewer(load, aReport({ seq: 6 }))).toBe(true);
    expect(isNewer(load, aReport({ seq: 0, epoch: 'e2' }))).toBe(true);
  });
});
