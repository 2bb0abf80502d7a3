// What pickers share: who may be picked at all, and the best of them by a number.
import type { Assessment } from '../assess.ts';
import type { Exclude } from './picker.ts';

/** A draw that hits a node that is no candidate is drawn again, so often in all; then every node is looked at. */
export const mostDraws = 8;

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
    const number = numberOf(index);
    // The number first: who may be picked takes longer to say, and few are lower than all before them.
    if (best !== -1 && number >= bestNumber) continue;
    if (!isCandidate(assessment, index, exclude)) continue;
    best = index;
    bestNumber = number;
  }
  return best;
}
