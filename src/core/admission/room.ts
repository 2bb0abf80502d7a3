// Has a node room below the level that new connections fill up to?
import { liveScore, type Assessment } from '../assess.ts';
import { connectionsNow } from '../load.ts';

// A prediction is believed from half of the level on. Below that, what one connection adds has hardly been learned
// (the first handful seems to fill a node), and the connect rate is the guard.
const believedFrom = 0.5;
// With fewer connections neither: busy with work of its own, a node would seem to be filled by its first.
const believedConnections = 20;
// Of the room that a report shows half may be given before the next one: what fifty clients bring that nobody knows
// yet is off by the work of ten, and what is too much stays for as long as they do. In three reports seven eighths of
// the room are filled.
const givenAtOnce = 0.5;
// What the relay sees of them meanwhile holds, too, but only from here on: it takes what clients say at their opening
// for their rate. One message each makes a node that 200 a second come to look a tenth fuller than it is, five a quarter.
const foreseenAtMost = 0.75;

/**
 * True when the node at `index` has no room up to `level`, or has been given half of what its report showed, or is taken
 * to have filled three quarters of it. Never where load is not known: scores by count say nothing about saturation.
 */
export function isFilled(assessment: Assessment, index: number, level: number): boolean {
  if (assessment.basis !== 'load') return false;
  const connections = assessment.snapshot.nodes[index]?.counters.connections ?? 0;
  if (connections < believedConnections) return false;
  const seen = seenUtilization(assessment, index);
  if (seen < believedFrom * level) return false;
  const room = level - seen;
  if (liveScore(assessment, index) >= seen + foreseenAtMost * room) return true;
  return givenUtilization(assessment, index) >= seen + givenAtOnce * room;
}

/** What the node itself has shown, the higher of smoothed and newest; its score where it has shown nothing valid. */
function seenUtilization({ snapshot, states, score }: Assessment, index: number): number {
  const load = snapshot.nodes[index]?.load;
  if (load === undefined || states[index] !== 'valid') return score[index] ?? NaN;
  return Math.max(load.utilization, load.latest.additive);
}

/** What it showed and what it has been given since, every connection an average one. */
function givenUtilization(assessment: Assessment, index: number): number {
  const { snapshot, states, slope } = assessment;
  const node = snapshot.nodes[index];
  const load = node?.load;
  if (node === undefined || load === undefined || states[index] !== 'valid')
    return liveScore(assessment, index);
  const since = connectionsNow(load, node.counters.connections) - load.smoothedConnections;
  return load.utilization + since * (slope[index] ?? 0);
}
