// When those who are refused may come back: each gets a moment of its own, so that a storm spreads by itself.

/** Longest wait that is given out. Clients that ignore their hint are refused, and counted, again and again. */
export const longestReturnMs = 60_000;

/** Moments given out, one after the other, as far apart as the pool lets clients in. */
export class ReturnSlots {
  #lastMs = -Infinity;

  /**
   * How long from `nowMs` until the next free moment: behind the `ahead` clients that wait and behind everyone who was
   * refused before. 0 up to `longestReturnMs`; from there on everybody gets that. `perSecond` is above 0.
   */
  next(nowMs: number, { ahead, perSecond }: { ahead: number; perSecond: number }): number {
    const queueEndsMs = nowMs + (ahead * 1000) / perSecond;
    const slotMs = Math.max(this.#lastMs, queueEndsMs) + 1000 / perSecond;
    this.#lastMs = Math.min(slotMs, nowMs + longestReturnMs);
    return this.#lastMs - nowMs;
  }
}
