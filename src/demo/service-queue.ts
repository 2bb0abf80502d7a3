// A node's capacity as a queue with a service time for each message: two cores can so play five machines.
import type { Clock } from '../core/clock.ts';

/** One server that works off messages in order, each in `serviceMs`. It computes when; it burns no CPU. */
export class ServiceQueue {
  readonly #clock: Clock;
  readonly #longestDelayMs: number;
  #serviceMs: number;
  #busyUntilMs: number;
  #acceptedMs = 0;
  droppedTotal = 0;

  constructor(clock: Clock, options: { serviceMs: number; longestDelayMs: number }) {
    this.#clock = clock;
    this.#serviceMs = options.serviceMs;
    this.#longestDelayMs = options.longestDelayMs;
    this.#busyUntilMs = clock.nowMs();
  }

  /** What one message costs from now on. */
  setServiceMs(serviceMs: number): void {
    this.#serviceMs = serviceMs;
  }

  /** Milliseconds until everything accepted is done. */
  delayMs(): number {
    return Math.max(0, this.#busyUntilMs - this.#clock.nowMs());
  }

  /** Takes a message: milliseconds until its answer is due; undefined when the queue is too long and drops it. */
  accept(): number | undefined {
    if (this.delayMs() > this.#longestDelayMs) {
      this.droppedTotal += 1;
      return undefined;
    }
    this.#busyUntilMs = Math.max(this.#busyUntilMs, this.#clock.nowMs()) + this.#serviceMs;
    this.#acceptedMs += this.#serviceMs;
    return this.delayMs();
  }

  /** Work of the node's own, which no message causes. */
  burden(workMs: number): void {
    this.#busyUntilMs = Math.max(this.#busyUntilMs, this.#clock.nowMs()) + workMs;
    this.#acceptedMs += workMs;
  }

  /** A function that says which part of the time since its last call the server was busy, 0..1. */
  meter(): () => number {
    let lastAtMs = this.#clock.nowMs();
    let lastDoneMs = this.#doneMs();
    return () => {
      const nowMs = this.#clock.nowMs();
      const doneMs = this.#doneMs();
      const busy = nowMs > lastAtMs ? (doneMs - lastDoneMs) / (nowMs - lastAtMs) : 0;
      lastAtMs = nowMs;
      lastDoneMs = doneMs;
      return Math.min(1, Math.max(0, busy));
    };
  }

  /** Work done so far: what was accepted, less what is still to do. */
  #doneMs(): number {
    return this.#acceptedMs - this.delayMs();
  }
}
