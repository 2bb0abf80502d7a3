// How many nodes a pool needs and which may go, from its history. The sentence about it is in reason.ts.
import type { ScaleStep } from '../../policy/policy.ts';
import { extremeOf } from './extremes.ts';
import { canSurvive, nodesToAdd, nodesToSpare } from './fleet.ts';
import { askedLoad, provenLoad, tolerance, type ScaleHistory, type ScalePolicy } from './history.ts';
import { scaleSpans } from './outlook.ts';
import { knownReason, unknownReason, type Hold } from './reason.ts';
import type { KnownRecommendation, Recommendation, UnknownRecommendation, Victim } from './recommendation.ts';
import { countsAsNode, type PoolLoad, type ScaleNode, type ScaleSample } from './scale-sample.ts';
import { victimOf, victimOrder, type Candidate } from './victims.ts';

// A node goes only where the rest would stand so far under what calls it back that noise does not reach it: three
// standard deviations of the smoothed load on either side. The tolerance is the first of it.
const deviationsApart = 6;
const mostApart = 0.15;

/**
 * What the history comes to. Pure; the same history gives the same answer. Before the first sample: unknown, 0 nodes.
 * Desired is within min and max wherever load is known, whatever windows and steps say.
 */
export function recommendScale(history: ScaleHistory, policy: ScalePolicy): Recommendation {
  const { latest } = history;
  if (latest?.load === undefined) return unknownScale(history, policy);
  return knownScale({ history, policy, sample: latest, load: latest.load });
}

function unknownScale(history: ScaleHistory, policy: ScalePolicy): UnknownRecommendation {
  const sample = history.latest;
  const nodes = sample?.nodes ?? [];
  const atMs = sample?.atMs ?? 0;
  const counted = nodes.filter(countsAsNode);
  const hasClients = (sample?.waiting ?? 0) > 0 || nodes.some(({ connections }) => connections > 0);
  const least = Math.max(policy.min, hasClients ? 1 : 0);
  // What was asked for while load was known stays asked for until it could be there.
  const asked = nodesToAdd(counted, { load: askedLoad(history, atMs, policy), idle: 0 }, policy);
  const desired = Math.max(counted.length, least, Math.min(counted.length + asked, policy.max));
  return {
    isKnown: false,
    atMs,
    nodes: counted.length,
    starting: startingCount(counted),
    desired,
    action: desired > counted.length ? 'out' : 'hold',
    reason: unknownReason({ sample, counted, desired, policy }),
    victims: [],
  };
}

/** What the steps of a computation share. */
interface Known {
  readonly history: ScaleHistory;
  readonly policy: ScalePolicy;
  readonly sample: ScaleSample;
  readonly load: PoolLoad;
}

function knownScale(known: Known): KnownRecommendation {
  const { history, policy, sample, load } = known;
  const counted = sample.nodes.filter(countsAsNode);
  const order = victimOrder(counted, policy.victims);
  const capacity = counted.reduce((sum, { size }) => sum + size, 0);
  const needed = neededNow(known, counted, order);
  const { count, hold } = withWindows(known, { counted, order, needed });
  const desired = clamp(count, policy);
  const figures = {
    atMs: sample.atMs,
    nodes: counted.length,
    starting: startingCount(counted),
    desired,
    wanted: clamp(needed, policy),
    totalLoad: load.total,
    forecastLoad: history.forecast,
    capacity,
    load: capacity > 0 ? load.total / capacity : 0,
    target: policy.target,
    bottleneck: load.bottleneck,
  };
  return {
    isKnown: true,
    ...figures,
    action: actionOf(desired, counted.length),
    reason: knownReason(figures, { policy, sample, needed, hold, canSurvive: canSurvive(counted, policy) }),
    victims: namedVictims(known, order, counted.length - desired),
  };
}

/** Without windows, steps and bounds. */
function neededNow(
  { history, policy, load }: Known,
  counted: readonly ScaleNode[],
  order: readonly Candidate[],
): number {
  const missing = load.cautious - load.total;
  const more = nodesToAdd(counted, { load: history.forecast, idle: load.idle }, policy);
  return counted.length + more - nodesToSpare(roomsOf(order), history.forecast + missing, policy);
}

