// What a series of loads comes to now: the level without its noise, and where it will be when a node started now
// serves. What is remembered beside it is history.ts.
import type { Policy } from '../../policy/policy.ts';
import { levelLoad, meanAtMs, meanLoad, noiseOf, risePerMs, slopePerMs, type TrendPoint } from './trend.ts';

type StartRule = Pick<Policy['scale'], 'startTimeMs' | 'windowMs'>;

/** Samples that came soon after each other, as one point. */
export interface Bucket extends TrendPoint {
  /** Samples that `load` is the mean of. */
  readonly count: number;
  readonly fromMs: number;
}

// Three start times show whether a rise goes on; less than three minutes is noise, more than half an hour the past.
const startTimesSeen = 3;
const leastSpanMs = 180_000;
const mostSpanMs = 1_800_000;
const pointsPerSpan = 48;
// Autoscalers ask every 15 s at the most often: three samples between.
const mostSampleMs = 5000;
// The level is the mean of the last quarter (67 s by default), a jump is told by the last sixteenth.
const levelPart = 1 / 4;
const jumpPart = 1 / 16;
const jumpErrors = 4;
// Until half of the level has been measured without the node that went.
const pausePart = levelPart / 2;
// A rise in the last third is a rise now; one over the whole span must still be going on there, at half its pace.
const recentPart = 1 / 3;
const stillRising = 0.5;
// A line is drawn on by no more than a quarter: what rises faster is a crowd, and a crowd ends before nodes have started.
const mostGrowth = 1.25;
// Samples come every few seconds. What happened in a longer break is not known.
const leastGapMs = 30_000;

/** Spans that follow from a policy. */
export function scaleSpans({ startTimeMs, windowMs }: StartRule): {
  readonly trendMs: number;
  readonly levelMs: number;
  /** Between a node that has gone and the next. */
  readonly pauseMs: number;
  /** Between two samples. */
  readonly sampleMs: number;
  /** A longer break in valid samples starts afresh. */
  readonly gapMs: number;
} {
  const startsMs = Math.min(Math.max(leastSpanMs, startTimesSeen * startTimeMs), mostSpanMs);
  const trendMs = windowMs === 'auto' ? startsMs : windowMs;
  const gapMs = Math.max(leastGapMs, (2 * trendMs) / pointsPerSpan);
  const sampleMs = Math.min(mostSampleMs, trendMs / pointsPerSpan);
  return { trendMs, levelMs: trendMs * levelPart, pauseMs: trendMs * pausePart, sampleMs, gapMs };
}

/** The series after one more load; at most about 50 points. */
export function intoPoints(
  points: readonly Bucket[],
  point: TrendPoint,
  policy: StartRule,
): readonly Bucket[] {
  const spanMs = scaleSpans(policy).trendMs;
  const { atMs, load } = point;
  const last = points.at(-1);
  if (last !== undefined && atMs - last.fromMs < spanMs / pointsPerSpan) {
    const count = last.count + 1;
    const mean = (old: number, value: number) => old + (value - old) / count;
    const { fromMs } = last;
    return [
      ...points.slice(0, -1),
      { fromMs, count, atMs: mean(last.atMs, atMs), load: mean(last.load, load) },
    ];
  }
  const kept = points.filter((each) => each.atMs > atMs - spanMs);
  return [...kept, { fromMs: atMs, count: 1, atMs, load }];
}

/** What a series comes to. */
export interface Outlook {
  /** Smoothed load now; 0 without points. */
  readonly level: number;
  /** Load expected when a node started now would serve; at least `level`. */
  readonly forecast: number;
  /** Standard deviation of `level` ÷ level, 0 or more. */
  readonly unrest: number;
}

/** Reads a series at `nowMs`. */
export function outlookOf(points: readonly Bucket[], nowMs: number, policy: StartRule): Outlook {
  const { trendMs, levelMs } = scaleSpans(policy);
  const since = (ageMs: number) => points.filter(({ atMs }) => atMs > nowMs - ageMs);
  const noise = noiseOf(points);
  const usual = since(levelMs);
  const newest = since(trendMs * jumpPart);
  const jump = meanLoad(newest) - meanLoad(usual);
  const error = noise * Math.sqrt(1 / Math.max(1, newest.length) + 1 / Math.max(1, usual.length));
  // Two points at least, all of them high: one report of nonsense is no crowd.
  const isHigh = newest.length > 1 && newest.every(({ load }) => load > meanLoad(usual));
  const isJump = isHigh && jump > jumpErrors * error;
  const shown = isJump ? newest : usual;
  const level = levelLoad(shown);
  const ageMs = nowMs - meanAtMs(shown);
  const slope = slopeNow(points, { recent: since(trendMs * recentPart), newest, noise });
  const rise = slope * (policy.startTimeMs + ageMs);
  const unrest = level > 0 ? noise / Math.sqrt(Math.max(1, usual.length)) / level : 0;
  return { level, forecast: Math.min(level + rise, level * mostGrowth), unrest };
}

/** Rise per ms that is more than chance and has not ended; 0 or more. */
function slopeNow(
  points: readonly Bucket[],
  { recent, newest, noise }: { recent: readonly Bucket[]; newest: readonly Bucket[]; noise: number },
): number {
  const now = risePerMs(recent, noise);
  const long = risePerMs(points, noise);
  const slope = slopePerMs(recent) >= stillRising * long ? Math.max(now, long) : now;
  // After its end a rise stands in the window for long. Then the newest points are no higher than those before them.
  const before = points.slice(0, points.length - newest.length).slice(-newest.length);
  const expected = slope * (meanAtMs(newest) - meanAtMs(before));
  return meanLoad(newest) - meanLoad(before) >= stillRising * expected ? slope : 0;
}
