// Refusing everybody turns slowness into an outage: when no node has had room for long, clients are let in anyway.

/**
 * Whether a pool without room below its level yields. It does once there has been no room for `afterMs` on end, and
 * goes on until there has been room for as long: a single client that leaves must not stop everybody again.
 */
export class Overfill {
  #sinceMs = NaN;
  #lastWithoutMs = NaN;
  #lastNotedMs = -Infinity;
  #isYielding = false;

  /** Whether clients are let in above the level. */
  get isYielding(): boolean {
    return this.#isYielding;
  }

  /** Notes whether some node has room at `nowMs`. Asked seldom, it knows nothing of the time between. */
  note(nowMs: number, hasRoom: boolean, afterMs: number): void {
    if (nowMs - this.#lastNotedMs > Math.max(afterMs, longestGapMs)) this.#forget();
    this.#lastNotedMs = nowMs;
    if (!hasRoom) {
      if (Number.isNaN(this.#sinceMs)) this.#sinceMs = nowMs;
      this.#lastWithoutMs = nowMs;
      this.#isYielding ||= nowMs - this.#sinceMs >= afterMs;
      return;
    }
    if (!this.#isYielding || nowMs - this.#lastWithoutMs >= afterMs) this.#forget();
  }

  #forget(): void {
    this.#sinceMs = NaN;
    this.#lastWithoutMs = NaN;
    this.#isYielding = false;
  }
}

// Without anybody asking for so long, what was known of the pool's room is of yesterday.
const longestGapMs = 1000;
