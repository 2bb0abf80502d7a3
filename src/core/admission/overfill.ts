// Refusing everybody turns slowness into an outage: a pool that has lacked room for long lets clients in anyway.

import { longestReturnMs } from './return-slots.ts';

// One who leaves makes room for one: a pool lacks room until everybody who comes has found some for as long as two
// reports take.
const calmMs = 2000;

/**
 * Whether a pool without room below its level yields. It does once it has lacked room for `afterMs`, without two
 * seconds in between in which all who came found some, and it does until all have found some for `afterMs`.
 */
export class Overfill {
  #sinceMs = NaN;
  #lastMs = NaN;
  /** Since when everybody has found room; NaN after one who has not. */
  #roomSinceMs = NaN;
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
    // Who was refused comes back within the longest hint; until then silence says nothing.
    if (nowMs - this.#lastMs > longestReturnMs) this.#forget();
    if (hasRoom) return this.#noteRoom(nowMs, afterMs);
    this.#roomSinceMs = NaN;
    if (!this.lacksRoom) this.#sinceMs = nowMs;
    this.#lastMs = nowMs;
    this.#isYielding ||= nowMs - this.#sinceMs >= afterMs;
  }

  /** How long until it yields if nobody finds room until then; 0 when it does. */
  untilYieldMs(nowMs: number, afterMs: number): number {
    if (this.#isYielding) return 0;
    return this.lacksRoom ? Math.max(0, this.#sinceMs + afterMs - nowMs) : afterMs;
  }

  #noteRoom(nowMs: number, afterMs: number): void {
    if (Number.isNaN(this.#roomSinceMs)) this.#roomSinceMs = nowMs;
    if (nowMs - this.#roomSinceMs >= (this.#isYielding ? afterMs : calmMs)) this.#forget();
  }

  #forget(): void {
    this.#sinceMs = NaN;
    this.#roomSinceMs = NaN;
    this.#lastMs = NaN;
    this.#isYielding = false;
  }
}
