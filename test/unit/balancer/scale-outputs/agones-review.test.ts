import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerReview, readReview } from '../../../../src/balancer/scale-outputs/agones-review.ts';
import type { Scaling } from '../../../../src/protocol/scaling.ts';
import { aScaling, anUnknownScaling } from '../../../support/a-scaling.ts';

function review(replicas: number) {
  const status = { replicas, readyReplicas: replicas, reservedReplicas: 0, allocatedReplicas: 0 };
  const request = { uid: 'u-1', name: 'chat', namespace: 'default', status };
  return readReview({ request, response: null });
}

const answer = (replicas: number, scaling: Scaling) => answerReview(review(replicas), scaling);

describe('a review', () => {
  it('gets as many replicas as are desired, under its own uid', () => {
    const out = aScaling({ action: 'out', nodes: 3, desiredNodes: 5, reason: 'Busy.' });
    expect(answer(3, out)).toEqual({ uid: 'u-1', scale: true, replicas: 5, reason: 'Busy.' });
    const scaleIn = aScaling({ action: 'in', nodes: 3, desiredNodes: 2 });
    expect(answer(3, scaleIn)).toMatchObject({ scale: true, replicas: 2 });
  });

  it('leaves the fleet as it is where there is nothing to do', () => {
    expect(answer(3, aScaling())).toMatchObject({ scale: false, replicas: 3 });
  });

  it('leaves the fleet as it is without load data, and while the pool is frozen', () => {
    const unknown = answer(3, anUnknownScaling({ desiredNodes: 1 }));
    expect(unknown).toMatchObject({ scale: false, replicas: 3 });
    expect(unknown.reason).toContain('The load is not known: No node');
    expect(answer(3, aScaling({ desiredNodes: 9, isFrozen: true }))).toMatchObject({ scale: false });
  });

  it('does not take replicas that have not registered for ones too many', () => {
    // 10 replicas were started, 3 have reported.
    expect(answer(10, aScaling({ nodes: 3, desiredNodes: 3 }))).toMatchObject({ scale: false, replicas: 10 });
    expect(answer(10, aScaling({ action: 'out', nodes: 3, desiredNodes: 5 }))).toMatchObject({
      scale: false,
    });
    expect(answer(10, aScaling({ action: 'in', nodes: 3, desiredNodes: 2 }))).toMatchObject({ scale: false });
  });

  it('never loses replicas but by a scale-in on valid data of every replica', () => {
    const count = fc.integer({ min: 0, max: 20 });
    const action = fc.constantFrom('in' as const, 'out' as const, 'hold' as const);
    const state = fc.constantFrom('known' as const, 'unknown' as const);
    fc.assert(
      fc.property(
        count,
        count,
        count,
        action,
        state,
        fc.boolean(),
        (replicas, nodes, desired, act, seen, ice) => {
          const scaling = aScaling({ nodes, desiredNodes: desired, action: act, state: seen, isFrozen: ice });
          const { scale, replicas: given } = answer(replicas, scaling);
          if (!scale) expect(given).toBe(replicas);
          if (given >= replicas) return;
          expect([act, seen, ice, replicas <= nodes]).toEqual(['in', 'known', false, true]);
        },
      ),
    );
  });
});

it.each([
  [null, 'body:'],
  [{}, 'request:'],
  [{ request: { uid: '', name: 'a', namespace: 'b', status: { replicas: 1 } } }, 'request.uid:'],
  [
    { request: { uid: 'u', name: 'a', namespace: 'b', status: { replicas: -1 } } },
    'request.status.replicas:',
  ],
  [
    { request: { uid: 'u', name: 'a', namespace: 'b', status: { replicas: 1.5 } } },
    'request.status.replicas:',
  ],
])('%j is no review, and it is said why', (body, why) => {
  expect(() => readReview(body)).toThrow(why);
});
