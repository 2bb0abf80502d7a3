// Decayed sums of (x, y) pairs, and the regression over many nodes that shares one intercept.
import { keptWeight } from './decay.ts';
import { median } from './median.ts';

/** Sums over past pairs, old ones forgotten. `weight` is the number of pairs that the sums are worth. */
export interface Moments {
  readonly weight: number;
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly zx: number;
  readonly zy: number;
}

export const noMoments: Moments = { weight: 0, x: 0, y: 0, z: 0, zx: 0, zy: 0 };

/** One observation. All three 0 or more. */
export interface Pair {
  readonly x: number;
  readonly y: number;
  /**
   * What x was expected to be, without the chance of this very pair (an instrument, in the words of econometrics):
   * only what x and y have in common with it counts. Chance in x would else pass for load that does not follow x.
   * Absent: x has none.
   */
  readonly z?: number;
}

/** The sums after one more pair; what was there is worth `kept` (0..1) of what it was. */
export function addPair(moments: Moments, { x, y, z = x }: Pair, kept: number): Moments {
  return {
    weight: moments.weight * kept + 1,
    x: moments.x * kept + x,
    y: moments.y * kept + y,
    z: moments.z * kept + z,
    zx: moments.zx * kept + z * x,
    zy: moments.zy * kept + z * y,
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
  /** The newest y, smoothed, which the sums show half a minute later only. NaN or undefined: not known. */
  readonly newest?: number | undefined;
}

// An intercept is believed only as far as the x of single nodes really varied: this many pairs' worth of
// doubt pull it towards 0, so that a pool at constant load does not split its load at random into "idle" and "work".
const interceptDoubt = 5;
// A node with less than this part of the highest x is idle: what it shows, the intercept cannot exceed.
const idlePart = 0.25;
// Below this the x of a node did not vary at all, but for the rounding of sums.
const leastVariation = 1e-9;
// How many median deviations from the middle a node's own intercept is believed.
const outlierReach = 1;
// What a node's own slope is weighed against the pool's by: three points is what one report is off by, idle load that is
// not the pool's included; half the pool's slope is what nodes differ by.
const reportNoise = 0.03;
const slopeSpread = 0.5;
const leastPairs = 2;
// Where a node with something to do shows less than the first, and less than the second above the intercept, nothing is
// known of its slope: two idle points divided by a message now and then would make each message cost half a node. One
// report in which load came before its messages lifts half a minute of idleness by up to three points.
const saysLittleBelow = 0.1;
const leastAboveIntercept = 0.05;

/**
 * Least squares with one intercept for the pool and one slope for each node, made robust against single nodes.
 * Minimizing over the slopes first leaves one equation for the intercept, a sum over the nodes; see
 * docs/placement.md.
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

/** The x at which y is 1 for a node, by its place in the fit: (1 − intercept) ÷ slope. Undefined until that has been learned. */
export function amountWhenFull({ intercept, slopes }: SharedFit, index: number): number | undefined {
  const slope = slopes[index] ?? NaN;
  return slope > 0 ? Math.max(0, 1 - intercept) / slope : undefined;
}

/**
 * The mean of the nodes' own intercepts, weighted by how much the x of each really varied, which is what least
 * squares gives. But no node's counts for more than the middle of them allows: one whose load does not follow its
 * messages (a liar, a deploy under way, a job of its own) must not change what all others are taken to cost.
 */
function sharedIntercept(inputs: readonly FitInput[]): number {
  const intercepts: number[] = [];
  const weights: number[] = [];
  for (const input of inputs) {
    const moments = usable(input.moments);
    if (moments.weight < leastPairs) continue;
    // A node that has had nothing to do shows the intercept itself.
    const perProduct = moments.zx > 0 ? moments.x / moments.zx : 0;
    const weight = moments.weight - perProduct * moments.z;
    if (weight <= leastVariation) continue;
    intercepts.push((moments.y - perProduct * moments.zy) / weight);
    weights.push(weight);
  }
  const middle = median(intercepts, 0);
  const reach =
    outlierReach *
    median(
      intercepts.map((each) => Math.abs(each - middle)),
      0,
    );
  const mostWeight = median(weights, 0);
  let numerator = 0;
  let denominator = interceptDoubt;
  intercepts.forEach((intercept, index) => {
    const weight = Math.min(weights[index] ?? 0, mostWeight);
    numerator += weight * Math.min(Math.max(middle - reach, intercept), middle + reach);
    denominator += weight;
  });
  return Math.min(Math.max(0, numerator / denominator), highestIntercept(inputs));
}

/**
 * What the intercept cannot exceed, 0..1: the least that an idle node shows, since a slope is never below 0, and what
 * the middle one of all shows. Of busy nodes the middle: one that claims less than it does must not lower it for all.
 */
function highestIntercept(inputs: readonly FitInput[]): number {
  const seen = inputs.filter(({ moments }) => moments.weight > 0);
  const highestX = seen.reduce((highest, { moments }) => Math.max(highest, moments.x / moments.weight), 0);
  const shown: number[] = [];
  let most = 1;
  for (const { moments, newest = NaN } of seen) {
    const mean = moments.y / moments.weight;
    const least = newest < mean ? newest : mean;
    shown.push(mean);
    if (moments.x / moments.weight <= idlePart * highestX) most = Math.min(most, least);
  }
  return Math.max(0, Math.min(most, median(shown, 1)));
}

/** The sums, with the mean of x for z where x did not go along with what was expected: that then tells nothing. */
function usable(moments: Moments): Moments {
  const { weight, x, y, z, zx } = moments;
  if (x === 0 || (zx > 0 && zx * weight >= z * x)) return moments;
  return { ...moments, z: x, zx: (x * x) / weight, zy: (x * y) / weight };
}

/** The slope that a node's own pairs tell, 0 or more; NaN where they tell none. */
export function ownSlope(moments: Moments, intercept: number): number {
  const { weight, y, z, zx, zy } = usable(moments);
  if (weight < leastPairs || zx <= 0) return NaN;
  // By the pairs that count in a slope, those with something to do; and by all, since one report is soon an odd one.
  const shown = Math.min(zy / z, y / weight);
  if (shown < saysLittleBelow && shown - intercept < leastAboveIntercept) return NaN;
  return Math.max(0, (zy - intercept * z) / zx);
}

/**
 * The node's own slope and the pool's, weighed by what each is worth: the mean of a normal prior around the pool's
 * after reports with noise. A node at a tenth of its load is soon believed, one with a handful of connections, whose
 * load says hardly more than what the idle part of it is, takes the pool's.
 */
function shrunkSlope(moments: Moments, intercept: number, poolSlope: number): number {
  const { weight, z, zx, zy } = usable(moments);
  if (weight === 0 || zx <= 0 || poolSlope <= 0) return poolSlope;
  const doubt = (reportNoise / (slopeSpread * poolSlope)) ** 2;
  return Math.max(0, (zy - intercept * z + doubt * poolSlope) / (zx + doubt));
}
