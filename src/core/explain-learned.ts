// What was learned, as sentences: of a pool and of one of its nodes. The numbers are made in learned.ts.
import type { LearnedFigure, NodeLearning, PoolLearning } from '../protocol/learned.ts';
import { percent, rounded } from './explain-node.ts';

/** What a pool has taught, in one sentence. */
export function poolLearnedReason(learned: PoolLearning): string {
  const { messageCost, idleByMessages, connectionSlope, idleByConnections } = learned;
  const parts = [
    ...(messageCost === null
      ? []
      : [
          `a message per second costs ${percent(messageCost)} above ${percent(idleByMessages ?? NaN)} idle (${rounded(learned.messagePairs)} pairs)`,
        ]),
    ...(connectionSlope === null
      ? []
      : [
          `a connection adds ${percent(connectionSlope)} above ${percent(idleByConnections ?? NaN)} idle (${rounded(learned.connectionPairs)} pairs)`,
        ]),
  ];
  if (parts.length === 0) return 'Nothing is learned yet.';
  return `Learned, for a node of capacity 1: ${parts.join(', ')}.`;
}

/** What a node has taught, and what it is taken to be where it has not, in one or two sentences. */
export function nodeLearnedReason(learned: NodeLearning): string {
  const { messageCost, connectionSlope, autoSaturation, isRestored } = learned;
  const parts = [
    ...figureWords(messageCost, {
      subject: 'a message per second costs',
      full: (amount) => `full at ${amount} messages/s`,
    }),
    ...figureWords(connectionSlope, {
      subject: 'a connection adds',
      full: (amount) => `full at ${amount} connections`,
    }),
    ...(autoSaturation === null
      ? []
      : [
          `throughput is full at ${rounded(autoSaturation)} messages/s (auto, ${rounded(learned.throughputPairs)} pairs)`,
        ]),
  ];
  if (parts.length === 0) return 'Nothing is learned of it yet.';
  const from = isRestored ? 'Learned before the restart' : 'Learned';
  return `${from}: ${parts.join('; ')}.`;
}

function figureWords(
  { value, own, ofPool, amountWhenFull, pairs, from }: LearnedFigure,
  words: { subject: string; full: (amount: string) => string },
): string[] {
  if (value === null) return [];
  const full = amountWhenFull === null ? '' : `, ${words.full(rounded(amountWhenFull))}`;
  const basis = {
    own: `from ${rounded(pairs)} pairs of its own; the pool's is ${percent(ofPool ?? NaN)}`,
    pool: `the pool's: it has too few pairs of its own`,
    declared:
      own === null
        ? `the pool's by its declared capacity`
        : `the pool's by its declared capacity; its own pairs say ${percent(own)}`,
    none: '',
  }[from];
  return [`${words.subject} ${percent(value)}${full} (${basis})`];
}
