// Straight lines and noise in a short series: what of its rise is more than chance.
import { median } from '../median.ts';

/** One point of a series. */
export interface TrendPoint {
  readonly atMs: number;
  readonly load: number;
}

// Of a normal distribution: standard deviation ÷ median absolute deviation.
const deviationPerMad = 1.4826;
// Fewer points have no trend: their noise is not known well enough.
const leastPoints = 8;
// Of fewer, two are too large a part to leave out.
const leastTrimmed = 5;
// A slope of so many standard errors is still taken for chance. A pool is looked at some thousand times a day with new
// points, so three would be met daily.
const chanceErrors = 4;

/**
 * Rise per ms, 0 or more: the median of the slopes of all pairs (Theil 1950, Sen 1968), so that single points do not
 * matter, times 1 − (4 ÷ t)², where t is the slope in standard errors: nothing up to four, all of it for a clear line.
 * `noise` is a point's standard deviation as far as it is known from more points than these; theirs counts where it is
 * larger. 0 for too few points, a fall, or chance.
 */
export function risePerMs(points: readonly TrendPoint[], noise: number): number {
  const slope = slopePerMs(points);
  if (points.length < leastPoints || !(slope > 0)) return 0;
  const doubt = (chanceErrors * slopeError(points, slope, noise)) / slope;
  return slope * Math.max(0, 1 - doubt * doubt);
}

/** The median slope itself, rise or fall, chance or not; 0 for fewer than two instants. */
export function slopePerMs(points: readonly TrendPoint[]): number {
  return median(pairSlopes(points), 0);
}

/** Standard deviation of one point by the differences of neighbours, which a trend hardly touches; 0 for fewer than two. */
export function noiseOf(points: readonly TrendPoint[]): number {
  const steps = points.slice(1).map(({ load }, index) => Math.abs(load - (points[index]?.load ?? load)));
  // A difference has the noise of two points.
  return (deviationPerMad * median(steps, 0)) / Math.SQRT2;
}

/** The mean; 0 for none. */
export function meanLoad(points: readonly TrendPoint[]): number {
  return points.length === 0 ? 0 : points.reduce((sum, { load }) => sum + load, 0) / points.length;
}

/** The mean without the highest and the lowest, from five points on: one report of nonsense moves nothing. */
export function levelLoad(points: readonly TrendPoint[]): number {
  if (points.length < leastTrimmed) return meanLoad(points);
  return meanLoad(points.toSorted((a, b) => a.load - b.load).slice(1, -1));
}

/** The instant in their middle; 0 for none. */
export function meanAtMs(points: readonly TrendPoint[]): number {
  return points.length === 0 ? 0 : points.reduce((sum, { atMs }) => sum + atMs, 0) / points.length;
}

function pairSlopes(points: readonly TrendPoint[]): number[] {
  const slopes: number[] = [];
  points.forEach((from, index) => {
    for (const to of points.slice(index + 1)) {
      if (to.atMs > from.atMs) slopes.push((to.load - from.load) / (to.atMs - from.atMs));
    }
  });
  return slopes;
}

function slopeError(points: readonly TrendPoint[], slope: number, noise: number): number {
  const middleMs = meanAtMs(points);
  const rests = points.map(({ atMs, load }) => load - slope * (atMs - middleMs));
  const middle = median(rests, 0);
  // Of a dozen points alone it is off by a third, and every hundredth chance would seem a trend.
  const own =
    deviationPerMad *
    median(
      rests.map((rest) => Math.abs(rest - middle)),
      0,
    );
  const spread = points.reduce((sum, { atMs }) => sum + (atMs - middleMs) ** 2, 0);
  return spread > 0 ? Math.max(own, noise) / Math.sqrt(spread) : Infinity;
}
