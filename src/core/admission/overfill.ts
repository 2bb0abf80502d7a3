// Refusing everybody turns slowness into an outage: a pool that has lacked room for long lets clients in anyway.

import { longestReturnMs } from './return-slots.ts';

// One who leaves makes room for one: a pool lacks room until somebody finds some
// and nobody has missed it for as long as two reports take.
const calmMs = 2000;

/**
 * Whether a pool without room below its level yields. It does once it has lacked room for `afterMs`, without two
 * seconds in between in which all who came found some, and it does until nobody has missed room for `afterMs`.
 */
export class Overfill {
  #sinceMs = NaN;
  #lastMs = NaN;
  #isYielding = false;

  /** Whether clients are let in above the level. */
  get isYielding(): boolean {
    return this.#isYielding;
  }

  /** Whether there has been want of room lately: only then anything follows from there being some. */
  get lacksRoom(): boolean {
    return !Number.isNaN(this.#sinceMs);
  }

  /** Notes whether one who came at `nowMs` finds room below the level. */
  note(nowMs: number, hasRoom: boolean, afterMs: number): void {
    const quietMs = nowMs - this.#lastMs;
    // Who was refused comes back within the longest hint; until then silence says nothing.
    if (quietMs > longestReturnMs || (hasRoom && quietMs >= (this.#isYielding ? afterMs : calmMs)))
      this.#forget();
    if (hasRoom) return;
    if (!this.lacksRoom) this.#sinceMs = nowMs;
    this.#lastMs = nowMs;
    this.#isYielding ||= nowMs - this.#sinceMs >= afterMs;
  }

  #forget(): void {
    this.#sinceMs = NaN;
    this.#lastMs = NaN;
    this.#isYielding = false;
  }
}
