// What each open connection of a pool has carried, in columns: 200,000 of them are looked through in a millisecond.
import { keptWeight } from '../../core/decay.ts';
import { expectedRate, rateMemoryMs } from '../../core/expected-rate.ts';
import type { NodeCounters } from '../../core/node-counters.ts';
import { clearSlot, emptyColumns, grownColumns } from './connection-columns.ts';
import type { Carrier } from './ports.ts';

const firstCapacity = 1024;
// Ids are generation × this + slot: exact up to 2^53 with generations of 32 bits.
const maxSlots = 2 ** 21;

/**
 * How long what a connection carried counts when shedding chooses. The few seconds that placement reads would take a burst for a heavy
 * connection, and moving it would relieve nothing.
 */
export const longMemoryMs = 60_000;

/**
 * Rates of a pool's connections. The estimate of one connection (`expectedRate`) starts at the pool's mean, so a
 * node's sum is right from the first connection on.
 */
export class ConnectionTable {
  #columns = emptyColumns(firstCapacity);
  readonly #owners: (NodeCounters | undefined)[] = [];
  readonly #carriers: (Carrier | undefined)[] = [];
  readonly #free: number[] = [];
  // Before the first sweep every connection has lived since it was opened.
  #sweptAtMs = -Infinity;
  #returnsUntilMs = -Infinity;
  #meanPerSecond = 0;
  #longMeanMessages = 0;
  #longMeanBytes = 0;

  /** Messages per second of an average connection lately; 0 before any was seen. */
  get meanMessagesPerSecond(): number {
    return this.#meanPerSecond;
  }

  /** Connections in the table. */
  get size(): number {
    return this.#owners.length - this.#free.length;
  }

  /** Slots to look through, free ones among them. */
  get slots(): number {
    return this.#owners.length;
  }

  /** Enters a connection of the node counted by `owner`; returns its slot. */
  open(owner: NodeCounters, nowMs: number): number {
    const slot = this.#free.pop() ?? this.#owners.length;
    if (slot >= this.#columns.messages.length) this.#columns = grownColumns(this.#columns);
    this.#owners[slot] = owner;
    this.#carriers[slot] = undefined;
    clearSlot(this.#columns, slot);
    this.#columns.openedAtMs[slot] = nowMs;
    this.#columns.mayBeBack[slot] = nowMs <= this.#returnsUntilMs ? 1 : 0;
    this.#columns.messagesPerSecond[slot] = this.#meanPerSecond;
    return slot;
  }

  /** Counts what an open connection carried. */
  count(slot: number, messages: number, bytes = 0): void {
    const { messages: carried, bytes: carriedBytes } = this.#columns;
    carried[slot] = (carried[slot] ?? 0) + messages;
    carriedBytes[slot] = (carriedBytes[slot] ?? 0) + bytes;
  }

  /** Says who carries an open connection. */
  carry(slot: number, carrier: Carrier): void {
    if (this.#owners[slot] !== undefined) this.#carriers[slot] = carrier;
  }

  /** Who carries the connection in a slot; undefined for free slots and for what cannot be asked to leave. */
  carrierAt(slot: number): Carrier | undefined {
    return this.#carriers[slot];
  }

  /** The number by which the connection in a slot is known outside. */
  idAt(slot: number): number {
    return (this.#columns.generation[slot] ?? 0) * maxSlots + slot;
  }

  /** The slot of the connection with this id; -1 when it has gone or never was. */
  slotOf(id: number): number {
    const slot = id % maxSlots;
    return this.#owners[slot] !== undefined && this.idAt(slot) === id ? slot : -1;
  }

  openedAtMs(slot: number): number {
    return this.#columns.openedAtMs[slot] ?? 0;
  }

  /** Whether the connection may be one that was asked to leave and came back. */
  mayBeBack(slot: number): boolean {
    return this.#columns.mayBeBack[slot] === 1;
  }

  /** Connections opened up to this instant may be ones that came back. */
  expectReturns(untilMs: number): void {
    this.#returnsUntilMs = Math.max(this.#returnsUntilMs, untilMs);
  }

  isLeaving(slot: number): boolean {
    return this.#columns.isLeaving[slot] === 1;
  }

  /** Notes that the connection in a slot has been asked to leave. */
  markLeaving(slot: number): void {
    this.#columns.isLeaving[slot] = 1;
  }

  /**
   * Writes what the connections in these slots carry per second over the long memory, as of the last sweep, into two
   * columns. By columns, since a planner looks at a hundred thousand of them between two messages.
   */
  copyRates(slots: ArrayLike<number>, messagesPerSecond: Float64Array, bytesPerSecond: Float64Array): void {
    const { longMessages, longBytes, longSeconds } = this.#columns;
    const recent = { messages: 0, exposureSeconds: 0 };
    for (let row = 0; row < slots.length; row += 1) {
      const slot = slots[row] ?? 0;
      recent.exposureSeconds = longSeconds[slot] ?? 0;
      recent.messages = longMessages[slot] ?? 0;
      messagesPerSecond[row] = expectedRate(this.#longMeanMessages, recent);
      recent.messages = longBytes[slot] ?? 0;
      bytesPerSecond[row] = expectedRate(this.#longMeanBytes, recent);
    }
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
    this.#carriers[slot] = undefined;
    this.#free.push(slot);
  }

  /** Brings every rate up to date and sums them up for the nodes given (all that own slots). */
  sweep(nowMs: number, nodes: Iterable<NodeCounters>): void {
    const elapsedMs = nowMs - this.#sweptAtMs;
    this.#sweptAtMs = nowMs;
    this.#updateSums(nowMs, elapsedMs);
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

  /** Moves what was carried since the last sweep into both memories, and makes the means. */
  #updateSums(nowMs: number, elapsedMs: number): void {
    const { messages, bytes, recentMessages, exposureSeconds, openedAtMs } = this.#columns;
    const { longMessages, longBytes, longSeconds } = this.#columns;
    const kept = keptWeight(elapsedMs, rateMemoryMs);
    const longKept = keptWeight(elapsedMs, longMemoryMs);
    const sums = { messages: 0, seconds: 0, longMessages: 0, longBytes: 0, longSeconds: 0 };
    for (let slot = 0; slot < this.#owners.length; slot += 1) {
      if (this.#owners[slot] === undefined) continue;
      const newMessages = messages[slot] ?? 0;
      const newSeconds = Math.min(elapsedMs, nowMs - (openedAtMs[slot] ?? nowMs)) / 1000;
      sums.messages += recentMessages[slot] = (recentMessages[slot] ?? 0) * kept + newMessages;
      sums.seconds += exposureSeconds[slot] = (exposureSeconds[slot] ?? 0) * kept + newSeconds;
      sums.longMessages += longMessages[slot] = (longMessages[slot] ?? 0) * longKept + newMessages;
      sums.longBytes += longBytes[slot] = (longBytes[slot] ?? 0) * longKept + (bytes[slot] ?? 0);
      sums.longSeconds += longSeconds[slot] = (longSeconds[slot] ?? 0) * longKept + newSeconds;
      messages[slot] = 0;
      bytes[slot] = 0;
    }
    if (sums.seconds > 0) this.#meanPerSecond = sums.messages / sums.seconds;
    if (sums.longSeconds <= 0) return;
    this.#longMeanMessages = sums.longMessages / sums.longSeconds;
    this.#longMeanBytes = sums.longBytes / sums.longSeconds;
  }
}
