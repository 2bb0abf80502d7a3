// How fast something goes, for people who watch it.
import { keptWeight } from '../../core/decay.ts';

// The pace shown is that of the last seconds, else it would jump with every tick.
const memoryMs = 3_000;

/** A rate of the last seconds. */
export class Pace {
  #sum = 0;
  #weight = 0;

  /** So many in so many milliseconds, above 0. */
  add(count: number, elapsedMs: number): void {
    const kept = keptWeight(elapsedMs, memoryMs);
    this.#sum = kept * this.#sum + ((1 - kept) * count * 1000) / elapsedMs;
    this.#weight = kept * this.#weight + (1 - kept);
  }

  /** Per second, 0 or more; 0 before anything was added. The first moments weigh what they are, not against a past of 0. */
  get perSecond(): number {
    return this.#weight > 0 ? this.#sum / this.#weight : 0;
  }
}
