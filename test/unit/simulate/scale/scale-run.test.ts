import { describe, expect, it } from 'vitest';
import { scaleArms } from '../../../../src/simulate/scale/arms.ts';
import type { Autoscaler } from '../../../../src/simulate/scale/autoscaler.ts';
import type { Fleet } from '../../../../src/simulate/scale/fleet.ts';
import { scaleLimits, simulateScaling, type ScaleArm } from '../../../../src/simulate/scale/scale-run.ts';
import { aScaleScenario } from './a-scale-scenario.ts';

const plain = { seed: 1, rebalances: false };

/** Never changes the fleet but for what a test does at given minutes; nodes go by a drain of ten minutes. */
function scripted(steps: Record<number, (fleet: Fleet) => void>, drains = true): ScaleArm {
  const create = ({ fleet }: { fleet: Fleet }): Autoscaler => ({
    tick: (nowMs) => steps[nowMs / 60_000]?.(fleet),
    choose: (candidates, count) => candidates.slice(0, count),
    remove: (node, nowMs) =>
      fleet.remove(node, {
        endsAtMs: nowMs + (drains ? 600_000 : 30_000),
        drainRate: drains ? 'auto' : 'none',
      }),
    takesBack: true,
  });
  return { name: 'scripted', isBaseline: true, create };
}

describe.each(scaleArms)('a fleet under $name', (arm) => {
  const eventful = aScaleScenario({ deployAtMs: 3_600_000 });

  it('gives the same result for the same seed and another one for another', () => {
    const first = simulateScaling(eventful, arm, plain);
    expect(simulateScaling(eventful, arm, plain)).toEqual(first);
    expect(simulateScaling(eventful, arm, { ...plain, seed: 2 })).not.toEqual(first);
  });

  it('loses no connection: what was opened has closed or is open', () => {
    for (const rebalances of [false, true]) {
      const { opened, closed, open } = simulateScaling(eventful, arm, { seed: 3, rebalances });
      expect(opened).toBeGreaterThan(450);
      expect(opened).toBe(closed + open);
    }
  });

  it('grows for a crowd and shrinks after it, within its limits', () => {
    const { started, nodeHours, utilization } = simulateScaling(aScaleScenario(), arm, plain);
    const hours = 4_800_000 / 3_600_000;
    expect(started).toBeGreaterThan(5);
    expect(nodeHours).toBeGreaterThan(scaleLimits.min * hours);
    expect(nodeHours).toBeLessThan(12 * hours);
    expect(utilization).toBeGreaterThan(0.3);
  });

  it('replaces every node in a deploy', () => {
    const calm = aScaleScenario({ curve: { kind: 'flash', base: 240, times: 1, atMs: 0, withinMs: 1000 } });
    const before = simulateScaling(calm, arm, plain);
    const { disconnected, started } = simulateScaling({ ...calm, deployAtMs: 3_600_000 }, arm, plain);
    expect(started).toBeGreaterThanOrEqual(before.started + 4);
    expect(disconnected).toBeGreaterThan(before.disconnected + 150);
  });
});

describe('a run', () => {
  // 240 clients of 100 a node at a target of 0.6.
  const calm = aScaleScenario({
    curve: { kind: 'flash', base: 240, times: 1, atMs: 0, withinMs: 1000 },
    noise: 0,
  });

  it('begins with what the target needs, and charges nodes from the wish for them to their end', () => {
    const { started, nodeHours, utilization } = simulateScaling(calm, scripted({}), plain);
    expect(started).toBe(5);
    expect(nodeHours).toBeCloseTo((5 * 4_800_000) / 3_600_000, 9);
    expect(utilization).toBeGreaterThan(0.4);
    expect(utilization).toBeLessThan(0.65);
    const grown = simulateScaling(calm, scripted({ 30: (fleet) => void (fleet.desired = 6) }), plain);
    expect(grown.nodeHours - nodeHours).toBeCloseTo(1, 2);
  });

  it('cuts what a node without a drain still carries, and asks what one with a drain does', () => {
    const shrink = { 30: (fleet: Fleet) => void (fleet.desired = 4) };
    const cut = simulateScaling(calm, scripted(shrink, false), plain);
    const drained = simulateScaling(calm, scripted(shrink), plain);
    expect(cut.cut).toBeGreaterThan(30);
    expect(cut).toMatchObject({ drained: 0, moved: 0, disconnected: cut.cut });
    expect(drained.drained).toBeGreaterThan(20);
    expect(drained).toMatchObject({ cut: 0, moved: 0, disconnected: drained.drained });
  });

  it('has a node back that still drains instead of starting one', () => {
    const steps = {
      30: (fleet: Fleet) => void (fleet.desired = 4),
      30.05: (fleet: Fleet) => void (fleet.desired = 5),
    };
    expect(simulateScaling(calm, scripted(steps), plain).started).toBe(5);
    expect(simulateScaling(calm, scripted(steps, false), plain).started).toBe(6);
  });

  it('refuses whom no node may take, and lets them try again', () => {
    const tight = { ...calm, maxConnections: 40 };
    const { refused, open } = simulateScaling(tight, scripted({}), plain);
    expect(refused).toBeGreaterThan(100);
    expect(open).toBe(200);
  });

  it('counts a minute over saturation once, and its nodes each', () => {
    const heavy = { ...calm, costGrowth: 4 };
    const { overNodeMinutes, overMinutes } = simulateScaling(heavy, scripted({}), plain);
    expect(overMinutes).toBeGreaterThan(30);
    expect(overNodeMinutes).toBeGreaterThan(3 * overMinutes);
    expect(overNodeMinutes).toBeLessThanOrEqual(5 * overMinutes);
  });
});
