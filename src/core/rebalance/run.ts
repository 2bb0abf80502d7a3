// One rebalance from its beginning to its end, tick by tick, as values: what is on its way, what has come back, what
// the relief was, and whether to go on. Who ticks, and who sheds, is the control loop's work.
import type { Rng } from '../rng.ts';
import type { Choice, MovableConnections } from './choose.ts';
import { levelOf, maxToMean, takesPart, type RebalanceNode } from './level.ts';
import { planSheds, sourcesOf, type PlannedShed } from './plan.ts';
import { noRelief, reliefOf, withPrediction, type Relief } from './relief.ts';
import { admitReturns, forgetLost, type Returns } from './returns.ts';

/** How a rebalance is to be done. */
export interface RunRule {
  /** A node this far above the level is level enough. */
  readonly settle: number;
  /** Connections shed per second at most. */
  readonly ratePerSecond: number;
  readonly choose: Choice;
  /** How long it takes until what was shed is seen in smoothed reports. */
  readonly lagMs: number;
}

/** A node with what a run asks of its reports. */
export interface RunNode extends RebalanceNode {
  /** Smoothed utilization as reported, without predictions. */
  readonly reported: number;
  /** Worst distress signal ÷ its saturation, smoothed. */
  readonly distress: number;
}

/** A pool at one tick. */
export interface RunView {
  readonly nowMs: number;
  /** `utilization` without what is leaving already. */
  readonly nodes: readonly RunNode[];
  readonly connectionsOf: (node: RebalanceNode) => MovableConnections;
  /** Connections placed, and those that no node took, since the balancer started. */
  readonly placedTotal: number;
  readonly failedTotal: number;
}

/** Everything that a run remembers. A tick makes a new one. */
export interface RebalanceRun {
  readonly startedAtMs: number;
  readonly tickedAtMs: number;
  /** Connections that may be shed now; fractions add up. */
  readonly tokens: number;
  readonly shedTotal: number;
  readonly returns: Returns;
  readonly relief: Relief;
  /** When something could last be shed. */
  readonly shedAtMs: number;
  /**
   * The pool has been level once, if only for a tick: nothing more is shed, and only clients on their way are waited for.
   * Waiting to see whether it stays so would go on moving connections for the noise of reports.
   */
  readonly hasSettled: boolean;
  readonly start: {
    readonly imbalance: number;
    readonly distress: number;
    readonly placedTotal: number;
    readonly failedTotal: number;
  };
}

/** Why a run is over. */
export type RunEnd =
  | 'level'
  /** What is left cannot be moved: too heavy for any node, in its cooldown, or no load at all. */
  | 'nothingMovable'
  /** Less than a third of the relief came: load does not follow connections here. */
  | 'noRelief'
  /** Clients that were asked to leave do not come back. */
  | 'noReturn'
  /** Nodes refuse connections. */
  | 'failures'
  /** Nodes hurt more than before. */
  | 'distress';

/** What one tick comes to. */
export interface RunStep {
  readonly run: RebalanceRun;
  readonly sheds: readonly PlannedShed[];
  readonly level: number;
  /** Undefined while it goes on. */
  readonly end: RunEnd | undefined;
}

// Two seconds' worth: a tick that comes late may catch up, a standstill must not end in a burst.
const burstSeconds = 2;
// Long enough for a cooldown that ends or a connection that gets lighter, short enough to be believed by who watches.
const stuckAfterMs = 15_000;
// Below these numbers a part is chance. Ten points for one node; the noise of several adds up as its root does.
const leastPredicted = 0.1;
const leastShed = 10;
const leastRelief = 0.3;
const mostLost = 0.3;
const mostFailed = 0.2;
const mostDistressRise = 0.5;

/** A run that begins now. `arrivalsPerSecond` is the usual rate, which no shed client is behind. */
export function beginRun(view: RunView, arrivalsPerSecond: number): RebalanceRun {
  const { nowMs, nodes, placedTotal, failedTotal } = view;
  return {
    startedAtMs: nowMs,
    tickedAtMs: nowMs,
    tokens: 1,
    shedTotal: 0,
    returns: { onTheWay: [], surplus: 0, placedTotal, arrivalsPerSecond, returned: 0, lost: 0 },
    relief: noRelief,
    shedAtMs: nowMs,
    hasSettled: false,
    start: { imbalance: maxToMean(nodes), distress: meanDistress(nodes), placedTotal, failedTotal },
  };
}

