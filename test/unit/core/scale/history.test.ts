import { describe, expect, it } from 'vitest';
import { intoWindow, type Step } from '../../../../src/core/scale/extremes.ts';
import { absorbScale, noScaleHistory, type ScaleHistory } from '../../../../src/core/scale/history.ts';
import { scaleSpans } from '../../../../src/core/scale/outlook.ts';
import { recommendScale } from '../../../../src/core/scale/recommend.ts';
import { meanAtMs, meanLoad, noiseOf, risePerMs, slopePerMs } from '../../../../src/core/scale/trend.ts';
import { aSample, aScalePolicy, nodesAt, steady } from './a-scale.ts';

const policy = aScalePolicy();

/** The history after a load that follows `loadAt`, every `everyMs` until `untilMs`, on ten nodes. */
function follow(loadAt: (atMs: number) => number, untilMs: number, everyMs = 5000): ScaleHistory {
  let history = noScaleHistory;
  for (let atMs = 0; atMs <= untilMs; atMs += everyMs) {
    history = absorbScale(history, aSample(nodesAt(loadAt(atMs) / 10, 10), { atMs }), policy);
  }
  return history;
}

const line = (count: number, slope: number) =>
  Array.from({ length: count }, (_, index) => ({ atMs: index * 1000, load: 5 + slope * index }));

describe('a rise', () => {
  it('is what the line through the points says, and not what one point says', () => {
    expect(risePerMs(line(20, 1), 0)).toBeCloseTo(0.001, 9);
    const withOutlier = line(20, 0).map((point, index) => (index === 18 ? { ...point, load: 100 } : point));
    expect(risePerMs(withOutlier, 0)).toBe(0);
  });

  it('is none for a fall, few points, one instant, none, or what noise explains', () => {
    expect(risePerMs(line(20, -1), 0)).toBe(0);
    expect(risePerMs(line(7, 1), 0)).toBe(0);
    expect(risePerMs([], 0)).toBe(0);
    expect(
      risePerMs(
        line(20, 1).map((point) => ({ ...point, atMs: 0 })),
        0,
      ),
    ).toBe(0);
    expect(risePerMs(line(20, 1), 30)).toBe(0);
    const partly = risePerMs(line(20, 1), 3);
    expect(partly).toBeGreaterThan(0);
    expect(partly).toBeLessThan(0.001);
  });

  it('has a noise that a trend does not raise much, a mean and a middle', () => {
    expect(noiseOf(line(20, 0))).toBe(0);
    expect(noiseOf([])).toBe(0);
    expect(meanLoad([])).toBe(0);
    expect(meanLoad(line(3, 1))).toBe(6);
    expect(meanAtMs([])).toBe(0);
    expect(meanAtMs(line(3, 1))).toBe(1000);
    expect(slopePerMs(line(1, 1))).toBe(0);
  });
});

describe('the forecast', () => {
  it('looks ahead by the start time while load rises', () => {
    const { level, forecast } = follow((atMs) => 4 + atMs / 300_000, 600_000);
    expect(level).toBeGreaterThan(5.8);
    // 6 now, and 0.3 more in 90 seconds.
    expect(forecast).toBeCloseTo(6.3, 1);
  });

  it('ends with the rise', () => {
    const { forecast } = follow((atMs) => 4 + Math.min(atMs, 300_000) / 150_000, 360_000);
    expect(forecast).toBeCloseTo(6, 1);
  });

  it('is no lower than the level while load falls', () => {
    const { level, forecast } = follow((atMs) => 8 - atMs / 300_000, 600_000);
    expect(forecast).toBe(level);
  });

  it('of a crowd is a quarter above what is there at most, and what is there is seen within 20 s', () => {
    const crowd = (atMs: number) =>
      atMs < 600_000 ? 2 : 2 + (18 * Math.min(60_000, atMs - 600_000)) / 60_000;
    for (const untilMs of [620_000, 640_000, 660_000]) {
      const { level, forecast } = follow(crowd, untilMs);
      expect(level).toBeGreaterThan(crowd(untilMs - 20_000));
      expect(forecast).toBeLessThanOrEqual(level * 1.25 + 1e-9);
    }
  });

  it('is not moved by one report of nonsense', () => {
    const { forecast } = follow((atMs) => (atMs === 600_000 ? 40 : 4), 600_000);
    expect(forecast).toBeCloseTo(4, 9);
    const { level } = follow((atMs) => (atMs === 500_000 ? 40 : 4), 600_000);
    expect(level).toBeCloseTo(4, 9);
  });
});

