// Whether a figure that jumps about stays where it is. Pure.
import { median } from '../../src/core/median.ts';

/** A sample: when, in seconds, and how much. */
export type Point = readonly [atSeconds: number, value: number];

// Half an hour of samples makes 1.6 million pairs; more samples are thinned out to as many.
const mostPoints = 1800;

/**
 * The slope per second: the median of the slopes between all pairs (Theil 1950, Sen 1968), which a third of the samples
 * may be wrong without moving far. 0 for fewer than two points.
 */
export function theilSen(points: readonly Point[]): number {
  const every = Math.ceil(points.length / mostPoints);
  const kept = points.filter((_, index) => index % every === 0);
  const slopes: number[] = [];
  for (const [index, [atSeconds, value]] of kept.entries())
    for (const [laterSeconds, laterValue] of kept.slice(index + 1))
      if (laterSeconds > atSeconds) slopes.push((laterValue - value) / (laterSeconds - atSeconds));
  return median(slopes, 0);
}

/** The lowest of every `seconds`: a heap is as large as what its last collection left, not as what waits for the next. */
export function lows(points: readonly Point[], seconds: number): Point[] {
  const lowest = new Map<number, Point>();
  for (const point of points) {
    const window = Math.floor(point[0] / seconds);
    const known = lowest.get(window);
    if (known === undefined || point[1] < known[1]) lowest.set(window, point);
  }
  return [...lowest.values()];
}

/** What became of a figure over a run. */
export interface Drift {
  readonly median: number;
  readonly highest: number;
  /** By the slope. */
  readonly perHour: number;
  /** What the slope comes to over the time that was watched. */
  readonly rise: number;
  /** The rise that is allowed. */
  readonly most: number;
  /** From the first sample to the last. */
  readonly seconds: number;
}

/** How much a figure may rise: `part` of its median, and never less than `least`, which is noise. */
export interface RiseBound {
  readonly least: number;
  readonly part: number;
}

/** The drift of some samples; all 0 without one. */
export function driftOf(points: readonly Point[], { least, part }: RiseBound): Drift {
  const values = points.map(([, value]) => value);
  const middle = median(values, 0);
  const seconds = (points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0);
  const perSecond = theilSen(points);
  return {
    median: middle,
    highest: values.reduce((highest, value) => Math.max(highest, value), 0),
    perHour: perSecond * 3600,
    rise: perSecond * seconds,
    most: Math.max(least, middle * part),
    seconds,
  };
}
