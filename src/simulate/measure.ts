// What a run is judged by, and the middle and range of several seeds.
import { median } from '../core/median.ts';

/** Figures of the time that is measured. NaN when there was none. */
export interface Figures {
  /** Time-average of the highest ÷ the mean utilization; 1 is perfect. */
  readonly ratio: number;
  /** 99th percentile of utilization over all nodes and seconds; above 1 when more is asked than a node can do. */
  readonly p99: number;
  /** Part of node-time spent above 90 %, 0..1. */
  readonly over90: number;
}

/** Takes the utilizations of one instant after the other. */
export interface Meter {
  add(utilizations: readonly number[]): void;
  figures(): Figures;
}

/** A meter that has seen nothing. */
export function createMeter(): Meter {
  const all: number[] = [];
  let ratios = 0;
  let instants = 0;
  return {
    add(utilizations) {
      const mean = utilizations.reduce((sum, each) => sum + each, 0) / utilizations.length;
      // Nobody has anything to do: level, but no evidence of it.
      if (!(mean > 0)) return;
      ratios += Math.max(...utilizations) / mean;
      instants += 1;
      all.push(...utilizations);
    },
    figures() {
      if (instants === 0) return { ratio: NaN, p99: NaN, over90: NaN };
      const sorted = Float64Array.from(all).toSorted();
      return {
        ratio: ratios / instants,
        p99: sorted[Math.ceil(0.99 * sorted.length) - 1] ?? NaN,
        over90: all.filter((each) => each > 0.9).length / all.length,
      };
    },
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
