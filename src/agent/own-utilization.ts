// This node's own smoothed utilization, for those who ask the agent itself. Balancers compute theirs from reports.
import { blend, keptWeight } from '../core/decay.ts';

/** The time constant of placement (`score.smoothing` of a policy): one odd sample must not swing the weight. */
const smoothingMs = 1000;

/** Signal names with the value at which the node is full by each, in the signal's unit, above 0. */
export type Saturations = Readonly<Record<string, number>>;

/** A utilization that forgets. */
export interface OwnUtilization {
  /** Takes a sample; one without any of the signals changes nothing. */
  absorb(signals: Readonly<Record<string, number>>, takenAtMs: number): void;
  /** 0..1; 1 before the first sample. */
  readonly value: number;
}

/**
 * Follows the highest of value ÷ saturation. It starts at 1, as though the node were full: unknown is not idle, and
 * a process that has just started would draw everybody before anyone knows what a connection costs it. From there
 * it falls within a few time constants to what is measured.
 */
export function createOwnUtilization(saturations: Saturations, startedAtMs: number): OwnUtilization {
  const rules = Object.entries(saturations);
  let value = 1;
  let lastAtMs = startedAtMs;
  return {
    absorb(signals, takenAtMs) {
      const measured = rules.flatMap(([name, saturation]) => {
        const signal = signals[name];
        return signal === undefined ? [] : [signal / saturation];
      });
      if (measured.length === 0) return;
      // Above 1 nothing is to be seen in a weight, but it would take the longer to come down again.
      const highest = Math.min(1, Math.max(...measured));
      value = blend(value, highest, keptWeight(takenAtMs - lastAtMs, smoothingMs));
      lastAtMs = takenAtMs;
    },
    get value() {
      return value;
    },
  };
}
