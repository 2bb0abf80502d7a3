// One rebalance from its beginning to its end, tick by tick, as values: what to shed, and whether to go on. Who ticks,
// and who sheds, is the control loop's work; who came back is ../returns.ts, why it ends is run-end.ts.
import { workIn, type Out } from '../returns.ts';
import type { Rng } from '../rng.ts';
import type { Choice, MovableConnections } from './choose.ts';
import { levelOf, maxToMean, takesPart, type RebalanceNode } from './level.ts';
import type { OthersView, PlannedOrder } from './others.ts';
import { planMoves, sourcesOf, type PlannedMoves, type PlannedShed } from './plan.ts';
import { noRelief, risingNodes, withPrediction, type Relief } from './relief.ts';
import { endOf, meanDistress, type RunEnd } from './run-end.ts';
import { settledSince } from './settled.ts';

export type { RunEnd };

/** How a rebalance is to be done. */
export interface RunRule {
  /** A node this far above the level is level enough. */
  readonly settle: number;
  /** So far above it reports must show a node, when all is done, for the run to go on. */
  readonly leftover: number;
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

/** What a pool's estimate of returns says to a run. */
export interface RunReturns {
  /** Everybody who is on the way in this pool, whoever has shed them; oldest first. */
  readonly out: readonly Out[];
  /** Clients of this run that came back, and that did not within a minute, since it began; 0 without a run. */
  readonly returned: number;
  readonly lost: number;
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
  /**
   * By the estimate that everybody who sheds in this pool shares; what is shed is for the caller to add to it. Absent
   * where nobody else sheds: then the rebalancer keeps an estimate of its own, by `placedTotal`.
   */
  readonly returns?: RunReturns;
  /** What other balancers carry and have shed for this run; absent where there are none. */
  readonly others?: OthersView;
}

/** Everything that a run remembers. A tick makes a new one. */
export interface RebalanceRun {
  /** By which the estimate of returns knows it; unique in its pool. */
  readonly owner: string;
  readonly startedAtMs: number;
  readonly tickedAtMs: number;
  /** Connections that may be shed now; fractions add up. */
  readonly tokens: number;
  readonly shedTotal: number;
  readonly returned: number;
  /** Not back within a minute. */
  readonly lost: number;
  readonly relief: Relief;
  /** When something could last be shed. */
  readonly shedAtMs: number;
  /**
   * Since when the pool is level with all clients back; undefined while it is not. One tick is enough for it: nothing
   * more is shed from then on, since single reports are noise. It must hold until reports show everything that was done.
   */
  readonly settledAtMs: number | undefined;
  readonly start: {
    readonly imbalance: number;
    readonly distress: number;
    readonly placedTotal: number;
    readonly failedTotal: number;
  };
}

/** What one tick comes to. */
export interface RunStep {
  readonly run: RebalanceRun;
  readonly sheds: readonly PlannedShed[];
  /** What other balancers are to be told. */
  readonly orders: readonly PlannedOrder[];
  /** Those shed here now, for the estimate of returns. */
  readonly out: readonly Out[];
  readonly level: number;
  /** Undefined while it goes on. */
  readonly end: RunEnd | undefined;
}

// Two seconds' worth: a tick that comes late may catch up, a standstill must not end in a burst.
const burstSeconds = 2;
const noConnections: MovableConnections = { size: 0, id: [], utilization: [], ageMs: [] };

/** A run that begins now. */
export function beginRun(view: RunView): RebalanceRun {
  const { nowMs, nodes, placedTotal, failedTotal } = view;
  return {
    owner: `rebalance@${nowMs}`,
    startedAtMs: nowMs,
    tickedAtMs: nowMs,
    tokens: 1,
    shedTotal: 0,
    returned: 0,
    lost: 0,
    relief: noRelief,
    shedAtMs: nowMs,
    settledAtMs: undefined,
    start: { imbalance: maxToMean(nodes), distress: meanDistress(nodes), placedTotal, failedTotal },
  };
}

/** One tick. */
export function stepRun(
  run: RebalanceRun,
  view: RunView & { readonly returns: RunReturns },
  { rule, rng }: { rule: RunRule; rng: Rng },
): RunStep {
  const { nowMs, nodes } = view;
  const { returned, lost, out } = view.returns;
  const level = levelOf(nodes, workIn(out));
  const { settle, choose, lagMs } = rule;
  const own = ownIn(out, run);
  const settledAtMs = settledSince(run, { nowMs, nodes, out: own }, rule);
  const tokens = tokensNow(run, view, { ratePerSecond: rule.ratePerSecond, level });
  const next = withTold({ ...run, tickedAtMs: nowMs, tokens, returned, lost, settledAtMs }, view);
  const end = endOf(next, view, lagMs);
  if (end !== undefined || settledAtMs !== undefined)
    return { run: next, sheds: [], orders: [], out: [], level, end };
  const limits = { level, settle, most: tokens, choose };
  const isRising = risingNodes(run, view, { level, lagMs });
  const movable = (node: RebalanceNode) => (isRising.has(node.id) ? noConnections : view.connectionsOf(node));
  const others = view.others && {
    ...view.others,
    sharesOf: (node: RebalanceNode) => (isRising.has(node.id) ? [] : (view.others?.sharesOf(node) ?? [])),
  };
  const moves = planMoves(nodes, movable, { limits, rng, others });
  const mayMove = tokens + (view.others?.ordered ?? 0) >= 1;
  const mayBeStuck = mayMove && isRising.size === 0 && sourcesOf(nodes, limits).length > 0;
  return {
    run: withMoves(next, view, { ...moves, mayBeStuck }),
    ...moves,
    out: outOf(moves.sheds, next),
    level,
    end: undefined,
  };
}

/** Ids of the nodes that take nothing: those that are still too high, and those that its clients are on the way from. */
export function sheddingNodes(
  run: RebalanceRun,
  nodes: readonly RunNode[],
  above: { readonly level: number; readonly settle: number; readonly out: readonly Out[] },
): ReadonlySet<string> {
  const sources = sourcesOf(nodes, above).map(({ id }) => id);
  return new Set([...sources, ...ownIn(above.out, run).map(({ nodeId }) => nodeId)]);
}

function ownIn(out: readonly Out[], { owner }: RebalanceRun): readonly Out[] {
  return out.filter((each) => each.owner === owner);
}

function outOf(sheds: readonly PlannedShed[], { owner, tickedAtMs }: RebalanceRun): readonly Out[] {
  return sheds.flatMap(({ node, connections, rows }) =>
    rows.map((row) => ({
      owner,
      atMs: tickedAtMs,
      nodeId: node.id,
      count: 1,
      work: (connections.utilization[row] ?? 0) / node.slope,
    })),
  );
}

/** What may be shed now: what has come together, and what others were allowed and did not use. */
function tokensNow(
  run: RebalanceRun,
  { nowMs, nodes, others }: RunView,
  { ratePerSecond, level }: { readonly ratePerSecond: number; readonly level: number },
): number {
  const elapsedSeconds = Math.max(0, nowMs - run.tickedAtMs) / 1000;
  const added = elapsedSeconds * ratePerSecond * newcomersPart(nodes, level) + (others?.unspent ?? 0);
  return Math.min(run.tokens + added, Math.max(1, burstSeconds * ratePerSecond));
}

/** With what others have shed: their relief is waited for like that of what was shed here. */
function withTold(run: RebalanceRun, { nowMs, nodes, others }: RunView): RebalanceRun {
  const told = others?.told ?? [];
  if (told.length === 0) return run;
  const sheds = told.flatMap(({ node: id, utilization }) => {
    const node = nodes.find((each) => each.id === id);
    return node === undefined ? [] : [{ node, utilization }];
  });
  return {
    ...run,
    shedTotal: run.shedTotal + told.reduce((sum, { connections }) => sum + connections, 0),
    shedAtMs: nowMs,
    relief: withPrediction(run.relief, sheds, { nodes, nowMs }),
  };
}

function withMoves(
  run: RebalanceRun,
  { nowMs, nodes }: RunView,
  { sheds, orders, mayBeStuck }: PlannedMoves & { readonly mayBeStuck: boolean },
): RebalanceRun {
  const ordered = orders.reduce((sum, { most }) => sum + most, 0);
  const tokens = run.tokens - ordered;
  // Waiting for a token, or for those on their way, is no standstill. An order is no relief until it is done.
  if (sheds.length === 0) return { ...run, tokens, shedAtMs: mayBeStuck ? run.shedAtMs : nowMs };
  const count = sheds.reduce((sum, { rows }) => sum + rows.length, 0);
  return {
    ...run,
    tokens: tokens - count,
    shedTotal: run.shedTotal + count,
    shedAtMs: nowMs,
    relief: withPrediction(run.relief, sheds, { nodes, nowMs }),
  };
}

/**
 * What part of the rate those may take who have room: a node in slow start takes its part of the arrivals and no more,
 * so a pool whose only room is in newcomers is levelled at the pace at which these are let in.
 */
function newcomersPart(nodes: readonly RebalanceNode[], level: number): number {
  const room = nodes.filter((node) => takesPart(node) && node.utilization < level);
  const parts = room.reduce((sum, { slowStartPart }) => sum + slowStartPart, 0);
  return Math.min(1, parts);
}
