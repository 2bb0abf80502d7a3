// What pickers share: who may be picked at all, and the best of them by a number.
import type { Assessment } from '../assess.ts';
import type { Exclude } from './picker.ts';

/** True when the node is eligible and not excluded for this connection. */
export function isCandidate(assessment: Assessment, index: number, exclude: Exclude): boolean {
  return assessment.ineligible[index] === undefined && !exclude(index);
}

/** The candidates' indexes; empty when there are none. */
export function candidates(assessment: Assessment, exclude: Exclude): number[] {
  const found: number[] = [];
  for (let i = 0; i < assessment.snapshot.nodes.length; i += 1)
    if (isCandidate(assessment, i, exclude)) found.push(i);
  return found;
}

/**
 * The candidate with the lowest number, -1 without candidates. Ties are broken by rotation from `startAt`,
 * so that equal nodes are taken in turn and not always the first.
 */
export function lowest(
  assessment: Assessment,
  exclude: Exclude,
  { numberOf, startAt }: { numberOf: (index: number) => number; startAt: number },
): number {
  const count = assessment.snapshot.nodes.length;
  let best = -1;
  let bestNumber = Infinity;
  for (let step = 0; step < count; step += 1) {
    const index = (startAt + step) % count;
    if (!isCandidate(assessment, index, exclude)) continue;
    const number = numberOf(index);
    if (best !== -1 && number >= bestNumber) continue;
    best = index;
    bestNumber = number;
  }
  return best;
}
