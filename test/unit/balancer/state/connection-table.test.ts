// What broke once: connections open before the first sweep had messages but no time, so they all looked fast.
import { describe, expect, it } from 'vitest';
import { ConnectionTable } from '../../../../src/balancer/state/connection-table.ts';
import { NodeCounters } from '../../../../src/core/node-counters.ts';

/** Opens connections, gives each `messages(slot)` every half second, and sweeps; the time of the last sweep. */
function run(
  table: ConnectionTable,
  owner: NodeCounters,
  traffic: {
    slots: readonly number[];
    messages: (slot: number) => number;
    halfSeconds: number;
    fromMs?: number;
  },
): number {
  let nowMs = traffic.fromMs ?? 0;
  for (let step = 0; step < traffic.halfSeconds; step += 1) {
    for (const slot of traffic.slots) table.count(slot, traffic.messages(slot));
    nowMs += 500;
    table.sweep(nowMs, [owner]);
  }
  return nowMs;
}

function opened(table: ConnectionTable, owner: NodeCounters, count: number, nowMs = 0): number[] {
  owner.open += count;
  return Array.from({ length: count }, () => table.open(owner, nowMs));
}

describe('ConnectionTable', () => {
  it('is empty and knows no mean at first', () => {
    const table = new ConnectionTable();
    const owner = new NodeCounters();
    table.sweep(500, [owner]);
    expect([table.size, table.meanMessagesPerSecond, owner.messagesPerSecond]).toEqual([0, 0, 0]);
  });

  it('counts the time before the first sweep', () => {
    const table = new ConnectionTable();
    const owner = new NodeCounters();
    const [slot = -1] = opened(table, owner, 1, 1000);
    table.count(slot, 8);
    table.sweep(5000, [owner]);
    expect(table.meanMessagesPerSecond).toBe(2);
    expect(owner.messagesPerSecond).toBe(2);
  });

  it('grows beyond 1,024 connections and keeps what they carried', () => {
    const table = new ConnectionTable();
    const owner = new NodeCounters();
    const early = opened(table, owner, 1000);
    run(table, owner, { slots: early, messages: () => 3, halfSeconds: 20 });
    const late = opened(table, owner, 2000, 10_000);
    expect(table.size).toBe(3000);
    expect(new Set([...early, ...late]).size).toBe(3000);
    run(table, owner, { slots: [...early, ...late], messages: () => 3, halfSeconds: 20, fromMs: 10_000 });
    // 3,000 connections at 6 messages a second each.
    expect(owner.messagesPerSecond).toBeCloseTo(18_000, 3);
  });

  it('uses the slot of a closed connection again, without its past', () => {
    const table = new ConnectionTable();
    const owner = new NodeCounters();
    const [heavy = -1, idle = -1] = opened(table, owner, 2);
    run(table, owner, { slots: [heavy], messages: () => 500, halfSeconds: 20 });
    table.close(heavy);
    owner.open -= 1;
    const again = table.open(owner, 10_000);
    owner.open += 1;
    expect(again).toBe(heavy);
    expect(table.size).toBe(2);
    run(table, owner, { slots: [again, idle], messages: () => 0, halfSeconds: 240, fromMs: 10_000 });
    expect(owner.messagesPerSecond).toBeLessThan(0.01);
  });

  it('gives a fresh connection the mean rate, on its node at the next sweep too', () => {
    const table = new ConnectionTable();
    const owner = new NodeCounters();
    const busy = opened(table, owner, 10);
    const nowMs = run(table, owner, { slots: busy, messages: () => 5, halfSeconds: 40 });
    const other = new NodeCounters();
    opened(table, other, 1, nowMs);
    table.sweep(nowMs, [owner, other]);
    expect(other.messagesPerSecond).toBeCloseTo(10, 6);
  });

  it('tells a heavy connection from idle ones within a few seconds', () => {
    const table = new ConnectionTable();
    const [hot, cold] = [new NodeCounters(), new NodeCounters()];
    const [heavy = -1] = opened(table, hot, 1);
    opened(table, cold, 99);
    for (let nowMs = 500; nowMs <= 20_000; nowMs += 500) {
      table.count(heavy, 50);
      table.sweep(nowMs, [hot, cold]);
    }
    // 100 messages a second in truth; the prior of two seconds at the mean holds back under a fifth of it.
    expect(hot.messagesPerSecond).toBeGreaterThan(80);
    expect(hot.messagesPerSecond).toBeLessThan(100);
    // Two seconds in eleven at the mean of 1.
    expect(cold.messagesPerSecond / 99).toBeLessThan(0.25);
    expect(hot.messagesPerSecond + cold.messagesPerSecond).toBeCloseTo(100, 0);
  });

  it('sums to what all connections carry, whoever carries it', () => {
    const table = new ConnectionTable();
    const owner = new NodeCounters();
    const slots = opened(table, owner, 50);
    run(table, owner, { slots, messages: (slot) => slot % 5, halfSeconds: 60 });
    // Mean of 0..4 twice a second over 50 connections: 200 a second.
    expect(owner.messagesPerSecond).toBeCloseTo(200, 3);
    expect(table.meanMessagesPerSecond).toBeCloseTo(4, 6);
  });

  it('keeps the last mean when all connections are gone', () => {
    const table = new ConnectionTable();
    const owner = new NodeCounters();
    const slots = opened(table, owner, 4);
    const nowMs = run(table, owner, { slots, messages: () => 1, halfSeconds: 20 });
    for (const slot of slots) table.close(slot);
    table.sweep(nowMs + 500, [owner]);
    expect(table.size).toBe(0);
    expect(table.meanMessagesPerSecond).toBeCloseTo(2, 6);
  });

  it('takes the rate of a closed connection off its node at once, never below zero', () => {
    const table = new ConnectionTable();
    const owner = new NodeCounters();
    const slots = opened(table, owner, 2);
    run(table, owner, { slots, messages: () => 1, halfSeconds: 20 });
    const [first = -1, second = -1] = slots;
    table.close(first);
    expect(owner.messagesPerSecond).toBeCloseTo(2, 6);
    table.close(second);
    expect(owner.messagesPerSecond).toBeGreaterThanOrEqual(0);
    expect(owner.messagesPerSecond).toBeCloseTo(0, 6);
  });

  it('ignores closing a slot that is closed', () => {
    const table = new ConnectionTable();
    const owner = new NodeCounters();
    const [slot = -1] = opened(table, owner, 1);
    table.close(slot);
    table.close(slot);
    expect(table.size).toBe(0);
    expect([table.open(owner, 0), table.open(owner, 0)]).toEqual([0, 1]);
  });

  it('counts what is being dialled at the mean rate', () => {
    const table = new ConnectionTable();
    const owner = new NodeCounters();
    const slots = opened(table, owner, 3);
    const nowMs = run(table, owner, { slots, messages: () => 2, halfSeconds: 20 });
    owner.dialling = 5;
    table.sweep(nowMs, [owner]);
    expect(owner.messagesPerSecond).toBeCloseTo(8 * 4, 6);
  });

  it('knows a connection by an id that its slot never gives again', () => {
    const table = new ConnectionTable();
    const owner = new NodeCounters();
    const slots = opened(table, owner, 3);
    const ids = slots.map((slot) => table.idAt(slot));
    expect(ids.map((id) => table.slotOf(id))).toEqual(slots);
    table.close(1);
    expect(table.slotOf(ids[1] ?? -1)).toBe(-1);
    expect(table.open(owner, 0)).toBe(1);
    expect(table.slotOf(ids[1] ?? -1)).toBe(-1);
    expect(table.slotOf(table.idAt(1))).toBe(1);
    opened(table, owner, 2000);
    expect(ids.map((id) => table.slotOf(id))).toEqual([0, -1, 2]);
  });

  it('forgets with a connection who carried it and that it was to leave', () => {
    const table = new ConnectionTable();
    const owner = new NodeCounters();
    const [slot = -1] = opened(table, owner, 1);
    const carrier = { nodeId: 'a', kind: 'tcp' as const, leave: () => {} };
    expect(table.carrierAt(slot)).toBeUndefined();
    table.carry(slot, carrier);
    table.markLeaving(slot);
    expect([table.carrierAt(slot), table.isLeaving(slot)]).toEqual([carrier, true]);
    table.close(slot);
    table.carry(slot, carrier);
    expect(table.carrierAt(slot)).toBeUndefined();
    table.open(owner, 0);
    expect([table.carrierAt(slot), table.isLeaving(slot)]).toEqual([undefined, false]);
  });

  it('keeps messages and bytes for a minute beside the few seconds that placement reads', () => {
    const table = new ConnectionTable();
    const owner = new NodeCounters();
    const [slot = -1] = opened(table, owner, 1);
    for (let nowMs = 500; nowMs <= 600_000; nowMs += 500) {
      table.count(slot, 5, 400);
      table.sweep(nowMs, [owner]);
    }
    for (let nowMs = 600_500; nowMs <= 630_000; nowMs += 500) table.sweep(nowMs, [owner]);
    const [messages, bytes] = [new Float64Array(1), new Float64Array(1)];
    table.copyRates([slot], messages, bytes);
    // Half a minute of silence: e^-0.5 of 10 messages and 800 bytes a second, but e^-6 by the short memory.
    expect(messages[0]).toBeCloseTo(10 * Math.exp(-0.5), 1);
    expect(bytes[0]).toBeCloseTo(800 * Math.exp(-0.5), 0);
    expect(owner.messagesPerSecond).toBeLessThan(1);
  });
});
