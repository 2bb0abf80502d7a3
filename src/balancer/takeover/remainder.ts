// What a process that has been replaced still relays: until nothing is left, or its time is over.
import type { Clock, Timer } from '../../core/clock.ts';

/** What the wait acts on. */
export interface RemainderParts {
  readonly clock: Clock;
  /** Connections and exchanges under way, and what else keeps this process. */
  readonly count: () => number;
  /** How long it may take; Infinity: as long as it takes. */
  readonly relayForMs: () => number;
}

// A process that lives a quarter of a second longer than it must costs nobody anything.
const lookEveryMs = 250;

/** The end of a replaced process, from `start` on. */
export class Remainder {
  /** Resolves when there is nothing to wait for any more. */
  readonly over: Promise<void>;
  readonly #parts: RemainderParts;
  #resolve: () => void = () => {};
  #timer: Timer | undefined;

  constructor(parts: RemainderParts) {
    this.#parts = parts;
    this.over = new Promise((resolve) => (this.#resolve = resolve));
  }

  /** Begins to look. */
  start(): void {
    const { clock, count, relayForMs } = this.#parts;
    const untilMs = clock.nowMs() + relayForMs();
    this.#timer = clock.repeat(lookEveryMs, () => {
      if (count() > 0 && clock.nowMs() < untilMs) return;
      this.stop();
      this.#resolve();
    });
  }

  /** Looks no more. Idempotent. */
  stop(): void {
    this.#timer?.cancel();
  }
}
