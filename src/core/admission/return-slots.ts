// When those who are refused may come back: each gets a moment of its own, so that a storm spreads by itself.

/** Longest wait that is given out: clients that ignore their hints must not send the others away for long. */
export const longestReturnMs = 60_000;

/** Moments given out, one after the other, as far apart as the pool lets clients in. */
export class ReturnSlots {
  #lastMs = -Infinity;

  /**
   * How long from `nowMs` until the next free moment: at least `waitMs` from now, and behind everyone who was refused
   * before. 0 up to `longestReturnMs`; when that is reached it goes on from half of it, so that not all of the rest get
   * the same moment. `perSecond` is above 0.
   */
  next(nowMs: number, { waitMs, perSecond }: { waitMs: number; perSecond: number }): number {
    const fromMs = nowMs + Math.min(waitMs, longestReturnMs / 2);
    const slotMs = Math.max(this.#lastMs, fromMs) + 1000 / perSecond;
    this.#lastMs = slotMs - nowMs > longestReturnMs ? nowMs + longestReturnMs / 2 : slotMs;
    return this.#lastMs - nowMs;
  }
}
