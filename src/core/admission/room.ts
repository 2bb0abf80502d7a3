// Has a node room below the level that new connections fill up to?
import { liveScore, type Assessment } from '../assess.ts';

// A prediction is believed from half of the level on. Below that, what one connection adds has hardly been learned
// (the first handful seems to fill a node), and the connect rate is the guard.
const believedFrom = 0.5;
// With fewer connections neither: busy with work of its own, a node would seem to be filled by its first.
const believedConnections = 20;
// Of the room that a report shows half may be filled before the next one: what fifty clients bring that nobody knows
// yet is off by the work of ten, and what is too much stays for as long as they do. In three reports seven eighths of
// the room are filled.
const filledAtOnce = 0.5;

/**
 * True when the node at `index` has been given half of the room up to `level` that its report showed, or has none.
 * Never where load is not known: scores by count say nothing about saturation.
 */
export function isFilled(assessment: Assessment, index: number, level: number): boolean {
  if (assessment.basis !== 'load') return false;
  const connections = assessment.snapshot.nodes[index]?.counters.connections ?? 0;
  if (connections < believedConnections) return false;
  const seen = seenUtilization(assessment, index);
  if (seen < believedFrom * level) return false;
  return liveScore(assessment, index) >= seen + filledAtOnce * (level - seen);
}

/** What the node itself has shown, the higher of smoothed and newest; its score where it has shown nothing valid. */
function seenUtilization({ snapshot, states, score }: Assessment, index: number): number {
  const load = snapshot.nodes[index]?.load;
  if (load === undefined || states[index] !== 'valid') return score[index] ?? NaN;
  return Math.max(load.utilization, load.latest.additive);
}
