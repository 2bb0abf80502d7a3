// When a rebalance of a pool begins, goes on and ends, as values. Ticked about once a second; who ticks is not decided here.
import { blend, keptWeight } from '../decay.ts';
import type { Rng } from '../rng.ts';
import { hotNodes, trackHot, type HotRule, type HotSince } from './hot.ts';
import { levelOf, takesPart } from './level.ts';
import { sourcesOf, type PlannedShed } from './plan.ts';
import {
  beginRun,
  sheddingNodes,
  stepRun,
  type RebalanceRun,
  type RunEnd,
  type RunRule,
  type RunView,
} from './run.ts';
import { deviationOf, forgetLooks, lookAtUnrest, noUnrest, type Unrest } from './unrest.ts';

/** A policy's rebalance with what follows from the rest of the policy. */
export interface RebalanceRule extends HotRule, Omit<RunRule, 'settle'> {
  readonly mode: 'off' | 'advise' | 'auto';
  readonly cooldownMs: number;
}

/** Everything that is remembered between ticks. */
export interface RebalancerState {
  readonly hotSince: HotSince;
  readonly unrest: Unrest;
  /** Reported utilization by node id, smoothed over some seconds. */
  readonly reported: ReadonlyMap<string, number>;
  readonly run: RebalanceRun | undefined;
  /** Placements per second without those of a run, over a short and a longer memory; undefined before the first tick. */
  readonly arrivals: { readonly short: number; readonly long: number } | undefined;
  readonly placedTotal: number;
  readonly tickedAtMs: number;
  /** No run begins by itself before this instant. */
  readonly heldUntilMs: number;
}

/** What a tick comes to. */
export interface RebalanceTick {
  readonly state: RebalancerState;
  readonly sheds: readonly PlannedShed[];
  /** Nodes that take nothing now. */
  readonly shedding: ReadonlySet<string>;
  readonly level: number;
  /** Nodes that have been hot for long enough, and no run is under way. */
  readonly hot: readonly string[];
  readonly began: boolean;
  /** Clients that came back since the run began, as far as arrivals tell; undefined without a run. */
  readonly returned: number | undefined;
  /** Why a run has ended with this tick. */
  readonly end: RunEnd | undefined;
}

/** Before the first tick. */
export const restingRebalancer: RebalancerState = {
  hotSince: new Map(),
  unrest: noUnrest,
  reported: new Map(),
  run: undefined,
  arrivals: undefined,
  placedTotal: 0,
  tickedAtMs: 0,
  heldUntilMs: -Infinity,
};

// A run begins at the band and ends at a quarter of it: one threshold for both would begin anew with each connection.
const settlePart = 0.25;
const shortMemoryMs = 5000;
const longMemoryMs = 20_000;
const reportMemoryMs = 3000;
// After a run that was in vain or did harm: long enough for somebody to look.
const heldAfterHarmMs = 600_000;

/** A node this far above the level is level enough. */
export function settleOf({ band }: Pick<HotRule, 'band'>): number {
  return settlePart * band;
}

/** One tick. `begin`: an operator asks for a run now, whatever the mode. `frozen`: none begins or goes on by itself. */
export function tickRebalancer(
  state: RebalancerState,
  seen: RunView,
  options: {
    readonly rule: RebalanceRule;
    readonly rng: Rng;
    readonly begin?: boolean;
    readonly frozen?: boolean;
  },
): RebalanceTick {
  const { rule, begin = false, frozen = false } = options;
  const { reported, view } = withSmoothReports(state, seen);
  const watched = watch({ ...state, reported }, view, rule);
  const hot = watched.run === undefined ? hotNodes(watched.hotSince, rule, view.nowMs) : [];
  const isHeld = frozen || view.nowMs < watched.heldUntilMs;
  const wants = begin || (rule.mode === 'auto' && hot.length > 0 && !isHeld);
  const began = watched.run === undefined && wants;
  const run = began ? beginRun(view, usualArrivals(watched)) : watched.run;
  if (run === undefined)
    return {
      state: watched,
      sheds: [],
      shedding: new Set(),
      level: levelOf(view.nodes, 0),
      hot,
      began,
      returned: undefined,
      end: undefined,
    };
  return goOn({ ...watched, run }, view, { ...options, hot, began });
}

