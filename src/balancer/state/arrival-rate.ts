// How many connections a second come to a pool, lately.
import { blend, keptWeight } from '../../core/decay.ts';

// Long enough that a handful of arrivals is a rate, short enough to see a reconnect storm build up.
const memoryMs = 5000;

/** Counts arrivals and forgets old ones. */
export class ArrivalRate {
  #count = 0;
  #perSecond: number | undefined;
  #tickedAtMs: number;

  constructor(nowMs: number) {
    this.#tickedAtMs = nowMs;
  }

  /** Arrivals per second; 0 before the first tick. */
  get perSecond(): number {
    return this.#perSecond ?? 0;
  }

  count(): void {
    this.#count += 1;
  }

  /** Takes the arrivals since the last tick into the rate. */
  tick(nowMs: number): void {
    const elapsedMs = nowMs - this.#tickedAtMs;
    if (elapsedMs <= 0) return;
    this.#perSecond = blend(
      this.#perSecond,
      (this.#count * 1000) / elapsedMs,
      keptWeight(elapsedMs, memoryMs),
    );
    this.#count = 0;
    this.#tickedAtMs = nowMs;
  }
}
