// Notices that this process, or the machine, has no descriptor left. Nobody else tells: libuv keeps one in reserve, takes
// with it what waits at a listener and closes it, without a word to us.
import { closeSync, openSync } from 'node:fs';
import type { Clock, Timer } from '../core/clock.ts';

const everyMs = 1_000;

/** Asks for a descriptor once a second and calls `missing` with EMFILE or ENFILE where there is none. */
export function watchDescriptors(clock: Clock, missing: (code: string) => void): Timer {
  return clock.repeat(everyMs, () => {
    try {
      closeSync(openSync('/dev/null', 'r'));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EMFILE' || code === 'ENFILE') missing(code);
    }
  });
}
