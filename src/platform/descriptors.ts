// How many descriptors this process may have, and that none is left. Nobody else tells: libuv keeps one in reserve, takes
// with it what waits at a listener and closes it, without a word to us.
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Clock, Timer } from '../core/clock.ts';

/** What there is for one more connection. `short`: enough to answer it; `none`: not even that. */
export type DescriptorRoom = 'room' | 'short' | 'none';

const everyMs = 1_000;
// Each connection that is let in takes another one to its node, and so do checks, reports and files.
const reservedPart = 1 / 8;
const mostReserved = 1024;
// Of the reserve: who is answered keeps his for a moment.
const keptFromAnswers = 1 / 4;

/** The limit, as it is now; a `prlimit` from outside is seen within a second. */
export class Descriptors {
  readonly #timer: Timer;
  #limit = limitNow() ?? Infinity;

  /** `missing` hears of EMFILE or ENFILE, at most once a second, where not one can be had. */
  constructor(clock: Clock, missing: (code: string) => void) {
    this.#timer = clock.repeat(everyMs, () => {
      // Without a descriptor it cannot be read either.
      this.#limit = limitNow() ?? this.#limit;
      const code = missingCode();
      if (code !== undefined) missing(code);
    });
  }

  /**
   * What is left behind a descriptor that has just been given: the kernel gives the lowest that is free, so that its number
   * tells how many are taken. Below 0, not known, there is `room`.
   */
  roomBehind(descriptor: number): DescriptorRoom {
    const reserved = Math.min(mostReserved, this.#limit * reservedPart);
    if (descriptor < this.#limit - reserved) return 'room';
    return descriptor < this.#limit - reserved * keptFromAnswers ? 'short' : 'none';
  }

  stop(): void {
    this.#timer.cancel();
  }
}

/** `Max open files`, the soft limit; undefined where the system does not tell. */
function limitNow(): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

function missingCode(): string | undefined {
  try {
    closeSync(openSync('/dev/null', 'r'));
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'EMFILE' || code === 'ENFILE' ? code : undefined;
  }
}