interface Step {
  readonly counted: readonly ScaleNode[];
  readonly order: readonly Candidate[];
  readonly needed: number;
}

function withWindows(known: Known, step: Step): { readonly count: number; readonly hold: Hold | undefined } {
  const { history, policy, sample, load } = known;
  const nodes = step.counted.length;
  const askedFor = askedLoad(history, sample.atMs, policy);
  const lasting = nodesToAdd(step.counted, { load: askedFor, idle: load.idle }, policy);
  if (lasting > 0) {
    const most = Math.max(0, stepSize(policy.up.step, nodes) - startingCount(step.counted));
    const count = nodes + Math.min(lasting, most);
    if (count < nodes + lasting) return { count, hold: { kind: 'upStep' } };
    if (count < step.needed) return { count, hold: { kind: 'tolerance' } };
    return { count, hold: count > step.needed ? { kind: 'asked', asked: count } : undefined };
  }
  if (step.needed > nodes) {
    const fits = nodesToAdd(step.counted, { load: provenLoad(history), idle: load.idle }, policy) === 0;
    return {
      count: nodes,
      hold: fits ? { kind: 'tolerance' } : { kind: 'upAfter' },
    };
  }
  return step.needed < nodes ? fewer(known, step) : { count: nodes, hold: undefined };
}

function fewer(known: Known, { counted, order, needed }: Step): ReturnType<typeof withWindows> {
  const { history, policy, sample } = known;
  const nodes = counted.length;
  const hold = (reason: Hold) => ({ count: nodes, hold: reason });
  const steadyMs = history.validAtMs - history.sinceMs;
  if (steadyMs < policy.down.afterMs) return hold({ kind: 'downAfter', steadyMs });
  const sinceShrunkMs = sample.atMs - history.shrunkAtMs;
  if (sinceShrunkMs < scaleSpans(policy).pauseMs) return hold({ kind: 'settling', sinceShrunkMs });
  const peak = extremeOf(history.highs, Math.max) ?? Infinity;
  const apart = Math.min(Math.max(0, deviationsApart * history.unrest - tolerance), mostApart);
  // What is starting has not shown that it can carry anything.
  const proven = order.map(({ node }) => (node.phase === 'starting' ? { ...node, size: 0 } : node));
  const spare = nodesToSpare(proven, peak / (1 - apart), policy);
  if (spare === 0) return hold({ kind: 'peak', peak, apart });
  const leaving = leavingCount(sample);
  const most = stepSize(policy.down.step, nodes + leaving) - leaving;
  if (most <= 0) return hold({ kind: 'leaving', leaving });
  const count = nodes - Math.min(spare, most);
  return { count, hold: count > needed && spare > most ? { kind: 'downStep' } : undefined };
}

function namedVictims(
  { policy, sample }: Known,
  order: readonly Candidate[],
  surplus: number,
): readonly Victim[] {
  if (policy.victims === 'external') return [];
  const leaving = leavingCount(sample);
  const most = Math.min(surplus, stepSize(policy.down.step, order.length + leaving) - leaving);
  return order.slice(0, Math.max(0, most)).map(victimOf);
}

/** Nodes that are being emptied; one that is empty, or that an operator keeps in maintenance, holds up nobody. */
function leavingCount({ nodes }: ScaleSample): number {
  return nodes.filter(({ phase, connections }) => phase === 'leaving' && connections > 0).length;
}

/** Nodes at once; a part of the nodes is rounded up, and so at least one. */
function stepSize(step: ScaleStep, nodes: number): number {
  if (step === 'all') return Infinity;
  return typeof step === 'number' ? step : Math.max(1, Math.ceil(step.share * nodes));
}

function startingCount(nodes: readonly ScaleNode[]): number {
  return nodes.filter(({ phase }) => phase === 'starting').length;
}

function roomsOf(order: readonly Candidate[]): readonly ScaleNode[] {
  return order.map(({ node }) => node);
}

function clamp(count: number, { min, max }: ScalePolicy): number {
  return Math.min(Math.max(min, count), max);
}

function actionOf(desired: number, nodes: number): KnownRecommendation['action'] {
  if (desired === nodes) return 'hold';
  return desired > nodes ? 'out' : 'in';
}
