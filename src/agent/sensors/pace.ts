// Keeps what is dear on a large machine rare: the longer it takes, the longer it rests.
import type { Clock } from '../../core/clock.ts';

/** 0.05 % of one core: what takes 3 ms runs every 6 s, what takes 15 ms or more every half minute. */
const restPerMs = 2000;
/** Beyond this what was seen is too old to be worth anything. */
const mostMs = 30_000;

/** Does work now and then. */
export interface Pace {
  /** Does it if it has rested for long enough. */
  run(work: () => void): void;
}

/** Makes a pace; the first `run` works, and it rests for `leastMs` at least. */
export function createPace(clock: Clock, leastMs = 0): Pace {
  let dueAtMs = -Infinity;
  return {
    run(work) {
      const startMs = clock.nowMs();
      if (startMs < dueAtMs) return;
      work();
      const endMs = clock.nowMs();
      dueAtMs = endMs + Math.max(leastMs, Math.min(mostMs, (endMs - startMs) * restPerMs));
    },
  };
}