/** Ends a run from outside: by an operator, or by a freeze. */
export function stopRebalancer(state: RebalancerState): RebalancerState {
  return { ...state, run: undefined, hotSince: new Map() };
}

function goOn(
  state: RebalancerState & { readonly run: RebalanceRun },
  view: RunView,
  { rule, rng, hot, began }: { rule: RebalanceRule; rng: Rng; hot: readonly string[]; began: boolean },
): RebalanceTick {
  const settle = settleOf(rule);
  // Three memories leave a twentieth of what was before.
  const lagMs = rule.lagMs + 3 * reportMemoryMs;
  const { run, sheds, level, end } = stepRun(state.run, view, {
    rule: { ...rule, settle, lagMs },
    rng,
  });
  const { returned } = run.returns;
  if (end === undefined) {
    const shedding = sheddingNodes(run, view.nodes, { level, settle });
    return { state: { ...state, run }, sheds, shedding, level, hot, began, returned, end };
  }
  const ended = { ...stopRebalancer(state), heldUntilMs: view.nowMs + heldMsAfter(end, rule) };
  return { state: ended, sheds: [], shedding: new Set(), level, hot: [], began, returned, end };
}

function heldMsAfter(end: RunEnd, { cooldownMs }: RebalanceRule): number {
  if (end === 'level') return 0;
  return end === 'nothingMovable' ? cooldownMs : heldAfterHarmMs;
}

function watch(state: RebalancerState, view: RunView, rule: RebalanceRule): RebalancerState {
  const { nowMs, placedTotal } = view;
  const level = levelOf(view.nodes, 0);
  const { unrest } = state;
  const hotSince = trackHot(state.hotSince, view.nodes, {
    level,
    deviation: deviationOf(unrest),
    rule,
    nowMs,
  });
  const next = { ...state, hotSince, placedTotal, tickedAtMs: nowMs };
  // What a run changes is neither unrest nor the usual rate.
  if (state.run !== undefined) return { ...next, unrest: forgetLooks(unrest) };
  const loads = new Map(view.nodes.filter(takesPart).map(({ id, reported }) => [id, reported]));
  const quiet = { ...next, unrest: lookAtUnrest(unrest, loads, nowMs) };
  const elapsedMs = nowMs - state.tickedAtMs;
  if (elapsedMs <= 0 || state.tickedAtMs === 0) return quiet;
  const rate = ((placedTotal - state.placedTotal) * 1000) / elapsedMs;
  const over = (previous: number | undefined, memoryMs: number) =>
    blend(previous, rate, keptWeight(elapsedMs, memoryMs));
  const { short, long } = state.arrivals ?? {};
  return { ...quiet, arrivals: { short: over(short, shortMemoryMs), long: over(long, longMemoryMs) } };
}

/** The lower of both: after a storm the long one is too high still, and those who come back would be taken for usual. */
function usualArrivals({ arrivals }: RebalancerState): number {
  return arrivals === undefined ? 0 : Math.min(arrivals.short, arrivals.long);
}

/** The view with what nodes report smoothed over a few seconds: single reports are too noisy to tell relief by. */
function withSmoothReports(
  state: RebalancerState,
  view: RunView,
): { reported: ReadonlyMap<string, number>; view: RunView } {
  const kept = keptWeight(view.nowMs - state.tickedAtMs, reportMemoryMs);
  const smooth = (id: string, now: number) =>
    Number.isFinite(now) ? blend(state.reported.get(id), now, kept) : now;
  const nodes = view.nodes.map((node) => ({ ...node, reported: smooth(node.id, node.reported) }));
  const known = nodes.filter(({ reported }) => Number.isFinite(reported));
  return { reported: new Map(known.map(({ id, reported }) => [id, reported])), view: { ...view, nodes } };
}

/** Whether a run asked for by an operator would have anything to do. */
export function isLevel(view: RunView, rule: HotRule): boolean {
  const level = levelOf(view.nodes, 0);
  return sourcesOf(view.nodes, { level, settle: settleOf(rule) }).length === 0;
}
