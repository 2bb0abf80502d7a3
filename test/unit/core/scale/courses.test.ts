// Fleets that follow the recommendation through a day, a ramp and a crowd: nodes take 90 s to start, what is starting is
// stopped first, and load is spread evenly. The comparison with other autoscalers is the simulator's.
import { describe, expect, it } from 'vitest';
import { pcg32 } from '../../../../src/core/rng.ts';
import { absorbScale, noScaleHistory, type ScaleHistory } from '../../../../src/core/scale/history.ts';
import { recommendScale } from '../../../../src/core/scale/recommend.ts';
import { aSample, aScalePolicy, nodesAt } from './a-scale.ts';

interface Course {
  readonly loadAt: (second: number) => number;
  readonly seconds: number;
  readonly stepsDown: 1 | 'all';
}

/** What became of it. */
interface Outcome {
  readonly nodeHours: number;
  /** Of a fleet that always has exactly what the load by target needs. */
  readonly idealNodeHours: number;
  readonly secondsOverSaturation: number;
  readonly changes: number;
  readonly most: number;
}

const startSeconds = 90;
const stepSeconds = 5;

/** Follows a course with 2.4 % of noise on each sample. */
function follow({ loadAt, seconds, stepsDown }: Course): Outcome {
  const policy = aScalePolicy({ max: 100, down: { afterMs: 300_000, step: stepsDown, drainMs: 20_000 } });
  const rng = pcg32(7);
  let history: ScaleHistory = noScaleHistory;
  let count = Math.ceil(loadAt(0) / policy.target);
  let startsAt: number[] = [];
  const sum = { nodeSteps: 0, idealSteps: 0, overSteps: 0, changes: 0, most: 0 };
  for (let second = 0; second < seconds; second += stepSeconds) {
    count += startsAt.filter((at) => at + startSeconds <= second).length;
    startsAt = startsAt.filter((at) => at + startSeconds > second);
    const load = loadAt(second);
    const seen = load * (1 + 0.06 * (rng.next() + rng.next() - 1));
    history = absorbScale(history, aSample(nodesAt(seen / count, count), { atMs: second * 1000 }), policy);
    const { desired } = recommendScale(history, policy);
    if (desired !== count + startsAt.length) sum.changes += 1;
    const toStart = Math.max(0, desired - count);
    while (startsAt.length < toStart) startsAt.push(second);
    startsAt.length = toStart;
    count = Math.min(count, desired);
    sum.nodeSteps += count + startsAt.length;
    sum.idealSteps += Math.ceil(load / policy.target);
    sum.overSteps += load > count ? 1 : 0;
    sum.most = Math.max(sum.most, count + startsAt.length);
  }
  return {
    nodeHours: (sum.nodeSteps * stepSeconds) / 3600,
    idealNodeHours: (sum.idealSteps * stepSeconds) / 3600,
    secondsOverSaturation: sum.overSteps * stepSeconds,
    changes: sum.changes,
    most: sum.most,
  };
}

describe('a fleet that follows the recommendation', () => {
  it('through a day has what it needs, hardly more, and changes only when the day does', () => {
    const day = follow({
      loadAt: (second) => 6 - 4 * Math.cos((2 * Math.PI * second) / 86_400),
      seconds: 86_400,
      stepsDown: 1,
    });
    expect(day.secondsOverSaturation).toBe(0);
    expect(day.nodeHours).toBeLessThan(1.04 * day.idealNodeHours);
    // Thirteen nodes more by noon, and thirteen fewer by midnight.
    expect(day.changes).toBeLessThanOrEqual(34);
  });

  it('up a ramp of ten minutes is never over saturation', () => {
    const ramp = follow({
      loadAt: (second) => 2 + 4 * Math.min(1, Math.max(0, (second - 600) / 600)),
      seconds: 2400,
      stepsDown: 1,
    });
    expect(ramp.secondsOverSaturation).toBe(0);
    expect(ramp.most).toBeLessThanOrEqual(12);
  });

  it('in a crowd of ten times the clients within a minute has enough as soon as nodes can start, and not many more', () => {
    const crowd = follow({
      loadAt: (second) => (second > 1800 ? 2 : 2 + 18 * Math.min(1, Math.max(0, (second - 600) / 60))),
      seconds: 3600,
      stepsDown: 'all',
    });
    // It takes 7 s to be over what four nodes can, and 90 s to start a node.
    expect(crowd.secondsOverSaturation).toBeLessThanOrEqual(150);
    expect(crowd.most).toBeLessThanOrEqual(43);
    expect(crowd.nodeHours).toBeLessThan(1.35 * crowd.idealNodeHours);
  });
});
