// A recommendation as the API's JSON. Pure; what is not known is null.
import type { Recommendation } from '../../core/scale/recommendation.ts';
import type { Policy } from '../../policy/policy.ts';
import { isoTime } from '../../protocol/iso-time.ts';
import type { Scaling } from '../../protocol/scaling.ts';

/** What the JSON says beside the recommendation. `wallMs` is the instant of its computation. */
export interface ScalingContext {
  readonly pool: string;
  readonly scale: Pick<Policy['scale'], 'min' | 'max' | 'target'>;
  readonly wallMs: number;
  readonly isFrozen: boolean;
}

/** Frozen, since many hear the same one. */
export function scalingOf(
  recommendation: Recommendation,
  { pool, scale, wallMs, isFrozen }: ScalingContext,
): Scaling {
  const { action, desired, nodes, starting, reason, victims } = recommendation;
  return Object.freeze({
    pool,
    at: isoTime(wallMs),
    state: recommendation.isKnown ? ('known' as const) : ('unknown' as const),
    action,
    desiredNodes: desired,
    nodes,
    startingNodes: starting,
    ...loadsOf(recommendation),
    target: scale.target,
    min: scale.min,
    max: scale.max,
    isActive: scale.min >= 1,
    isFrozen,
    reason,
    victims,
  });
}

type Loads = Pick<Scaling, 'wantedNodes' | 'load' | 'totalLoad' | 'forecastLoad' | 'capacity' | 'bottleneck'>;

const noLoads: Loads = {
  wantedNodes: null,
  load: null,
  totalLoad: null,
  forecastLoad: null,
  capacity: null,
  bottleneck: '',
};

function loadsOf(recommendation: Recommendation): Loads {
  if (!recommendation.isKnown) return noLoads;
  const { wanted, load, totalLoad, forecastLoad, capacity, bottleneck } = recommendation;
  return { wantedNodes: wanted, load, totalLoad, forecastLoad, capacity, bottleneck };
}
