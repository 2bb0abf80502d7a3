// What a pool's load has been: smoothed, its trend, and the extremes of the windows. How many nodes it needs is not
// decided here. Values only; a sample makes a new one.
import type { Policy } from '../../policy/policy.ts';
import { extremeOf, intoWindow, type Step } from './extremes.ts';
import { countsAsNode, type ScaleSample } from './scale-sample.ts';
import { meanAtMs, meanLoad, noiseOf, risePerMs, slopePerMs, type TrendPoint } from './trend.ts';

/** A policy's wishes for scaling. */
export type ScalePolicy = Policy['scale'];

interface Bucket extends TrendPoint {
  /** Samples that `load` is the mean of. */
  readonly count: number;
  readonly fromMs: number;
}

/** What is remembered of a pool. At most about 200 numbers and the newest sample. */
export interface ScaleHistory {
  readonly latest: ScaleSample | undefined;
  /** Loads of the last few start times, thinned; oldest first. */
  readonly points: readonly Bucket[];
  /** Smoothed load now; 0 before the first valid sample. */
  readonly level: number;
  /** Load expected when a node started now would serve; at least `level`. */
  readonly forecast: number;
  /** Standard deviation of `level` ÷ level, 0 or more. */
  readonly unrest: number;
  /** Highest forecasts within `down.after`, what is missing taken for full. */
  readonly highs: readonly Step[];
  /** Lowest forecasts within `up.after`. */
  readonly lows: readonly Step[];
  /** Highest of the lowest: the loads that nodes were asked for within `startTime`. */
  readonly asks: readonly Step[];
  /** Since when valid samples have come without a gap; Infinity before the first. */
  readonly sinceMs: number;
  /** When the newest valid sample was taken; -Infinity before the first. */
  readonly validAtMs: number;
  /** When the number of nodes that count last fell; -Infinity when it has not. */
  readonly shrunkAtMs: number;
}

/** Nothing known yet. */
export const noScaleHistory: ScaleHistory = {
  latest: undefined,
  points: [],
  level: 0,
  forecast: 0,
  unrest: 0,
  highs: [],
  lows: [],
  asks: [],
  sinceMs: Infinity,
  validAtMs: -Infinity,
  shrunkAtMs: -Infinity,
};

// Three start times show whether a rise goes on; less than three minutes is noise, more than half an hour the past.
const startTimesSeen = 3;
const leastSpanMs = 180_000;
const mostSpanMs = 1_800_000;
const pointsPerSpan = 48;
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
export function scaleSpans({ startTimeMs }: Pick<ScalePolicy, 'startTimeMs'>): {
  readonly trendMs: number;
  readonly levelMs: number;
  /** Between a node that has gone and the next. */
  readonly pauseMs: number;
  /** A longer break in valid samples starts afresh. */
  readonly gapMs: number;
} {
  const trendMs = Math.min(Math.max(leastSpanMs, startTimesSeen * startTimeMs), mostSpanMs);
  const gapMs = Math.max(leastGapMs, (2 * trendMs) / pointsPerSpan);
  return { trendMs, levelMs: trendMs * levelPart, pauseMs: trendMs * pausePart, gapMs };
}

/**
 * The highest load within the last start time that nodes were asked for, `up.after` applied: until what was asked for
 * could be there, asking for less would have the platform stop what it is starting. 0 when there is none.
 */
export function askedLoad({ asks }: Pick<ScaleHistory, 'asks'>, nowMs: number, policy: ScalePolicy): number {
  const isOpen = ({ fromMs }: Step) => fromMs <= nowMs && nowMs - fromMs <= policy.startTimeMs;
  return extremeOf(asks.filter(isOpen), Math.max) ?? 0;
}

/**
 * The history after one more sample. A clock that goes backwards, or a break in valid samples, starts trend and windows
 * afresh: what is not known holds back a scale-in and is no trend. A sample without valid data leaves the rest as it is.
 */
export function absorbScale(history: ScaleHistory, sample: ScaleSample, policy: ScalePolicy): ScaleHistory {
  const { atMs, load } = sample;
  const base = goesOn(history, atMs, policy) ? history : { ...noScaleHistory, asks: history.asks };
  const shrunkAtMs = hasShrunk(history.latest, sample) ? atMs : Math.min(atMs, history.shrunkAtMs);
  if (load === undefined) return { ...base, latest: sample, shrunkAtMs };
  const points = intoPoints(base.points, { atMs, load: load.total }, scaleSpans(policy).trendMs);
  const outlook = outlookOf(points, atMs, policy);
  const { forecast } = outlook;
  const cautious = forecast + (load.cautious - load.total);
  const sinceMs = Math.min(base.sinceMs, atMs);
  const lows = intoWindow(
    base.lows,
    { atMs, value: forecast },
    { spanMs: policy.up.afterMs, pick: Math.min },
  );
  const isLasting = atMs - sinceMs >= policy.up.afterMs;
  const asked = isLasting ? (extremeOf(lows, Math.min) ?? 0) : 0;
  return {
    ...outlook,
    latest: sample,
    points,
    highs: intoWindow(base.highs, { atMs, value: cautious }, { spanMs: policy.down.afterMs, pick: Math.max }),
    lows,
    asks: intoWindow(base.asks, { atMs, value: asked }, { spanMs: policy.startTimeMs, pick: Math.max }),
    sinceMs,
    validAtMs: atMs,
    shrunkAtMs,
  };
}

function goesOn({ latest, validAtMs }: ScaleHistory, atMs: number, policy: ScalePolicy): boolean {
  if (latest === undefined) return true;
  return atMs >= latest.atMs && atMs - validAtMs <= scaleSpans(policy).gapMs;
}

function hasShrunk(before: ScaleSample | undefined, now: ScaleSample): boolean {
  return before !== undefined && countOf(now) < countOf(before);
}

function countOf({ nodes }: ScaleSample): number {
  return nodes.filter(countsAsNode).length;
}

function intoPoints(points: readonly Bucket[], point: TrendPoint, spanMs: number): readonly Bucket[] {
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

type Outlook = Pick<ScaleHistory, 'level' | 'forecast' | 'unrest'>;

function outlookOf(points: readonly Bucket[], nowMs: number, policy: ScalePolicy): Outlook {
  const { trendMs, levelMs } = scaleSpans(policy);
  const since = (ageMs: number) => points.filter(({ atMs }) => atMs > nowMs - ageMs);
  const noise = noiseOf(points);
  const usual = since(levelMs);
  const newest = since(trendMs * jumpPart);
  const jump = meanLoad(newest) - meanLoad(usual);
  const error = noise * Math.sqrt(1 / Math.max(1, newest.length) + 1 / Math.max(1, usual.length));
  // Two points at least: one report of nonsense is no crowd.
  const isJump = newest.length > 1 && jump > jumpErrors * error;
  const shown = isJump ? newest : usual;
  const level = meanLoad(shown);
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
