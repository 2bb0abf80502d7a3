// The one place that reads the machine's clocks and sets its timers.
import type { Clock, Timer } from '../core/clock.ts';

/** The machine's clock. Its timers do not keep the process alive: listeners do that. */
export function createSystemClock(): Clock {
  return {
    nowMs: () => performance.now(),
    wallMs: () => Date.now(),
    schedule(delayMs, callback) {
      const handle = setTimeout(callback, delayMs);
      handle.unref();
      return timer(() => clearTimeout(handle));
    },
    repeat(intervalMs, callback) {
      const handle = setInterval(callback, intervalMs);
      handle.unref();
      return timer(() => clearInterval(handle));
    },
  };
}

function timer(cancel: () => void): Timer {
  return { cancel };
}
