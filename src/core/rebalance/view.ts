// What a rebalance sees of a pool, out of an assessment.
import type { Assessment } from '../assess.ts';
import { isInUse } from '../eligibility.ts';
import { slowStartPart } from '../guard.ts';
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
