// What a pool's load has been: smoothed, its trend, and the extremes of the windows. How many nodes it needs is not
// decided here. Values only; a sample makes a new one.
import type { Policy } from '../../policy/policy.ts';
import { extremeOf, intoWindow, type Step } from './extremes.ts';
import { countsAsNode, type ScaleSample } from './scale-sample.ts';
import { intoPoints, outlookOf, scaleSpans, type Bucket, type Outlook } from './outlook.ts';

/** A policy's wishes for scaling. */
export type ScalePolicy = Policy['scale'];

/** What is remembered of a pool. At most about 200 numbers and the newest sample. */
export interface ScaleHistory extends Outlook {
  readonly latest: ScaleSample | undefined;
  /** Loads of the last few start times, thinned; oldest first. */
  readonly points: readonly Bucket[];
  /** Highest forecasts within `down.after`, what is missing taken for full. */
  readonly highs: readonly Step[];
  /** Lowest proven loads within `up.after`. */
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

/**
 * How far above the target a pool may be before nodes are added, as a part of it. What connections do rises and falls by
 * some per cent within half an hour, whatever is smoothed; each swing would start a node and later drain another.
 * Kubernetes' HPA allows as much.
 */
export const tolerance = 0.1;

/**
 * The highest load within the last start time that nodes were asked for, `up.after` applied: until what was asked for
 * could be there, asking for less would have the platform stop what it is starting. 0 when there is none.
 */
export function askedLoad({ asks }: Pick<ScaleHistory, 'asks'>, nowMs: number, policy: ScalePolicy): number {
  const isOpen = ({ fromMs }: Step) => fromMs <= nowMs && nowMs - fromMs <= policy.startTimeMs;
  return extremeOf(asks.filter(isOpen), Math.max) ?? 0;
}

/** The part of the forecast that is beyond tolerance: what it still fits into, no node is added for. */
export function provenLoad({ forecast }: Pick<ScaleHistory, 'forecast'>): number {
  return forecast / (1 + tolerance);
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
  const points = intoPoints(base.points, { atMs, load: load.total }, policy);
  const outlook = outlookOf(points, atMs, policy);
  const { forecast } = outlook;
  const cautious = forecast + (load.cautious - load.total);
  const sinceMs = Math.min(base.sinceMs, atMs);
  const lows = intoWindow(
    base.lows,
    { atMs, value: provenLoad(outlook) },
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
