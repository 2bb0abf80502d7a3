// What a run is judged by, and the middle and range of several seeds.
import { median } from '../core/median.ts';

/** Figures of the time that is measured. NaN when there was none. */
export interface Figures {
  /** Time-average of the highest ÷ the mean utilization; 1 is perfect. */
  readonly ratio: number;
  /** Time-average of standard deviation ÷ mean utilization: the same in a quieter form, since all nodes count. 0 is perfect. */
  readonly deviation: number;
  /** 99th percentile of utilization over all nodes and seconds; above 1 when more is asked than a node can do. */
  readonly p99: number;
  /** The highest that any node was at any instant; -Infinity when nothing was measured. */
  readonly highest: number;
  /** Part of node-time spent above 90 %, 0..1. */
  readonly over90: number;
  /** Root mean square distance of scores from true utilization, each ÷ its mean over the nodes; NaN for a rule without scores. */
  readonly error: number;
}

/** Takes one instant after the other. */
export interface Meter {
  /** `scores` belong to the same nodes; undefined for a rule that has none. */
  add(utilizations: readonly number[], scores: readonly number[] | undefined): void;
  figures(): Figures;
}

/** A meter that has seen nothing. */
export function createMeter(): Meter {
  const all: number[] = [];
  const ratios = createAverage();
  const deviations = createAverage();
  const errors = createAverage();
  return {
    add(utilizations, scores) {
      const truth = relative(utilizations);
      // Nobody has anything to do: level, but no evidence of it.
      if (truth === undefined) return;
      ratios.add(Math.max(...truth));
      deviations.add(distance(truth, () => 1));
      const guess = scores === undefined ? undefined : relative(scores);
      if (guess !== undefined) errors.add(distance(truth, (index) => guess[index] ?? NaN));
      all.push(...utilizations);
    },
    figures() {
      const sorted = Float64Array.from(all).toSorted();
      return {
        ratio: ratios.value(),
        deviation: deviations.value(),
        p99: sorted[Math.ceil(0.99 * sorted.length) - 1] ?? NaN,
        highest: sorted.at(-1) ?? -Infinity,
        over90: all.filter((each) => each > 0.9).length / all.length,
        error: errors.value(),
      };
    },
  };
}

/** Each ÷ their mean; undefined when that is not above 0. */
function relative(values: readonly number[]): number[] | undefined {
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
  return mean > 0 ? values.map((each) => each / mean) : undefined;
}

/** Root mean square of the differences. */
function distance(values: readonly number[], otherOf: (index: number) => number): number {
  const squares = values.reduce((sum, each, index) => sum + (each - otherOf(index)) ** 2, 0);
  return Math.sqrt(squares / values.length);
}

/** The mean of what was added; NaN of nothing. */
function createAverage(): { add(value: number): void; value(): number } {
  let sum = 0;
  let count = 0;
  return {
    add(value) {
      sum += value;
      count += 1;
    },
    value: () => sum / count,
  };
}

/** One figure over several seeds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Middle and range; all NaN for no values. */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) return { median: NaN, min: NaN, max: NaN };
  return { median: median(values, NaN), min: Math.min(...values), max: Math.max(...values) };
}
