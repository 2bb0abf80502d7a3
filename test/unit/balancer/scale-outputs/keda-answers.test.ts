import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isActive,
  metricName,
  metricSpec,
  metricValue,
} from '../../../../src/balancer/scale-outputs/keda-answers.ts';
import { HeraldError } from '../../../../src/core/error.ts';
import { aScaling, anUnknownScaling } from '../../../support/a-scaling.ts';

const load = { pool: 'chat', metric: 'load' } as const;
const desired = { pool: 'chat', metric: 'desired' } as const;

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof HeraldError ? `${error.code}: ${error.message}` : String(error);
  }
  return 'no error';
}

describe('a metric', () => {
  it('is called by its pool, in characters that Kubernetes takes', () => {
    expect(metricName(load)).toBe('herald_chat');
    expect(metricName({ pool: 'eu.games:1', metric: 'desired' })).toBe('herald_eu-games-1_desired');
  });

  it('is the sum over the fleet, the whole number in hundredths rounded up', () => {
    expect(metricValue(load, 'herald_chat', aScaling({ totalLoad: 4.401 }))).toEqual({
      metricName: 'herald_chat',
      metricValue: 441,
      metricValueFloat: 4.401,
    });
    expect(metricValue(load, '', aScaling({ totalLoad: 4.4 })).metricValue).toBe(440);
    expect(metricValue(load, 's0-herald_chat', aScaling({ totalLoad: 0 })).metricValue).toBe(0);
  });

  it('has the target of the policy in both forms', () => {
    expect(metricSpec(load, aScaling({ target: 0.6 }))).toEqual({
      metricName: 'herald_chat',
      targetSize: 60,
      targetSizeFloat: 0.6,
    });
    expect(metricSpec(load, aScaling({ target: 0.07 })).targetSize).toBe(7);
    expect(metricSpec(desired, aScaling()).targetSizeFloat).toBe(1);
  });

  it('leads to as many replicas by whole numbers as by doubles, or to one more', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 500, noNaN: true }),
        fc.integer({ min: 1, max: 100 }),
        (totalLoad, percent) => {
          const scaling = aScaling({ totalLoad, target: percent / 100 });
          const { targetSize, targetSizeFloat } = metricSpec(load, scaling);
          const { metricValue: whole, metricValueFloat } = metricValue(load, '', scaling);
          const byDouble = Math.ceil(metricValueFloat / targetSizeFloat - 1e-6);
          const byWhole = Math.ceil(whole / targetSize);
          expect(byWhole).toBeGreaterThanOrEqual(byDouble);
          expect(byWhole).toBeLessThanOrEqual(byDouble + 1);
        },
      ),
    );
  });

  it('counts the nodes wanted without windows where the trigger asks for them', () => {
    const scaling = aScaling({ desiredNodes: 8, wantedNodes: 5 });
    expect(metricValue(desired, '', scaling)).toMatchObject({ metricValue: 500, metricValueFloat: 5 });
  });

  it('is an error with the reason, never 0, where the load is not known', () => {
    for (const trigger of [load, desired])
      expect(codeOf(() => metricValue(trigger, '', anUnknownScaling()))).toBe(
        "HERALD_SCALE_UNKNOWN: the load of pool 'chat' is not known: No node of the pool has a valid report.",
      );
    // A state that contradicts its numbers is not believed either.
    expect(codeOf(() => metricValue(load, '', aScaling({ state: 'unknown' })))).toContain('SCALE_UNKNOWN');
    expect(codeOf(() => metricValue(load, '', aScaling({ totalLoad: null })))).toContain('SCALE_UNKNOWN');
  });

  it('is an error while the pool is frozen, so that the autoscaler holds', () => {
    expect(codeOf(() => metricValue(load, '', aScaling({ isFrozen: true })))).toContain('HERALD_FROZEN');
  });

  it('that there is not is refused with the one there is', () => {
    expect(codeOf(() => metricValue(load, 'herald_games', aScaling()))).toBe(
      "HERALD_SCALER_METADATA_INVALID: there is no metric 'herald_games' of pool 'chat': it is 'herald_chat'",
    );
  });
});

describe('activity', () => {
  it('is what the recommendation says, with and without load data', () => {
    expect(isActive(aScaling())).toBe(true);
    expect(isActive(anUnknownScaling())).toBe(true);
    expect(isActive(aScaling({ isActive: false, min: 0 }))).toBe(false);
  });

  it('is never denied on missing data', () => {
    expect(codeOf(() => isActive(anUnknownScaling({ isActive: false, min: 0 })))).toContain('SCALE_UNKNOWN');
  });
});