/** One tick. */
export function stepRun(
  run: RebalanceRun,
  view: RunView,
  { rule, rng }: { rule: RunRule; rng: Rng },
): RunStep {
  const { nowMs, nodes } = view;
  const elapsedSeconds = Math.max(0, nowMs - run.tickedAtMs) / 1000;
  const returns = forgetLost(admitReturns(run.returns, view, elapsedSeconds), nowMs);
  const level = levelOf(nodes, workOf(returns));
  const tokens = Math.min(
    run.tokens + elapsedSeconds * rule.ratePerSecond * newcomersPart(nodes, level),
    Math.max(1, burstSeconds * rule.ratePerSecond),
  );
  const { settle, choose } = rule;
  // Judged without what is on its way: that may be back, and in the loads, before it is noticed.
  const hasSettled = run.hasSettled || sourcesOf(nodes, { level: levelOf(nodes, 0), settle }).length === 0;
  const next = { ...run, tickedAtMs: nowMs, tokens, returns, hasSettled };
  const end = endOf(next, view, rule.lagMs);
  if (end !== undefined || hasSettled) return { run: next, sheds: [], level, end };
  const limits = { level, settle, most: tokens, choose };
  const sheds = planSheds(nodes, view.connectionsOf, { limits, rng });
  const mayBeStuck = tokens >= 1 && sourcesOf(nodes, limits).length > 0;
  return { run: withSheds(next, view, { sheds, mayBeStuck }), sheds, level, end: undefined };
}

/** Ids of the nodes that take nothing: those that are still too high, and those that clients are on the way from. */
export function sheddingNodes(
  { returns }: RebalanceRun,
  nodes: readonly RunNode[],
  above: { level: number; settle: number },
): ReadonlySet<string> {
  const sources = sourcesOf(nodes, above).map(({ id }) => id);
  return new Set([...sources, ...returns.onTheWay.map(({ nodeId }) => nodeId)]);
}

function withSheds(
  run: RebalanceRun,
  { nowMs, nodes }: RunView,
  { sheds, mayBeStuck }: { readonly sheds: readonly PlannedShed[]; readonly mayBeStuck: boolean },
): RebalanceRun {
  // Waiting for a token, or for those on their way, is no standstill.
  if (sheds.length === 0) return mayBeStuck ? run : { ...run, shedAtMs: nowMs };
  const count = sheds.reduce((sum, { rows }) => sum + rows.length, 0);
  const onTheWay = sheds.flatMap(({ node, connections, rows }) =>
    rows.map((row) => ({
      atMs: nowMs,
      nodeId: node.id,
      work: (connections.utilization[row] ?? 0) / node.slope,
    })),
  );
  return {
    ...run,
    tokens: run.tokens - count,
    shedTotal: run.shedTotal + count,
    shedAtMs: nowMs,
    returns: { ...run.returns, onTheWay: [...run.returns.onTheWay, ...onTheWay] },
    relief: withPrediction(run.relief, sheds, { nodes, nowMs }),
  };
}

function endOf(run: RebalanceRun, view: RunView, lagMs: number): RunEnd | undefined {
  const { returns, start, shedTotal } = run;
  const { predicted, actual } = reliefOf(run.relief, view, lagMs);
  if (predicted >= leastPredicted * Math.sqrt(run.relief.size) && actual < leastRelief * predicted)
    return 'noRelief';
  if (shedTotal >= leastShed && returns.lost > mostLost * shedTotal) return 'noReturn';
  const placed = view.placedTotal - start.placedTotal;
  const failed = view.failedTotal - start.failedTotal;
  if (failed >= leastShed && failed > mostFailed * placed) return 'failures';
  const distress = meanDistress(view.nodes);
  if (distress > 1 && distress > start.distress + mostDistressRise) return 'distress';
  if (run.hasSettled) return returns.onTheWay.length === 0 ? 'level' : undefined;
  return view.nowMs - run.shedAtMs > stuckAfterMs ? 'nothingMovable' : undefined;
}

/** Work on its way, in average connections. */
function workOf({ onTheWay }: Returns): number {
  return onTheWay.reduce((sum, { work }) => sum + work, 0);
}

/**
 * What part of the rate those may take who have room: a node in slow start takes its part of the arrivals and no more,
 * so a pool whose only room is in newcomers is levelled at the pace at which these are let in.
 */
function newcomersPart(nodes: readonly RebalanceNode[], level: number): number {
  const room = nodes.filter((node) => takesPart(node) && node.utilization < level);
  return Math.min(
    1,
    room.reduce((sum, { slowStartPart }) => sum + slowStartPart, 0),
  );
}

function meanDistress(nodes: readonly RunNode[]): number {
  const known = nodes.filter(takesPart);
  return known.length === 0 ? 0 : known.reduce((sum, { distress }) => sum + distress, 0) / known.length;
}
