// Waiting for open connections to end, but not for ever.
import type { Clock } from '../core/clock.ts';

const lookEveryMs = 100;

/** Resolves when `openCount` is 0 or `graceMs` have passed: the connections that are still open then. */
export async function waitUntilIdle(clock: Clock, openCount: () => number, graceMs: number): Promise<number> {
  const deadlineMs = clock.nowMs() + graceMs;
  if (openCount() === 0 || graceMs <= 0) return openCount();
  return new Promise((resolve) => {
    const timer = clock.repeat(lookEveryMs, () => {
      if (openCount() > 0 && clock.nowMs() < deadlineMs) return;
      timer.cancel();
      resolve(openCount());
    });
  });
}
