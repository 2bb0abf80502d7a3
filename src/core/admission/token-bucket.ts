// How fast something may happen: tokens come at a rate, up to a burst. What a token is for is not decided here.

// A token that lacks a billionth is whole: sums of many small refills are no more exact.
const tolerance = 1e-9;

/**
 * Tokens, filled when they are asked for, so that a bucket nobody uses costs nothing. It begins full. In every span of
 * t seconds at most rate × t + burst tokens are taken.
 */
export class TokenBucket {
  #tokens = Infinity;
  #filledAtMs = 0;

  /**
   * Fills up to `nowMs`, then says whether a token is there. `ratePerSecond` is 0 or more and finite, `burst` 1 or
   * more; both may differ from call to call, and the newest rate counts for the whole time since the last.
   */
  hasToken(nowMs: number, ratePerSecond: number, burst: number): boolean {
    const tokens = this.#tokens + ((nowMs - this.#filledAtMs) * ratePerSecond) / 1000;
    // Also how it begins full: at Infinity.
    this.#tokens = tokens < burst ? tokens : burst;
    this.#filledAtMs = nowMs;
    return this.#tokens >= 1 - tolerance;
  }

  /** Takes one. Only after `hasToken` has said yes. */
  take(): void {
    this.#tokens -= 1;
  }
}

/** Tokens that a bucket holds at most: what the rate gives in the span of a burst, and never less than one. */
export function burstOf(ratePerSecond: number, burstMs: number): number {
  return Math.max(1, (ratePerSecond * burstMs) / 1000);
}
