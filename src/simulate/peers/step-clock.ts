// The simulation's time as a Clock, for code of the balancer that sets timers. It stands still between steps.
import type { Clock, Timer } from '../../core/clock.ts';

interface Entry {
  readonly callback: () => void;
  /** Undefined: once. */
  readonly intervalMs: number | undefined;
  isCancelled: boolean;
}

/** A clock of whole milliseconds from 0 on; calls of one millisecond are made in the order in which they were asked for. */
export class StepClock implements Clock {
  #nowMs = 0;
  readonly #due = new Map<number, Entry[]>();

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void): Timer {
    return this.#enter({ callback, intervalMs: undefined, isCancelled: false }, delayMs);
  }

  repeat(intervalMs: number, callback: () => void): Timer {
    return this.#enter({ callback, intervalMs, isCancelled: false }, intervalMs);
  }

  /** Moves time on, millisecond by millisecond, with every call that falls due. Never back: an earlier time does nothing. */
  advanceTo(nowMs: number): void {
    while (this.#nowMs < nowMs) {
      this.#nowMs += 1;
      const entries = this.#due.get(this.#nowMs);
      if (entries === undefined) continue;
      this.#due.delete(this.#nowMs);
      for (const entry of entries) this.#call(entry);
    }
  }

  #call(entry: Entry): void {
    if (entry.isCancelled) return;
    // Before the call, which may cancel it.
    if (entry.intervalMs !== undefined) this.#enter(entry, entry.intervalMs);
    entry.callback();
  }

  #enter(entry: Entry, delayMs: number): Timer {
    const dueMs = this.#nowMs + Math.max(1, Math.ceil(delayMs));
    const entries = this.#due.get(dueMs);
    if (entries === undefined) this.#due.set(dueMs, [entry]);
    else entries.push(entry);
    return { cancel: () => void (entry.isCancelled = true) };
  }
}
