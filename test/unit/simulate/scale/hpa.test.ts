import { describe, expect, it } from 'vitest';
import { beginHpa, syncHpa, wantedReplicas, type HpaPod } from '../../../../src/simulate/scale/hpa.ts';

const nowMs = 3_600_000;

/** A pod that has been ready for half an hour, with a sample of ten seconds ago. */
function aPod(cpu: number | undefined, parts: Partial<HpaPod> = {}): HpaPod {
  return {
    isPending: false,
    cpu,
    sampledAtMs: nowMs - 10_000,
    startedAtMs: nowMs - 1_800_000,
    isReady: true,
    changedAtMs: nowMs - 1_800_000,
    ...parts,
  };
}

/** Started a minute ago, its process runs, it is not ready. */
const asleep = { startedAtMs: nowMs - 60_000, isReady: false, changedAtMs: nowMs - 60_000 };

function wantedOf(pods: readonly HpaPod[], target: number, current = pods.length): number | undefined {
  return wantedReplicas(pods, { current, target, nowMs });
}

describe('the replicas that an HPA wants', () => {
  // "If the current metric value is 200m and the desired value is 100m, the number of replicas is doubled; at 50m it is
  // halved" (kubernetes.io, algorithm details).
  it.each([
    { cpu: 0.8, target: 0.4, replicas: 8 },
    { cpu: 0.2, target: 0.4, replicas: 2 },
    { cpu: 0.43, target: 0.4, replicas: 4 },
    { cpu: 0.44, target: 0.4, replicas: 4 },
    { cpu: 0.45, target: 0.4, replicas: 5 },
    { cpu: 0.36, target: 0.4, replicas: 4 },
    { cpu: 0.35, target: 0.4, replicas: 4 },
    { cpu: 0.3, target: 0.4, replicas: 3 },
  ])('are $replicas of four pods at $cpu with a target of $target', ({ cpu, target, replicas }) => {
    expect(
      wantedOf(
        Array.from({ length: 4 }, () => aPod(cpu)),
        target,
      ),
    ).toBe(replicas);
  });

  // The cases of replica_calculator_test.go with the same levels.
  it('follow the mean of unequal pods, rounded up', () => {
    expect(
      wantedOf(
        [0.3, 0.5, 0.7].map((cpu) => aPod(cpu)),
        0.3,
      ),
    ).toBe(5);
    expect(
      wantedOf(
        [0.1, 0.3, 0.5, 0.25, 0.25].map((cpu) => aPod(cpu)),
        0.5,
      ),
    ).toBe(3);
  });

  it('are fewer on the way up when a pod is not ready: it counts as idle', () => {
    const pods = [aPod(0.3, asleep), aPod(0.5), aPod(0.7)];
    expect(wantedOf(pods, 0.3)).toBe(4);
  });

  it('stay when counting the unready would turn the direction or is within tolerance', () => {
    expect(wantedOf([aPod(0.4, asleep), aPod(0.5, asleep), aPod(0.9)], 0.3)).toBe(3);
    expect(wantedOf([aPod(1), aPod(1), aPod(1), aPod(0, asleep), aPod(0, asleep)], 0.6)).toBe(5);
  });

  it('leave out the unready on the way down', () => {
    expect(wantedOf([aPod(0.1, asleep), aPod(0.3), aPod(0.3)], 0.6)).toBe(1);
  });

  it('take a pod without metrics for busy on the way down and for idle on the way up', () => {
    expect(wantedOf([aPod(0.4), aPod(0.4), aPod(0.4), aPod(undefined)], 0.5)).toBe(4);
    expect(wantedOf([aPod(0.1), aPod(0.1), aPod(0.1), aPod(undefined)], 0.5)).toBe(3);
    expect(wantedOf([aPod(0.9), aPod(0.9), aPod(undefined)], 0.5)).toBe(4);
  });

  it('count a pending pod as not ready', () => {
    const pending = aPod(undefined, { isPending: true, isReady: false });
    expect(wantedOf([aPod(1), aPod(1), aPod(1), pending, pending], 0.6)).toBe(5);
  });

  it('believe a pod that has just become ready once a whole window has been ready', () => {
    const young = { startedAtMs: nowMs - 120_000, changedAtMs: nowMs - 30_000 };
    const before = aPod(0.9, { ...young, sampledAtMs: nowMs - 20_000 });
    const after = aPod(0.9, { ...young, sampledAtMs: nowMs - 15_000 });
    expect(wantedOf([aPod(0.9), before], 0.5)).toBe(2);
    expect(wantedOf([aPod(0.9), after], 0.5)).toBe(4);
  });

  it('are unknown without a ready pod that has metrics', () => {
    expect(wantedOf([aPod(undefined), aPod(0.5, asleep)], 0.5)).toBeUndefined();
    expect(wantedOf([], 0.5)).toBeUndefined();
  });
});

describe('an HPA over time', () => {
  const rule = { min: 2, max: 100, target: 0.6 };

  /** Runs syncs 15 s apart, each time at the size that the last one asked for. */
  function follow(from: number, wishes: readonly (number | undefined)[]): number[] {
    let state = beginHpa(from, 0);
    let current = from;
    return wishes.map((wanted, index) => {
      const synced = syncHpa(state, { wanted, current, nowMs: (index + 1) * 15_000 }, rule);
      state = synced.state;
      current = synced.replicas;
      return current;
    });
  }

  it('grows by four or doubles in 15 s, the more of the two', () => {
    expect(follow(2, [50, 50, 50, 50, 50])).toEqual([6, 12, 24, 48, 50]);
  });

  it('goes down to the highest that it wanted in the last five minutes', () => {
    const wishes = [...Array.from({ length: 10 }, () => 4), 7, ...Array.from({ length: 25 }, () => 4)];
    const sizes = follow(10, wishes);
    // The size that it found counts as a wish of its beginning.
    expect(sizes.slice(0, 19).every((size) => size === 10)).toBe(true);
    expect(sizes[19]).toBe(7);
    expect(sizes.at(-1)).toBe(4);
    expect(sizes.indexOf(4)).toBe(10 + 20);
  });

  it('keeps within its limits', () => {
    expect(follow(98, [150])).toEqual([100]);
    expect(
      follow(
        3,
        Array.from({ length: 21 }, () => 1),
      ).at(-1),
    ).toBe(2);
  });

  it('does nothing while nothing is known', () => {
    expect(
      follow(
        5,
        Array.from({ length: 30 }, () => undefined),
      ).every((size) => size === 5),
    ).toBe(true);
  });
});
