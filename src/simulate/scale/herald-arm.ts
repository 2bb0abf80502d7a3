// Herald's arm: the recommendation of core/, carried out as a scaling driver does. Nodes that go are drained first.
import { absorbScale, noScaleHistory } from '../../core/scale/history.ts';
import { recommendScale } from '../../core/scale/recommend.ts';
import type { Recommendation } from '../../core/scale/recommendation.ts';
import { scaleSampleOf } from '../../core/scale/scale-sample.ts';
import type { Autoscaler } from './autoscaler.ts';
import type { FleetNode } from './fleet.ts';
import type { LevelledPool } from './leveller.ts';

// Every report once: more often says nothing new.
const everyMs = 5000;

// Nobody waits for a node that is too many: its connections are asked to leave no faster than the deadline needs.
const leastRate = 0.001;

/** Follows `recommendScale`. What has been asked for and does not run yet is remembered here: a balancer cannot see it. */
export function heraldArm({ fleet, placement, policy }: LevelledPool): Autoscaler {
  let history = noScaleHistory;
  let victims: readonly string[] = [];
  const follow = (wish: Recommendation): void => {
    victims = wish.victims.map(({ id }) => id);
    if (wish.action === 'out') fleet.desired = Math.max(fleet.desired, wish.desired);
    // In a deploy there are more nodes than are wished for: those are not too many, their predecessors go.
    if (wish.action === 'in') fleet.desired = Math.min(fleet.desired, wish.desired);
  };
  return {
    tick(nowMs) {
      if (nowMs % everyMs !== 0) return;
      history = absorbScale(history, scaleSampleOf(placement.assessment(nowMs), policy), policy.scale);
      follow(recommendScale(history, policy.scale));
    },
    choose: (candidates, count) =>
      candidates.toSorted((a, b) => turnOf(a, victims) - turnOf(b, victims)).slice(0, count),
    remove: (node, nowMs, why) =>
      fleet.remove(
        node,
        why === 'surplus'
          ? { endsAtMs: nowMs + policy.scale.down.drainMs, drainRate: leastRate }
          : { endsAtMs: nowMs + policy.drain.deadlineMs, drainRate: policy.drain.ratePerSecond },
      ),
    takesBack: true,
  };
}

/** The place among the victims; those that nobody has named go last. */
function turnOf({ id }: FleetNode, victims: readonly string[]): number {
  const turn = victims.indexOf(id);
  return turn === -1 ? victims.length : turn;
}
