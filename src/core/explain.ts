// Why the next connection goes where: an assessment, told in numbers and sentences. Decides nothing.
import type { Policy } from '../policy/policy.ts';
import type { PoolExplanation } from '../protocol/admin-api.ts';
import type { Assessment } from './assess.ts';
import { admissionNotes } from './explain-admission.ts';
import { nodeLearnedReason, poolLearnedReason } from './explain-learned.ts';
import { explainNode, percent, rounded } from './explain-node.ts';
import { imbalanceOf } from './imbalance.ts';
import { nextSentence } from './explain-next.ts';
import { learnedOf } from './learned.ts';
import type { SharedFit } from './moments.ts';
import { idleUtilization } from './score.ts';

/** Explains an assessment that was made by this policy. */
export function explain(assessment: Assessment, policy: Policy): PoolExplanation {
  const { snapshot, basis, panic, level } = assessment;
  const learned = learnedOf(assessment, policy.signals);
  return {
    pool: snapshot.pool,
    policy: policy.name,
    picker: policy.place.picker,
    basis,
    basisReason: basisReason(assessment),
    panic,
    horizonMs: assessment.horizonMs,
    arrivalsPerSecond: snapshot.arrivalsPerSecond,
    arrivals: assessment.arrivals,
    unplaced: assessment.unplaced,
    level: Number.isFinite(level) ? level : null,
    summary: nextSentence(assessment, policy.place.picker),
    notes: notesOn(assessment, policy),
    learned: learned.pool,
    learnedReason: poolLearnedReason(learned.pool),
    nodes: snapshot.nodes.flatMap((node, index) => {
      const own = learned.nodes[index];
      if (own === undefined) return [];
      const placing = explainNode(assessment, { node, index });
      return [{ ...placing, learned: own, learnedReason: nodeLearnedReason(own) }];
    }),
  };
}

function basisReason({ basis, panic, states, ineligible }: Assessment): string {
  const eligible = states.filter((_, index) => ineligible[index] === undefined);
  if (eligible.length === 0) return 'No node is eligible, so there is nothing to compare.';
  const valid = eligible.filter((state) => state === 'valid').length;
  const settled = eligible.filter((state) => state !== 'blackout').length;
  if (basis === 'load')
    return `By load: ${valid} of ${settled} eligible nodes past their blackout have valid reports.`;
  const hasReported = eligible.some((state) => state !== 'none');
  const lack = hasReported
    ? `only ${valid} of ${settled} eligible nodes past their blackout have valid reports`
    : 'no node has reported';
  const alarm = panic ? 'Panic, ' : '';
  const by = {
    relay: 'by the message rates that the relay sees',
    connections: 'by connections',
    rotation: 'in turn',
  }[basis];
  const words = `${alarm}${by}: ${lack}.`;
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// A quarter: below that, moving or placing connections hardly moves load.
const leastFollowing = 0.25;

function notesOn(assessment: Assessment, policy: Policy): string[] {
  const notes: string[] = [];
  const { meanUtilization } = imbalanceOf(assessment);
  const { picker } = policy.place;
  if (picker !== 'waterfill')
    notes.push(`The shares are what waterfill would give; the picker of this policy is ${picker}.`);
  if (assessment.unplaced > 0)
    notes.push(
      `The guards leave ${rounded(assessment.unplaced)} of ${rounded(assessment.arrivals)} arrivals without a place: what is above connectRate or maxConnections waits for admission, what slow start holds back is spread in proportion.`,
    );
  notes.push(...admissionNotes(assessment.snapshot.admission, policy));
  if (assessment.basis !== 'load' || meanUtilization === undefined) return notes;
  if (meanUtilization < idleUtilization)
    notes.push(
      `The fleet is idle (mean utilization ${percent(meanUtilization)}): load says little here, so connections are levelled by count as well.`,
    );
  else if (!followsTraffic(assessment))
    notes.push(
      `Load does not follow connections or messages here (mean utilization ${percent(meanUtilization)}, of which they explain less than ${percent(leastFollowing)}): placing connections elsewhere will hardly level it.`,
    );
  return notes;
}

/** True when what was learned of connections or of messages explains a fair part of the load, or nothing was learned. */
function followsTraffic(assessment: Assessment): boolean {
  const { costs, slopes, snapshot } = assessment;
  if (costs.slope === undefined && slopes.slope === undefined) return true;
  const byMessages = explainedPart(assessment, costs, (index) => {
    return snapshot.nodes[index]?.counters.expectedMessagesPerSecond ?? 0;
  });
  const byConnections = explainedPart(assessment, slopes, (index) => {
    return snapshot.nodes[index]?.counters.connections ?? 0;
  });
  return Math.max(byMessages, byConnections) >= leastFollowing;
}

/** Σ slope × amount ÷ Σ utilization over the nodes with valid data, 0 or more; 0 where nothing was learned. */
function explainedPart(
  { snapshot, states }: Assessment,
  fit: SharedFit,
  amountOf: (index: number) => number,
): number {
  let explained = 0;
  let total = 0;
  snapshot.nodes.forEach(({ load }, index) => {
    const slope = fit.slopes[index] ?? NaN;
    if (load === undefined || states[index] !== 'valid' || Number.isNaN(slope)) return;
    explained += slope * amountOf(index);
    total += load.utilization;
  });
  return total > 0 ? explained / total : 0;
}
