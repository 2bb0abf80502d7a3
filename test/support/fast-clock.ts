// The system's clock, run faster: for tests with real sockets and processes that wait for pauses of seconds.
import type { Clock } from '../../src/core/clock.ts';
import { createSystemClock } from '../../src/platform/system-clock.ts';

/** A clock on which `times` as much time passes. */
export function aFastClock(times: number): Clock {
  const real = createSystemClock();
  return {
    nowMs: () => real.nowMs() * times,
    wallMs: () => real.wallMs(),
    schedule: (delayMs, callback) => real.schedule(delayMs / times, callback),
    repeat: (intervalMs, callback) => real.repeat(intervalMs / times, callback),
  };
}
