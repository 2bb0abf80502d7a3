// A drain as the API shows it: this balancer's part and the others' together.
import { isoTime } from '../../protocol/iso-time.ts';
import type { Operation, OperationProgress } from '../../protocol/operations.ts';
import { runningSentence } from './drain-words.ts';
import { sumOfProgress, type OthersDone } from './fleet/parts.ts';

/** What a drain is, at this instant. */
export interface DrainFacts extends Pick<Operation, 'id' | 'pool' | 'nodes' | 'state' | 'by' | 'why'> {
  readonly owner: string | undefined;
  /** Why it ended, for these figures; undefined while it runs. */
  readonly reason: ((progress: OperationProgress) => string) | undefined;
  readonly startedWallMs: number;
  readonly endedWallMs: number | undefined;
  /** Until the last of its deadlines; may be negative. */
  readonly leftMs: number;
  readonly wallMs: number;
  readonly ratePerSecond: number | 'auto';
  /** Asked per second lately, by this balancer. */
  readonly pace: number;
  readonly own: OperationProgress;
  readonly others: OthersDone;
}

// Connections per second; what is slower than that is standing still.
const leastPace = 0.01;

/** What is shown of it. */
export function viewOfDrain(facts: DrainFacts): Operation {
  const { id, owner, pool, nodes, state, by, why, reason, leftMs } = facts;
  const progress = sumOfProgress(facts.own, facts.others.progress);
  const perSecond = facts.pace + facts.others.ratePerSecond;
  return {
    id,
    kind: 'drain',
    ...(owner !== undefined && { owner }),
    pool,
    nodes,
    state,
    reason: reason === undefined ? runningSentence(progress, leftMs) : reason(progress),
    by,
    why,
    startedAt: isoTime(facts.startedWallMs),
    endedAt: facts.endedWallMs === undefined ? null : isoTime(facts.endedWallMs),
    deadlineAt: isoTime(facts.wallMs + leftMs),
    etaMs: state === 'running' ? etaMs(facts, { waiting: progress.waiting, perSecond }) : null,
    ratePerSecond: state === 'running' ? Math.round(perSecond * 10) / 10 : 0,
    progress,
    imbalance: { before: null, now: null, predicted: null },
  };
}

/** Null while nobody knows how fast it goes: the deadline alone is no forecast. */
function etaMs(
  { leftMs, ratePerSecond }: DrainFacts,
  { waiting, perSecond }: { readonly waiting: number; readonly perSecond: number },
): number | null {
  const mostMs = Math.max(0, leftMs);
  if (waiting === 0) return Math.min(mostMs, 1000);
  const planned = ratePerSecond === 'auto' ? 0 : ratePerSecond;
  const pace = perSecond >= leastPace ? perSecond : planned;
  return pace > 0 ? Math.round(Math.min(mostMs, (waiting * 1000) / pace)) : null;
}