describe('a window', () => {
  it('is three start times by itself, from three minutes to half an hour, and else what the policy says', () => {
    const trendMsOf = (scale: Parameters<typeof aScalePolicy>[0]) => scaleSpans(aScalePolicy(scale)).trendMs;
    expect([10_000, 90_000, 3_600_000].map((startTimeMs) => trendMsOf({ startTimeMs }))).toEqual([
      180_000, 270_000, 1_800_000,
    ]);
    expect(trendMsOf({ startTimeMs: 90_000, windowMs: 15_000 })).toBe(15_000);
  });
});

describe('what is remembered', () => {
  it('is bounded, however often samples come and however long windows are', () => {
    const long = aScalePolicy({
      startTimeMs: 3_600_000,
      down: { afterMs: 86_400_000, step: 1, drainMs: 20_000 },
    });
    let history = noScaleHistory;
    for (let atMs = 0; atMs < 90_000_000; atMs += 25_000) {
      history = absorbScale(history, aSample(nodesAt(0.5, 2), { atMs }), long);
    }
    const { points, highs, lows, asks } = history;
    expect(points.length).toBeLessThanOrEqual(50);
    expect(highs.length).toBeLessThanOrEqual(62);
    expect(asks.length).toBeLessThanOrEqual(62);
    expect(lows.length).toBeLessThanOrEqual(2);
    const often = follow(() => 5, 60_000, 20);
    expect(often.points.length).toBeLessThanOrEqual(50);
  });

  it('is never changed in place', () => {
    const before = steady(aSample(nodesAt(0.5, 2)), policy);
    const copy = structuredClone(before);
    absorbScale(before, aSample(nodesAt(0.9, 2), { atMs: 605_000 }), policy);
    expect(before).toEqual(copy);
  });

  it('in a window is the extreme of its span, without what lies in the future', () => {
    const rule = { spanMs: 60_000, pick: Math.max };
    let steps: readonly Step[] = [];
    for (const [atMs, value] of [
      [0, 9],
      [30_000, 5],
      [30_500, 7],
      [61_500, 3],
    ] as const) {
      steps = intoWindow(steps, { atMs, value }, rule);
    }
    expect(steps.map(({ value }) => value)).toEqual([7, 3]);
    expect(intoWindow(steps, { atMs: 31_000, value: 1 }, rule).map(({ value }) => value)).toEqual([7, 1]);
  });
});

describe('a clock that jumps', () => {
  const idle = aSample(nodesAt(0.2, 6));
  const calm = steady(idle, policy);

  it('back: the windows start again, and nothing goes in until they are full', () => {
    expect(recommendScale(calm, policy)).toMatchObject({ action: 'in' });
    const back = absorbScale(calm, { ...idle, atMs: 1000 }, policy);
    expect(recommendScale(back, policy)).toMatchObject({ action: 'hold', desired: 6 });
    const soon = steady(idle, policy, { after: back, forMs: 200_000 });
    expect(recommendScale(soon, policy)).toMatchObject({ action: 'hold' });
    const later = steady(idle, policy, { after: soon, forMs: 200_000 });
    expect(recommendScale(later, policy)).toMatchObject({ action: 'in' });
  });

  it('forward: a gap is no trend and fills no window', () => {
    const high = aSample(nodesAt(0.4, 6), { atMs: 700_000 });
    const after = absorbScale(calm, high, policy);
    expect(after).toMatchObject({
      sinceMs: 700_000,
      level: expect.closeTo(2.4, 9),
      forecast: expect.closeTo(2.4, 9),
    });
    const low = absorbScale(steady(high, policy), { ...idle, atMs: 3_600_000 }, policy);
    expect(recommendScale(low, policy)).toMatchObject({ action: 'hold', desired: 6 });
  });

  it('not at all: several samples of one instant are one point', () => {
    let history = noScaleHistory;
    for (let count = 0; count < 50; count += 1)
      history = absorbScale(history, { ...idle, atMs: 5000 }, policy);
    expect(history.points).toHaveLength(1);
    expect(recommendScale(history, policy)).toMatchObject({ action: 'hold' });
  });
});

describe('samples without data', () => {
  const idle = aSample(nodesAt(0.2, 6));
  const silent = aSample(nodesAt(NaN, 6), { load: undefined });

  it('hold, and a short hole does not start the windows again', () => {
    const calm = steady(idle, policy);
    const hole = absorbScale(calm, { ...silent, atMs: 605_000 }, policy);
    expect(recommendScale(hole, policy)).toMatchObject({ isKnown: false, action: 'hold', desired: 6 });
    const mended = absorbScale(hole, { ...idle, atMs: 610_000 }, policy);
    expect(recommendScale(mended, policy)).toMatchObject({ action: 'in' });
  });

  it('start them again after a long one', () => {
    const hole = steady(silent, policy, { after: steady(idle, policy), forMs: 60_000 });
    const mended = steady(idle, policy, { after: hole, forMs: 10_000 });
    expect(recommendScale(mended, policy)).toMatchObject({ isKnown: true, action: 'hold', desired: 6 });
  });
});
