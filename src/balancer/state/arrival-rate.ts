// How many connections a second come to a pool, lately.
import { nextArrivalRate } from '../../core/expected-rate.ts';

// A storm is over before five seconds of memory have seen it: from twice the rate and this many clients on, the last
// second counts for itself. Below that it would be chance.
const stormFactor = 2;
const stormLeast = 10;
const secondMs = 1000;

/** Counts arrivals and forgets old ones. */
export class ArrivalRate {
  #count = 0;
  #total = 0;
  /** Arrivals of the ticks of the last second. */
  readonly #lately: { atMs: number; count: number }[] = [];
  #latelyCount = 0;
  #perSecond: number | undefined;
  #tickedAtMs: number;

  constructor(nowMs: number) {
    this.#tickedAtMs = nowMs;
  }

  /** Arrivals per second; in a storm those of the last second. */
  get perSecond(): number {
    const smoothed = this.#perSecond ?? 0;
    const lately = this.#latelyCount + this.#count;
    return lately >= stormFactor * smoothed + stormLeast ? lately : smoothed;
  }

  /** Arrivals since the start. */
  get total(): number {
    return this.#total;
  }

  /** One arrival, or so many that another process has counted. */
  count(arrivals = 1): void {
    this.#count += arrivals;
    this.#total += arrivals;
  }

  /** Takes the arrivals since the last tick into the rate. */
  tick(nowMs: number): void {
    const elapsedMs = nowMs - this.#tickedAtMs;
    if (elapsedMs <= 0) return;
    this.#noteLately(nowMs);
    this.#perSecond = nextArrivalRate(this.#perSecond, { count: this.#count, elapsedMs });
    this.#count = 0;
    this.#tickedAtMs = nowMs;
  }

  #noteLately(nowMs: number): void {
    this.#lately.push({ atMs: nowMs, count: this.#count });
    this.#latelyCount += this.#count;
    for (
      let [first] = this.#lately;
      first !== undefined && nowMs - first.atMs >= secondMs;
      [first] = this.#lately
    ) {
      this.#latelyCount -= first.count;
      this.#lately.shift();
    }
  }
}
