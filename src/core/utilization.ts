// From signals to the two numbers that placement reads: how full (additive) and how much it hurts (distress).
import type { SignalRule, SignalValues } from './signal.ts';

/** How a policy combines additive signals. */
export interface CombineRule {
  readonly combine: 'max' | 'mean';
  /** Weights for `mean`; a signal not named weighs 1. */
  readonly weights: Readonly<Record<string, number>>;
}

/** One reading of a node's signals. */
export interface Utilization {
  /** Additive signals combined; NaN when none of them was reported. */
  readonly additive: number;
  /** The additive signal that is highest, '' when none was reported. */
  readonly bottleneck: string;
  /** The worst distress signal ÷ its saturation; 0 when none was reported. */
  readonly distress: number;
}

/**
 * Reads the signals by the rules. `autoSaturation` is what has been learned for rules that say `auto`;
 * undefined leaves such a signal out.
 */
export function readUtilization(
  signals: SignalValues,
  rules: readonly SignalRule[],
  options: { combine: CombineRule; autoSaturation: number | undefined },
): Utilization {
  let highest = NaN;
  let bottleneck = '';
  let weighted = 0;
  let totalWeight = 0;
  let distress = 0;
  for (const rule of rules) {
    const utilization = utilizationOf(signals, rule, options.autoSaturation);
    if (utilization === undefined) continue;
    if (rule.kind === 'distress') {
      distress = Math.max(distress, utilization);
      continue;
    }
    const weight = options.combine.weights[rule.name] ?? 1;
    weighted += weight * utilization;
    totalWeight += weight;
    if (highest >= utilization) continue;
    highest = utilization;
    bottleneck = rule.name;
  }
  const additive = options.combine.combine === 'mean' && totalWeight > 0 ? weighted / totalWeight : highest;
  return { additive, bottleneck, distress };
}

/** A signal's value ÷ its saturation; undefined when it was not reported or its saturation is not known yet. */
function utilizationOf(
  signals: SignalValues,
  rule: SignalRule,
  autoSaturation: number | undefined,
): number | undefined {
  const value = signals[rule.name];
  const saturation = rule.saturation === 'auto' ? autoSaturation : rule.saturation;
  if (value === undefined || saturation === undefined) return undefined;
  return value / saturation;
}
