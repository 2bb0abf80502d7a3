// Has a node room below the level that new connections fill up to?
import { liveScore, type Assessment } from '../assess.ts';

// A prediction is believed from half of the level on. Below that, what one connection adds has hardly been learned
// (the first handful seems to fill a node), and the connect rate is the guard.
const believedFrom = 0.5;

/**
 * True when the node at `index` is at `level` or above, with what has been placed since its report. Never where load
 * is not known: scores by count say nothing about saturation.
 */
export function isFilled(assessment: Assessment, index: number, level: number): boolean {
  if (assessment.basis !== 'load') return false;
  if (liveScore(assessment, index) < level) return false;
  return !(seenUtilization(assessment, index) < believedFrom * level);
}

/** What the node itself has shown, the higher of smoothed and newest; its score where it has shown nothing valid. */
function seenUtilization({ snapshot, states, score }: Assessment, index: number): number {
  const load = snapshot.nodes[index]?.load;
  if (load === undefined || states[index] !== 'valid') return score[index] ?? NaN;
  return Math.max(load.utilization, load.latest.additive);
}
