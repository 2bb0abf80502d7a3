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

/** A signal that comes and goes every second is told of twice a minute. */
const quietMs = 30_000;

interface Told {
  readonly reason: string | undefined;
  readonly atMs: number;
}

/** Nothing missing yet. The first absence of a signal is told at once, later changes at most every half minute. */
export function createMissingSignals(clock: Clock, tell: TellMissing): MissingSignals {
  const now = new Map<string, string>();
  const told = new Map<string, Told>();
  return {
    now,
    note(signal, reason) {
      if (reason === undefined) now.delete(signal);
      else now.set(signal, reason);
      const before = told.get(signal);
      if (before?.reason === reason) return;
      const nowMs = clock.nowMs();
      if (before !== undefined && nowMs - before.atMs < quietMs) return;
      told.set(signal, { reason, atMs: nowMs });
      tell(signal, reason);
    },
  };
}
