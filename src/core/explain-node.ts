// One node of an explanation: what its score is made of, and why its share is what it is.
import type { GuardName, NodeExplanation } from '../protocol/admin-api.ts';
import type { Assessment } from './assess.ts';
import { boundOf, type GuardRule } from './guard.ts';
import type { NodeView } from './snapshot.ts';

/** A fraction for people: `42%`, two significant digits below ten. */
export function percent(fraction: number): string {
  const value = fraction * 100;
  return `${Math.abs(value) < 10 ? Number(value.toPrecision(2)) : Math.round(value)}%`;
}

/** A number for people: three significant digits. */
export function rounded(value: number): string {
  return String(Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3)));
}

/** How a node is placed now; what was learned of it is told by explain-learned.ts. */
export type PlacingExplanation = Omit<NodeExplanation, 'learned' | 'learnedReason'>;

/** Explains one node: the one at `index` of the assessment. */
export function explainNode(
  assessment: Assessment,
  { node, index }: { node: NodeView; index: number },
): PlacingExplanation {
  const score = assessment.score[index] ?? NaN;
  const evidence = assessment.evidence[index] ?? 'counted';
  const reported = finite(node.load?.utilization);
  const isOwn = evidence === 'measured' && reported !== null;
  const { bound, guard } = tightest(assessment, node);
  const ineligible = assessment.ineligible[index] ?? null;
  const detail: Detail = {
    id: node.id,
    ineligible,
    loadState: assessment.states[index] ?? 'none',
    evidence,
    score: finite(score),
    reported,
    added: isOwn ? score - reported : null,
    slope: finite(assessment.slope[index]),
    bound: finite(bound),
    guard,
    share: assessment.share[index] ?? 0,
  };
  return {
    ...detail,
    scoreReason: scoreReason(detail, assessment, node),
    shareReason: shareReason(detail, assessment, node),
  };
}

// Half of a tenth of a point: what is less is no reason for anything.
const leastTold = 0.0005;

type Detail = Omit<PlacingExplanation, 'scoreReason' | 'shareReason'>;

function scoreReason(detail: Detail, { basis }: Assessment, { load, counters }: NodeView): string {
  const score = percent(detail.score ?? NaN);
  if (detail.evidence === 'counted') {
    const seen = {
      load: '',
      relay: `${rounded(counters.expectedMessagesPerSecond)} messages/s that the relay sees`,
      connections: `${counters.connections} connections`,
      rotation: 'nothing: every node counts the same',
    }[basis];
    return `Scores ${score} by ${seen}.`;
  }
  if (detail.evidence === 'doubted')
    return `Reports ${percent(detail.reported ?? NaN)}, far below what its messages cost elsewhere, so it scores ${score} as the pool's median.`;
  if (detail.evidence === 'median') {
    const why = {
      none: 'It has not reported',
      blackout: 'Its first reports are not trusted yet',
      expired: 'Its last usable report is too old',
      valid: 'Its report is not used',
    }[detail.loadState];
    return `${why}, so it scores ${score} as the pool's median.`;
  }
  const added = detail.added ?? 0;
  const sign = added < 0 ? '−' : '+';
  const from = load?.latest.bottleneck === '' ? '' : ` (${load?.latest.bottleneck})`;
  if (Math.abs(added) < leastTold) return `Scores ${score}, as reported${from}.`;
  return `Scores ${score} = ${percent(detail.reported ?? NaN)} reported${from} ${sign} ${percent(Math.abs(added))} for what has come and gone since, and for distress.`;
}

function shareReason(detail: Detail, assessment: Assessment, node: NodeView): string {
  if (detail.ineligible !== null) return ineligibleReason(detail, node);
  const share = percent(detail.share);
  const level = percent(assessment.level);
  const taken = detail.share * (assessment.arrivals - assessment.unplaced);
  const isHeld = detail.guard !== null && detail.bound !== null && taken >= detail.bound * (1 - 1e-9);
  if (isHeld) return `Takes ${share}, held there by ${guardWords(detail.guard, node, assessment)}.`;
  const score = percent(detail.score ?? NaN);
  if (detail.share === 0) return `Takes nothing now: its score ${score} is at or above the level ${level}.`;
  const room = percent(assessment.level - (detail.score ?? NaN));
  return `Takes ${share}: there is room for ${room} from its score up to the level ${level}, and each connection adds ${percent(detail.slope ?? NaN)}.`;
}

function ineligibleReason({ ineligible }: Detail, node: NodeView): string {
  if (ineligible === 'down') return `Takes nothing: it is down (${node.healthReason}).`;
  if (ineligible === 'shedding')
    return 'Takes nothing: a rebalance takes load off it, and what leaves must not come back to it.';
  if (ineligible !== 'full') return `Takes nothing: the operator has set it to ${ineligible}.`;
  const { connections } = node.counters;
  if (connections >= node.maxConnections)
    return `Takes nothing: it holds ${connections} connections of the ${node.maxConnections} that it may.`;
  return `Takes nothing: its distress is ${rounded(node.load?.distress ?? NaN)} times its saturation.`;
}

function guardWords(guard: GuardName | null, node: NodeView, { snapshot }: Assessment): string {
  const { connections } = node.counters;
  const words = {
    maxConnections: `maxConnections (${connections} of ${node.maxConnections})`,
    maxShare: 'maxShare',
    connectRate: 'connectRate',
    slowStart: `slow start (it joined ${Math.round((snapshot.atMs - node.joinedAtMs) / 1000)} s ago)`,
  };
  return guard === null ? 'no guard' : words[guard];
}

const off: GuardRule = { maxShare: Infinity, slowStartMs: 0, connectRatePerSecond: Infinity };

/** The bound of the fill and the guard that sets it: each guard is asked with the others off. */
function tightest(
  { snapshot, ineligible, arrivals, horizonMs, guards }: Assessment,
  node: NodeView,
): { bound: number; guard: GuardName | null } {
  const eligibleCount = ineligible.filter((reason) => reason === undefined).length;
  const moment = { nowMs: snapshot.atMs, arrivals, horizonMs, eligibleCount };
  const { maxShare, slowStartMs, connectRatePerSecond } = guards;
  // Slow start last: it also scales the connect rate, and must not be blamed where it is over.
  const rules: readonly (readonly [GuardName, GuardRule])[] = [
    ['maxConnections', off],
    ['maxShare', { ...off, maxShare }],
    ['connectRate', { ...off, connectRatePerSecond }],
    ['slowStart', { ...off, slowStartMs, connectRatePerSecond }],
  ];
  let bound = Infinity;
  let guard: GuardName | null = null;
  for (const [name, rule] of rules) {
    const each = boundOf(node, rule, moment);
    if (each >= bound) continue;
    bound = each;
    guard = name;
  }
  return { bound, guard };
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
