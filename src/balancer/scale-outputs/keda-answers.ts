// What KEDA is told of a recommendation: the fleet's sum, unwindowed, since HPA has windows of its own. Pure.
import { HeraldError } from '../../core/error.ts';
import type { Scaling } from '../../protocol/scaling.ts';
import type { ScalerMetric, ScalerTrigger } from './keda-metadata.ts';

/** One metric's target. */
export interface MetricSpec {
  readonly metricName: string;
  /** Hundredths of `targetSizeFloat`, at least 1: as a whole number of nodes, 0.6 would become 1. */
  readonly targetSize: number;
  readonly targetSizeFloat: number;
}

/** One metric's value. */
export interface MetricValue {
  readonly metricName: string;
  /** Hundredths of `metricValueFloat`, rounded up: asking for a node too much is the safe side. */
  readonly metricValue: number;
  readonly metricValueFloat: number;
}

const perUnit = 100;
// 4.4 × 100 is 440.00000000000006: not a hundredth more.
const roundingSlack = 1e-6;

/** `herald_<pool>`, for `desired` with `_desired`; what a metric of Kubernetes cannot be called becomes `-`. */
export function metricName({ pool, metric }: ScalerTrigger): string {
  const plain = pool.replaceAll(/[^A-Za-z0-9_-]/g, '-');
  return `herald_${plain}${metric === 'desired' ? '_desired' : ''}`;
}

/** What the autoscaler aims at for each node. Known without load data, too. */
export function metricSpec(trigger: ScalerTrigger, { target }: Scaling): MetricSpec {
  const targetSizeFloat = trigger.metric === 'desired' ? 1 : target;
  const targetSize = Math.max(1, Math.round(targetSizeFloat * perUnit));
  return { metricName: metricName(trigger), targetSize, targetSizeFloat };
}

/**
 * The value now. HERALD_SCALE_UNKNOWN without valid load data, never 0; HERALD_FROZEN for a frozen pool: an error
 * makes the autoscaler hold. HERALD_SCALER_METADATA_INVALID for another metric's name; '' and KEDA's prefix are taken.
 */
export function metricValue(trigger: ScalerTrigger, wanted: string, scaling: Scaling): MetricValue {
  const name = metricName(trigger);
  if (wanted !== '' && wanted.replace(/^s\d+-/, '') !== name)
    throw new HeraldError(
      'HERALD_SCALER_METADATA_INVALID',
      `there is no metric '${wanted.slice(0, 128)}' of pool '${trigger.pool}': it is '${name}'`,
    );
  if (scaling.isFrozen)
    throw new HeraldError('HERALD_FROZEN', `pool '${trigger.pool}' is frozen: nothing scales it`);
  const metricValueFloat = valueOf(trigger.metric, scaling);
  if (scaling.state === 'unknown' || metricValueFloat === null) throw loadUnknown(scaling);
  const hundredths = Math.max(0, Math.ceil(metricValueFloat * perUnit - roundingSlack));
  return { metricName: name, metricValue: hundredths, metricValueFloat };
}

function valueOf(metric: ScalerMetric, { totalLoad, wantedNodes }: Scaling): number | null {
  return metric === 'desired' ? wantedNodes : totalLoad;
}

/** Whether the pool should run at all. HERALD_SCALE_UNKNOWN where `no` would rest on missing data. */
export function isActive(scaling: Scaling): boolean {
  if (scaling.isActive || scaling.state === 'known') return scaling.isActive;
  throw loadUnknown(scaling);
}

function loadUnknown({ pool, reason }: Scaling): HeraldError {
  return new HeraldError('HERALD_SCALE_UNKNOWN', `the load of pool '${pool}' is not known: ${reason}`, {
    pool,
  });
}
