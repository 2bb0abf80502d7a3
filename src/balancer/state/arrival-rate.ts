// How many connections a second come to a pool, lately.
import { nextArrivalRate } from '../../core/expected-rate.ts';

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
    this.#perSecond = nextArrivalRate(this.#perSecond, { count: this.#count, elapsedMs });
    this.#count = 0;
    this.#tickedAtMs = nowMs;
  }
}
