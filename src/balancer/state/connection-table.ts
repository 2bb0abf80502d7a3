// What each open connection of a pool has carried, in columns: 200,000 of them are looked through in a millisecond.
import { keptWeight } from '../../core/decay.ts';
import { expectedRate, rateMemoryMs } from '../../core/expected-rate.ts';
import type { NodeCounters } from '../../core/node-counters.ts';

const firstCapacity = 1024;

interface Columns {
  messages: Float64Array;
  messagesSwept: Float64Array;
  recentMessages: Float64Array;
  exposureSeconds: Float64Array;
  messagesPerSecond: Float64Array;
  openedAtMs: Float64Array;
}

/**
 * Rates of a pool's connections. The estimate of one connection (`expectedRate`) starts at the pool's mean, so a
 * node's sum is right from the first connection on.
 */
export class ConnectionTable {
  #columns: Columns = emptyColumns(firstCapacity);
  readonly #owners: (NodeCounters | undefined)[] = [];
  readonly #free: number[] = [];
  // Before the first sweep every connection has lived since it was opened.
  #sweptAtMs = -Infinity;
  #meanPerSecond = 0;

  /** Messages per second of an average connection lately; 0 before any was seen. */
  get meanMessagesPerSecond(): number {
    return this.#meanPerSecond;
  }

  /** Connections in the table. */
  get size(): number {
    return this.#owners.length - this.#free.length;
  }

  /** Enters a connection of the node counted by `owner`; returns its slot. */
  open(owner: NodeCounters, nowMs: number): number {
    const slot = this.#free.pop() ?? this.#owners.length;
    if (slot >= this.#columns.messages.length) this.#columns = grown(this.#columns);
    this.#owners[slot] = owner;
    for (const column of Object.values(this.#columns) as Float64Array[]) column[slot] = 0;
    this.#columns.openedAtMs[slot] = nowMs;
    this.#columns.messagesPerSecond[slot] = this.#meanPerSecond;
    return slot;
  }

  /** Counts messages of an open connection. */
  count(slot: number, messages: number): void {
    const column = this.#columns.messages;
    column[slot] = (column[slot] ?? 0) + messages;
  }

  /** Takes a connection out, and its rate off its node. A slot is closed once. */
  close(slot: number): void {
    const owner = this.#owners[slot];
    if (owner === undefined) return;
    owner.messagesPerSecond = Math.max(
      0,
      owner.messagesPerSecond - (this.#columns.messagesPerSecond[slot] ?? 0),
    );
    this.#owners[slot] = undefined;
    this.#free.push(slot);
  }

  /** Brings every rate up to date and sums them up for the nodes given (all that own slots). */
  sweep(nowMs: number, nodes: Iterable<NodeCounters>): void {
    const elapsedMs = nowMs - this.#sweptAtMs;
    const kept = keptWeight(elapsedMs, rateMemoryMs);
    this.#sweptAtMs = nowMs;
    this.#updateMean(nowMs, kept, elapsedMs);
    for (const node of nodes) node.messagesPerSecond = node.dialling * this.#meanPerSecond;
    const { recentMessages, exposureSeconds, messagesPerSecond } = this.#columns;
    for (let slot = 0; slot < this.#owners.length; slot += 1) {
      const owner = this.#owners[slot];
      if (owner === undefined) continue;
      const recent = { messages: recentMessages[slot] ?? 0, exposureSeconds: exposureSeconds[slot] ?? 0 };
      const rate = expectedRate(this.#meanPerSecond, recent);
      messagesPerSecond[slot] = rate;
      owner.messagesPerSecond += rate;
    }
  }

  #updateMean(nowMs: number, kept: number, elapsedMs: number): void {
    const { messages, messagesSwept, recentMessages, exposureSeconds, openedAtMs } = this.#columns;
    let allMessages = 0;
    let allSeconds = 0;
    for (let slot = 0; slot < this.#owners.length; slot += 1) {
      if (this.#owners[slot] === undefined) continue;
      const total = messages[slot] ?? 0;
      const recent = (recentMessages[slot] ?? 0) * kept + total - (messagesSwept[slot] ?? 0);
      const lived = Math.min(elapsedMs, nowMs - (openedAtMs[slot] ?? nowMs));
      const seconds = (exposureSeconds[slot] ?? 0) * kept + lived / 1000;
      messagesSwept[slot] = total;
      recentMessages[slot] = recent;
      exposureSeconds[slot] = seconds;
      allMessages += recent;
      allSeconds += seconds;
    }
    if (allSeconds > 0) this.#meanPerSecond = allMessages / allSeconds;
  }
}

function emptyColumns(capacity: number): Columns {
  const column = () => new Float64Array(capacity);
  return {
    messages: column(),
    messagesSwept: column(),
    recentMessages: column(),
    exposureSeconds: column(),
    messagesPerSecond: column(),
    openedAtMs: column(),
  };
}

function grown(columns: Columns): Columns {
  const next = emptyColumns(columns.messages.length * 2);
  for (const name of Object.keys(columns) as (keyof Columns)[]) next[name].set(columns[name]);
  return next;
}
