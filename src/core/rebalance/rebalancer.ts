// When a rebalance of a pool begins, goes on and ends, as values. Ticked about once a second; who ticks is not decided here.
import { blend, keptWeight } from '../decay.ts';
import { admitArrivals, clientsIn, noReturns, withOut, type Out, type Returns } from '../returns.ts';
import type { Rng } from '../rng.ts';
import { chanceOf, hotNodes, trackHot, type HotRule, type HotSince } from './hot.ts';
import { levelOf, takesPart } from './level.ts';
import type { PlannedOrder } from './others.ts';
import { sourcesOf, type PlannedShed } from './plan.ts';
import {
  beginRun,
  sheddingNodes,
  stepRun,
  type RebalanceRun,
  type RunEnd,
  type RunReturns,
  type RunRule,
  type RunView,
} from './run.ts';
import { deviationOf, forgetLooks, lookAtUnrest, noUnrest, type Unrest } from './unrest.ts';

/** A policy's rebalance with what follows from the rest of the policy. */
export interface RebalanceRule extends HotRule, Omit<RunRule, 'settle' | 'leftover'> {
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
  /** Its own estimate of who came back; at rest where the view brings one. */
  readonly returns: Returns;
  readonly tickedAtMs: number;
  /** No run begins by itself before this instant. */
  readonly heldUntilMs: number;
}

/** What a tick comes to. */
export interface RebalanceTick {
  readonly state: RebalancerState;
  readonly sheds: readonly PlannedShed[];
  /** What other balancers are to be told. */
  readonly orders: readonly PlannedOrder[];
  /** Nodes that take nothing now. */
  readonly shedding: ReadonlySet<string>;
  readonly level: number;
  /** Nodes that have been hot for long enough, and no run is under way. */
  readonly hot: readonly string[];
  readonly began: boolean;
  /** Those shed now, for an estimate of returns that the view brought. */
  readonly out: readonly Out[];
  /** Why a run has ended with this tick. */
  readonly end: RunEnd | undefined;
}

/** Before the first tick. */
export const restingRebalancer: RebalancerState = {
  hotSince: new Map(),
  unrest: noUnrest,
  reported: new Map(),
  run: undefined,
  returns: noReturns,
  tickedAtMs: 0,
  heldUntilMs: -Infinity,
};

// A run begins at the band and ends at a quarter of it: one threshold for both would begin anew with each connection.
const settlePart = 0.25;
// And goes on, once it has looked level, for half of it: one threshold would take up again what has just been given up.
const leftoverPart = 0.5;
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
  const { returns, estimate } = lookAtReturns(state, view);
  const watched = watch({ ...state, reported, returns: estimate }, view, rule);
  const hot = watched.run === undefined ? hotNodes(watched.hotSince, rule, view.nowMs) : [];
  const isHeld = frozen || view.nowMs < watched.heldUntilMs;
  const wants = begin || (rule.mode === 'auto' && hot.length > 0 && !isHeld);
  const began = watched.run === undefined && wants;
  const run = began ? beginRun(view) : watched.run;
  if (run !== undefined) {
    const tick = goOn({ ...watched, run }, { ...view, returns }, { ...options, hot, began });
    const ownOut = seen.returns === undefined ? tick.out : [];
    return { ...tick, state: { ...tick.state, returns: withOut(tick.state.returns, ownOut) } };
  }
  return {
    state: watched,
    sheds: [],
    orders: [],
    out: [],
    shedding: new Set(),
    level: levelOf(view.nodes, 0),
    hot,
    began,
    end: undefined,
  };
}

/** Ends a run from outside: by an operator, or by a freeze. */
export function stopRebalancer(state: RebalancerState): RebalancerState {
  return { ...state, run: undefined, hotSince: new Map() };
}

function goOn(
  state: RebalancerState & { readonly run: RebalanceRun },
  view: RunView & { readonly returns: RunReturns },
  { rule, rng, hot, began }: { rule: RebalanceRule; rng: Rng; hot: readonly string[]; began: boolean },
): RebalanceTick {
  const settle = settleOf(rule);
  // Three memories leave a twentieth of what was before.
  const lagMs = rule.lagMs + 3 * reportMemoryMs;
  const leftover = Math.max(leftoverPart * rule.band, chanceOf(deviationOf(state.unrest)));
  const step = stepRun(state.run, view, { rule: { ...rule, settle, leftover, lagMs }, rng });
  const { run, sheds, orders, out, level, end } = step;
  if (end === undefined) {
    const allOut = [...view.returns.out, ...out];
    const shedding = sheddingNodes(run, view.nodes, { level, settle, out: allOut });
    return { state: { ...state, run }, sheds, orders, out, shedding, level, hot, began, end };
  }
  const ended = { ...stopRebalancer(state), heldUntilMs: view.nowMs + heldMsAfter(end, rule) };
  return { state: ended, sheds: [], orders: [], out: [], shedding: new Set(), level, hot: [], began, end };
}

/** What the estimate says to the run, and the rebalancer's own: at rest where the view brings one. */
function lookAtReturns(
  { returns, run }: RebalancerState,
  view: RunView,
): { readonly returns: RunReturns; readonly estimate: Returns } {
  if (view.returns !== undefined) return { returns: view.returns, estimate: returns };
  const { placedTotal, nowMs } = view;
  const { returns: estimate, back, lost } = admitArrivals(returns, { arrivedTotal: placedTotal, nowMs });
  const own = (credits: typeof back) => clientsIn(credits.filter(({ owner }) => owner === run?.owner));
  return {
    estimate,
    returns: {
      out: estimate.out,
      returned: (run?.returned ?? 0) + own(back),
      lost: (run?.lost ?? 0) + own(lost),
    },
  };
}

function heldMsAfter(end: RunEnd, { cooldownMs }: RebalanceRule): number {
  if (end === 'level') return 0;
  return end === 'nothingMovable' ? cooldownMs : heldAfterHarmMs;
}

function watch(state: RebalancerState, view: RunView, rule: RebalanceRule): RebalancerState {
  const { nowMs } = view;
  const level = levelOf(view.nodes, 0);
  const { unrest } = state;
  const hotSince = trackHot(state.hotSince, view.nodes, {
    level,
    deviation: deviationOf(unrest),
    rule,
    nowMs,
  });
  const next = { ...state, hotSince, tickedAtMs: nowMs };
  // What a run changes is no unrest.
  if (state.run !== undefined) return { ...next, unrest: forgetLooks(unrest) };
  const loads = new Map(view.nodes.filter(takesPart).map(({ id, reported }) => [id, reported]));
  return { ...next, unrest: lookAtUnrest(unrest, loads, nowMs) };
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
