// Decayed sums of (x, y) pairs, and the regression over many nodes that shares one intercept.
import { keptWeight } from './decay.ts';
import { median } from './median.ts';

/** Sums over past pairs, old ones forgotten. `weight` is the number of pairs that the sums are worth. */
export interface Moments {
  readonly weight: number;
  readonly x: number;
  readonly y: number;
  readonly xx: number;
  readonly xy: number;
}

export const noMoments: Moments = { weight: 0, x: 0, y: 0, xx: 0, xy: 0 };

/** The sums after one more pair; what was there is worth `kept` (0..1) of what it was. */
export function addPair(moments: Moments, pair: { x: number; y: number }, kept: number): Moments {
  return {
    weight: moments.weight * kept + 1,
    x: moments.x * kept + pair.x,
    y: moments.y * kept + pair.y,
    xx: moments.xx * kept + pair.x * pair.x,
    xy: moments.xy * kept + pair.x * pair.y,
  };
}

/**
 * How long a pair counts in the regressions. Long against the noise of one report, short against a deploy
 * that changes what a message costs.
 */
const learningTimeConstantMs = 30_000;

/** Weight that learned sums keep after `elapsedMs`. */
export function learnedWeight(elapsedMs: number): number {
  return keptWeight(elapsedMs, learningTimeConstantMs);
}

/** y = intercept + slope × x, the intercept shared by all nodes. */
export interface SharedFit {
  /** What a node shows with nothing to do, 0 or more. */
  readonly intercept: number;
  /** Slope of a node of capacity 1, the median of the nodes; undefined before anything is learned. */
  readonly slope: number | undefined;
  /** Slope of each node, in the order given; NaN where neither it nor the pool has learned one. */
  readonly slopes: Float64Array;
}

/** One node's part in a shared fit; `noMoments` for one that has not reported: it takes the pool's slope. */
export interface FitInput {
  readonly moments: Moments;
  /** Declared capacity; its slope is then the pool's ÷ capacity instead of its own. Undefined: learned. */
  readonly capacity: number | undefined;
}

// An intercept is believed only as far as the x of single nodes really varied: this many pairs' worth of
// doubt pull it towards 0, so that a pool at constant load does not split its load at random into "idle" and "work".
const interceptDoubt = 5;
// A node's own slope is pulled towards the pool's as if it had seen this many pairs of the pool's.
const slopeDoubt = 3;
const leastPairs = 2;

/**
 * Least squares with one intercept for the pool and one slope for each node. Minimizing over the slopes
 * first leaves one equation for the intercept, a sum over the nodes; see docs/decisions/0003.
 */
export function fitShared(inputs: readonly FitInput[]): SharedFit {
  const intercept = sharedIntercept(inputs);
  // Plain loops over plain arrays here and in score.ts: flatMap and Float64Array.from were half of an assessment.
  const known: number[] = [];
  for (const { moments, capacity } of inputs) {
    const slope = ownSlope(moments, intercept);
    if (!Number.isNaN(slope)) known.push(slope * (capacity ?? 1));
  }
  if (known.length === 0)
    return { intercept, slope: undefined, slopes: new Float64Array(inputs.length).fill(NaN) };
  const slope = median(known, 0);
  const slopeOf = ({ moments, capacity }: FitInput) =>
    capacity === undefined ? shrunkSlope(moments, intercept, slope) : slope / capacity;
  return { intercept, slope, slopes: new Float64Array(inputs.map(slopeOf)) };
}

function sharedIntercept(inputs: readonly FitInput[]): number {
  let numerator = 0;
  let denominator = 0;
  for (const { moments } of inputs) {
    if (moments.weight < leastPairs || moments.xx <= 0) continue;
    numerator += moments.y - (moments.xy * moments.x) / moments.xx;
    denominator += moments.weight - (moments.x * moments.x) / moments.xx;
  }
  if (denominator <= 0) return 0;
  return Math.min(Math.max(0, numerator / (denominator + interceptDoubt)), 1);
}

function ownSlope(moments: Moments, intercept: number): number {
  if (moments.weight < leastPairs || moments.xx <= 0) return NaN;
  return Math.max(0, (moments.xy - intercept * moments.x) / moments.xx);
}

function shrunkSlope(moments: Moments, intercept: number, poolSlope: number): number {
  if (moments.weight === 0 || moments.xx <= 0) return poolSlope;
  const doubt = (slopeDoubt * moments.xx) / moments.weight;
  return Math.max(0, (moments.xy - intercept * moments.x + doubt * poolSlope) / (moments.xx + doubt));
}
