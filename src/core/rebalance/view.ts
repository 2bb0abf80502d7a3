// What a rebalance sees of a pool, out of an assessment, and what its policy asks of it.
import type { Assessment } from '../assess.ts';
import { isInUse } from '../eligibility.ts';
import { slowStartPart } from '../guard.ts';
import type { Policy } from '../../policy/policy.ts';
import type { RebalanceRule } from './rebalancer.ts';
import type { RunNode } from './run.ts';

/** The nodes of a pool in the snapshot's order. `leavingOf`: utilization of what has been asked to leave and has not yet. */
export function runNodesOf(
  { snapshot, ineligible, utilization, slope }: Assessment,
  { slowStartMs, leavingOf }: { readonly slowStartMs: number; readonly leavingOf: (id: string) => number },
): RunNode[] {
  const { nodes, atMs } = snapshot;
  return nodes.map((node, index) => ({
    id: node.id,
    utilization: Math.max(0, (utilization[index] ?? NaN) - leavingOf(node.id)),
    slope: slope[index] ?? NaN,
    isEligible: isInUse(ineligible[index]),
    slowStartPart: slowStartPart(node, atMs, slowStartMs),
    reported: node.load?.utilization ?? NaN,
    distress: node.load?.distress ?? 0,
  }));
}

/** A policy's rebalance at a rate of connections per second, which depends on how many are open. */
export function rebalanceRuleOf(
  { rebalance, reports, score }: Pick<Policy, 'rebalance' | 'reports' | 'score'>,
  ratePerSecond: number,
): RebalanceRule {
  // Two reports, one that misses what was shed and one that shows it, and their smoothing.
  return { ...rebalance, ratePerSecond, lagMs: 2 * reports.intervalMs + score.smoothingMs };
}
