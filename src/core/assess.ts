// Everything that one placement needs to know of a pool, computed once for many placements.
import type { Policy } from '../policy/policy.ts';
import { footingOf, loadStateOf, type Footing, type LoadState } from './basis.ts';
import { eligibilityOf, isInUse, type IneligibleReason } from './eligibility.ts';
import { boundOf, type GuardRule } from './guard.ts';
import { fitPool, scorePool, type Fits, type ScoreSheet } from './score.ts';
import type { NodeView, PoolSnapshot } from './snapshot.ts';
import { waterFill } from './water-fill.ts';

/** The parts of a policy that placement reads. */
export type PlaceRule = Pick<Policy, 'reports' | 'place' | 'score'>;

/** A pool, judged at one instant. Arrays are in the order of `snapshot.nodes`. */
export interface Assessment extends Footing, ScoreSheet, Fits {
  readonly snapshot: PoolSnapshot;
  /** When what the nodes have taught was last looked at, by the snapshots' time. */
  readonly fittedAtMs: number;
  readonly states: readonly LoadState[];
  /** Why a node may not take a connection; undefined for the eligible. */
  readonly ineligible: readonly (IneligibleReason | undefined)[];
  /** Part of the next arrivals for each node; sums to 1, or all 0 when no node is eligible. */
  readonly share: Float64Array;
  /** Connections of each node when the scores were made, so that later ones can be added to them. */
  readonly connections: Float64Array;
  /** The level that the shares fill up to; NaN when no node is eligible. */
  readonly level: number;
  /** Arrivals that the shares were made for. */
  readonly arrivals: number;
  /** Of these, what the guards leave without a place: what no token of admission comes for waits. */
  readonly unplaced: number;
  readonly horizonMs: number;
  /** The guards that bounded it. */
  readonly guards: GuardRule;
}

// The relay's own rates are as old as its smoothing; a shorter horizon herds, a longer one gives levelling away.
const relayHorizonMs = 1000;

// Fits are more than half of the work, and what they are made of has a memory of half a minute. So in a large pool they
// are made anew less often than shares, which never comes to much: for a hundred nodes with each assessment.
const fitAgeMsPerNode = 0.5;
const longestFitAgeMs = 3000;

/**
 * Judges a pool by a policy. Pure but for the counters, which are read as they are now. `last` is the assessment
 * before, whose fits a large pool goes on with for up to three seconds while its nodes are the same.
 */
export function assess(snapshot: PoolSnapshot, rule: PlaceRule, last?: Assessment): Assessment {
  const { nodes, atMs } = snapshot;
  const states = nodes.map((node) => loadStateOf(node, atMs, rule.reports));
  const ineligible = eligibilityOf(nodes, (node, index) =>
    states[index] === 'valid' ? (node.load?.distress ?? 0) : 0,
  );
  const eligible = ineligible.map((reason) => reason === undefined);
  // What sheds is as loaded as ever: it belongs to the pool's load, though it takes nothing.
  const inUse = ineligible.map(isInUse);
  const footing = footingOf(snapshot, states, inUse);
  const { fits, fittedAtMs } = fitsFor(snapshot, last);
  const sheet = scorePool(snapshot, { basis: footing.basis, states, eligible: inUse }, fits);
  return {
    snapshot,
    states,
    ineligible,
    connections: new Float64Array(nodes.map(({ counters }) => counters.connections)),
    ...footing,
    ...fits,
    fittedAtMs,
    ...sheet,
    ...shareOut(snapshot, rule, { sheet, eligible, horizonMs: horizonOf(snapshot, rule, footing) }),
  };
}

function fitsFor(
  snapshot: PoolSnapshot,
  last: Assessment | undefined,
): { readonly fits: Fits; readonly fittedAtMs: number } {
  const { nodes, atMs } = snapshot;
  const longestMs = Math.min(longestFitAgeMs, fitAgeMsPerNode * nodes.length);
  if (last === undefined || atMs - last.fittedAtMs >= longestMs || !hasSameNodes(last.snapshot, snapshot))
    return { fits: fitPool(snapshot), fittedAtMs: atMs };
  const { costs, slopes, throughputs, fittedAtMs } = last;
  return { fits: { costs, slopes, throughputs }, fittedAtMs };
}

function hasSameNodes({ nodes: before }: PoolSnapshot, { nodes }: PoolSnapshot): boolean {
  return before.length === nodes.length && nodes.every(({ id }, index) => before[index]?.id === id);
}

/** A node's score with what has been placed and closed since the assessment. */
export function liveScore(assessment: Assessment, index: number): number {
  const node = assessment.snapshot.nodes[index];
  if (node === undefined) return Infinity;
  const since = node.counters.connections - (assessment.connections[index] ?? 0);
  return (assessment.score[index] ?? Infinity) + since * (assessment.slope[index] ?? 0);
}

function horizonOf(snapshot: PoolSnapshot, rule: PlaceRule, { basis }: Footing): number {
  if (rule.place.horizonMs !== 'auto') return rule.place.horizonMs;
  const seesMessages = snapshot.visibility.countsMessages && basis !== 'connections';
  // Two reports: one that is missing what was placed since, one that shows it.
  return seesMessages ? relayHorizonMs : 2 * rule.reports.intervalMs + rule.score.smoothingMs;
}

type Shares = Pick<Assessment, 'share' | 'level' | 'arrivals' | 'unplaced' | 'horizonMs' | 'guards'>;

function shareOut(
  snapshot: PoolSnapshot,
  rule: PlaceRule,
  { sheet, eligible, horizonMs }: { sheet: ScoreSheet; eligible: readonly boolean[]; horizonMs: number },
): Shares {
  const { nodes, atMs } = snapshot;
  const { score, slope } = sheet;
  const eligibleCount = eligible.filter(Boolean).length;
  const arrivals = Math.max(1, (snapshot.arrivalsPerSecond * horizonMs) / 1000);
  const moment = { nowMs: atMs, arrivals, horizonMs, eligibleCount };
  const boundFor = (node: NodeView, index: number) =>
    eligible[index] === true ? boundOf(node, rule.place, moment) : 0;
  const bound = new Float64Array(nodes.map(boundFor));
  const { level, filled, unplaced } = waterFill({ score, slope, bound, arrivals });
  const total = filled.reduce((sum, each) => sum + each, 0);
  const share = total > 0 ? filled.map((each) => each / total) : filled;
  return { share, level, arrivals, unplaced, horizonMs, guards: rule.place };
}
