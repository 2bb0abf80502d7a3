// Keeps what is dear on a large machine rare: the longer it takes, the longer it rests.
import type { Clock } from '../../core/clock.ts';

/** 0.2 % of one core: what takes 1 ms may run every half second, what takes 150 ms every 75 s. */
const restPerMs = 500;

/** Does work now and then. */
export interface Pace {
  /** Does it if it has rested for long enough. */
  run(work: () => void): void;
}

/** Makes a pace; the first `run` works. */
export function createPace(clock: Clock): Pace {
  let dueAtMs = -Infinity;
  return {
    run(work) {
      const startMs = clock.nowMs();
      if (startMs < dueAtMs) return;
      work();
      const endMs = clock.nowMs();
      dueAtMs = endMs + (endMs - startMs) * restPerMs;
    },
  };
}
