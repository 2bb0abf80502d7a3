// Which signals are missing and why: told when that changes, and never so often that a log fills up.
import type { Clock } from '../../core/clock.ts';
import type { NoteMissing } from '../sensors/read-file.ts';

/** Keeps what is missing. */
export interface MissingSignals {
  /** Takes a signal's state at each sample. */
  readonly note: NoteMissing;
  /** By signal; empty when nothing is missing. */
  readonly now: ReadonlyMap<string, string>;
}

/** A change; `reason` is undefined when the signal is there again. */
export type TellMissing = (signal: string, reason: string | undefined) => void;

/** Sources have not answered and processes not been found in the first moments: that is no news. */
const patienceMs = 2000;
/** A signal that comes and goes every second is told of twice a minute. */
const quietMs = 30_000;

interface Told {
  readonly reason: string | undefined;
  readonly atMs: number;
}

/**
 * Nothing missing yet. An absence is told when it has lasted two seconds; later changes, a return among them, at most
 * every half minute.
 */
export function createMissingSignals(clock: Clock, tell: TellMissing): MissingSignals {
  const now = new Map<string, string>();
  const sinceMs = new Map<string, number>();
  const told = new Map<string, Told>();

  function isNews(signal: string, reason: string | undefined, nowMs: number): boolean {
    const before = told.get(signal);
    if (before?.reason === reason) return false;
    if (before !== undefined && nowMs - before.atMs < quietMs) return false;
    return reason === undefined || nowMs - (sinceMs.get(signal) ?? nowMs) >= patienceMs;
  }

  return {
    now,
    note(signal, reason) {
      const nowMs = clock.nowMs();
      if (reason === undefined) {
        now.delete(signal);
        sinceMs.delete(signal);
      } else {
        now.set(signal, reason);
        if (!sinceMs.has(signal)) sinceMs.set(signal, nowMs);
      }
      if (!isNews(signal, reason, nowMs)) return;
      told.set(signal, { reason, atMs: nowMs });
      tell(signal, reason);
    },
  };
}
