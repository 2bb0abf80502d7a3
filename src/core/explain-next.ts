// One sentence: where the next connection of a pool goes, as its picker chooses.
import { liveScore, type Assessment } from './assess.ts';
import { percent, rounded } from './explain-node.ts';
import type { PickerName } from './pick/picker-name.ts';

interface Choice {
  readonly assessment: Assessment;
  /** Indexes of the eligible nodes; two or more. */
  readonly eligible: readonly number[];
}

/** Names the node, or the few that are likeliest. Deterministic: no picker is asked, so none moves on. */
export function nextSentence(assessment: Assessment, picker: PickerName): string {
  const eligible = [...assessment.ineligible.keys()].filter((i) => assessment.ineligible[i] === undefined);
  const [only] = eligible;
  if (only === undefined) return noneSentence(assessment);
  if (eligible.length === 1)
    return `The next connection goes to ${nameOf(assessment, only)}, the only node that may take it.`;
  return sentences[picker]({ assessment, eligible });
}

function noneSentence({ ineligible }: Assessment): string {
  if (ineligible.length === 0) return 'The next connection goes nowhere: the pool has no nodes.';
  const counts = new Map<string, number>();
  for (const reason of ineligible) counts.set(reason ?? '', (counts.get(reason ?? '') ?? 0) + 1);
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ');
  return `The next connection goes nowhere: no node may take it (${reasons}).`;
}

const sentences = {
  waterfill: byShares,
  p2c: ({ assessment, eligible }) =>
    `The next connection goes to the lower score of two nodes drawn at random; ${lowestScore(assessment, eligible)}.`,
  least: ({ assessment, eligible }) => {
    const best = lowestBy(eligible, (i) => liveScore(assessment, i));
    return `The next connection goes to ${nameOf(assessment, best)}: ${lowestScore(assessment, eligible)}.`;
  },
  leastConnections: ({ assessment, eligible }) => {
    const { nodes } = assessment.snapshot;
    const countOf = (i: number) => nodes[i]?.counters.connections ?? 0;
    const best = lowestBy(eligible, (i) => (countOf(i) + 1) / (nodes[i]?.capacity ?? 1));
    return `The next connection goes to ${nameOf(assessment, best)}, which has the fewest connections for its size (${countOf(best)}).`;
  },
  roundRobin: ({ eligible }) =>
    `The next connection goes to one of ${eligible.length} eligible nodes in turn, by declared capacity.`,
  random: ({ eligible }) =>
    `The next connection goes to one of ${eligible.length} eligible nodes at random, by declared capacity.`,
} as const satisfies Record<PickerName, (choice: Choice) => string>;

// More than three names are a table, not a sentence.
const maxNamed = 3;

function byShares({ assessment, eligible }: Choice): string {
  const { share, level, arrivals } = assessment;
  const taking = eligible
    .filter((i) => (share[i] ?? 0) > 0)
    .toSorted((a, b) => (share[b] ?? 0) - (share[a] ?? 0));
  // Guards can leave nobody a share; the picker then takes the lowest score.
  if (taking.length === 0)
    return `The guards leave no node a share, so the next connection goes by score: ${lowestScore(assessment, eligible)}.`;
  const named = taking.slice(0, maxNamed).map((i) => `${nameOf(assessment, i)} (${percent(share[i] ?? 0)})`);
  const rest = taking.length - named.length;
  const names = rest > 0 ? `${named.join(', ')} and ${rest} more` : named.join(', ');
  const next =
    rounded(arrivals) === '1' ? 'the next arrival fills' : `the next ${rounded(arrivals)} arrivals fill`;
  const verb = taking.length === 1 ? 'goes' : 'goes by share';
  return `The next connection ${verb} to ${names}: ${next} whoever has room, up to the level ${percent(level)}.`;
}

function lowestScore(assessment: Assessment, eligible: readonly number[]): string {
  const best = lowestBy(eligible, (i) => liveScore(assessment, i));
  return `${nameOf(assessment, best)} has the lowest (${percent(liveScore(assessment, best))})`;
}

function lowestBy(eligible: readonly number[], numberOf: (index: number) => number): number {
  let best = eligible[0] ?? -1;
  for (const index of eligible) if (numberOf(index) < numberOf(best)) best = index;
  return best;
}

function nameOf({ snapshot }: Assessment, index: number): string {
  return `'${snapshot.nodes[index]?.id ?? ''}'`;
}
