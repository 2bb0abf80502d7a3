// How level a pool is: what status, metrics and the demo show of it.
import type { Assessment } from './assess.ts';
import { isInUse } from './eligibility.ts';

/** Two numbers over the nodes in use with valid data, unweighted: a node is as full as its own capacity. */
export interface Imbalance {
  /** Mean utilization; undefined without such nodes. */
  readonly meanUtilization: number | undefined;
  /** Highest ÷ mean, 1 or more; undefined without such nodes and while all of them are at 0. */
  readonly ratio: number | undefined;
}

/** Reads the smoothed utilizations as reported, not the predicted scores: this is what the nodes themselves saw. */
export function imbalanceOf({ snapshot, states, ineligible }: Assessment): Imbalance {
  const utilizations = snapshot.nodes.flatMap(({ load }, index) =>
    load !== undefined && states[index] === 'valid' && isInUse(ineligible[index]) ? [load.utilization] : [],
  );
  if (utilizations.length === 0) return { meanUtilization: undefined, ratio: undefined };
  const mean = utilizations.reduce((sum, each) => sum + each, 0) / utilizations.length;
  const highest = utilizations.reduce((high, each) => Math.max(high, each), 0);
  return { meanUtilization: mean, ratio: mean > 0 ? highest / mean : undefined };
}
