// What a driver does next for one pool, by what it is at, what is recommended and what became of its drain. Decides
// only; pool-scaler.ts does it.
import type { OperationState } from '../../protocol/operations.ts';
import type { Scaling } from '../../protocol/scaling.ts';
import type { ScaleWish } from './ports.ts';
import type { VictimDrain } from './scale-victims.ts';

/** A wish, and for a scale-in with victims their drain. */
export interface Act {
  readonly wish: ScaleWish;
  /** Nodes that are to count when it is done: what the wish desires without those that an operator keeps out. */
  readonly target: number;
  readonly drain: VictimDrain | undefined;
}

/** What a driver is at: one thing at a time. */
export type Phase =
  | { readonly kind: 'idle' }
  | { readonly kind: 'draining'; readonly drain: VictimDrain }
  | { readonly kind: 'asking'; readonly act: Act; readonly cancel: () => void }
  | { readonly kind: 'failed'; readonly act: Act; readonly retryAtMs: number }
  /** The platform has taken the wish; until then it is not asked for the same again. */
  | { readonly kind: 'settling'; readonly act: Act; readonly untilMs: number };

/** What is next. */
export type Step =
  | { readonly kind: 'stay' }
  | { readonly kind: 'rest' }
  /** Drain the victims of the recommendation. */
  | { readonly kind: 'drain' }
  /** Go on with a drain that an earlier process has begun. */
  | { readonly kind: 'adopt'; readonly drain: VictimDrain }
  | { readonly kind: 'ask'; readonly action: 'out' | 'in'; readonly drain?: VictimDrain }
  | { readonly kind: 'repeat'; readonly act: Act }
  /** Take back what the platform has not taken. */
  | { readonly kind: 'giveUp'; readonly act: Act | { readonly drain: VictimDrain }; readonly why: string }
  /** Somebody else has ended the drain. */
  | { readonly kind: 'overruled'; readonly drain: VictimDrain; readonly why: string };

/** What a decision asks for beside the recommendation. */
export interface Facts {
  readonly nowMs: number;
  /** The balancer runs for long enough to know its nodes. */
  readonly knowsNodes: boolean;
  /** No scale-in begins before. */
  readonly noInUntilMs: number;
  stateOf(drain: VictimDrain): { readonly state: OperationState; readonly reason: string };
  /** None of the victims is there any more. */
  isGone(drain: VictimDrain): boolean;
  /** The policy names no victims: the platform chooses, and its own hooks drain. */
  readonly isPlatformsChoice: boolean;
  /** A drain of a scale-in whose nodes are there, and which the platform has not been asked for lately. */
  leftover(): VictimDrain | undefined;
}

const stay: Step = { kind: 'stay' };
const rest: Step = { kind: 'rest' };

/** The next step. Where it says `rest` there is nothing to do. */
export function nextStep(phase: Phase, scaling: Scaling, facts: Facts): Step {
  if (phase.kind === 'asking') return stay;
  if (phase.kind === 'draining') return whileDraining(phase.drain, scaling, facts);
  if (phase.kind === 'failed') return afterFailure(phase, scaling, facts);
  if (phase.kind === 'idle') return fromRest(scaling, facts);
  if (scaling.isFrozen || !hasSettled(phase, scaling, facts)) return stay;
  return fromRest(scaling, facts);
}

function fromRest(scaling: Scaling, facts: Facts): Step {
  // A number that was made without half of the nodes would have the platform stop them.
  if (!facts.knowsNodes) return rest;
  const leftover = facts.leftover();
  if (leftover !== undefined) return withLeftover(leftover, scaling, facts);
  if (scaling.isFrozen) return rest;
  if (needsMore(scaling)) return { kind: 'ask', action: 'out' };
  if (!needsFewer(scaling) || facts.nowMs < facts.noInUntilMs) return rest;
  if (facts.isPlatformsChoice) return { kind: 'ask', action: 'in' };
  return scaling.victims.length === 0 ? rest : { kind: 'drain' };
}

/** A process that has just begun knows no load yet: neither a reason to go on nor one to give up. */
function withLeftover(drain: VictimDrain, scaling: Scaling, facts: Facts): Step {
  if (scaling.state !== 'known' && !scaling.isFrozen && !needsMore(scaling)) return rest;
  const step = whileDraining(drain, scaling, facts);
  return step.kind === 'stay' ? { kind: 'adopt', drain } : step;
}

/** Draining nodes do not count: a pool that needs no more than what it has then can do without them. */
function whileDraining(drain: VictimDrain, scaling: Scaling, facts: Facts): Step {
  const against = reasonAgainst(scaling);
  if (against !== undefined) return { kind: 'giveUp', act: { drain }, why: against };
  const { state, reason } = facts.stateOf(drain);
  if (state === 'done' || state === 'deadline') return { kind: 'ask', action: 'in', drain };
  if (state !== 'running') return { kind: 'overruled', drain, why: `its drain was ${state}: ${reason}` };
  return stay;
}

function afterFailure(
  { act, retryAtMs }: { readonly act: Act; readonly retryAtMs: number },
  scaling: Scaling,
  { nowMs }: Facts,
): Step {
  const against = reasonAgainstAct(act, scaling);
  if (against !== undefined) return { kind: 'giveUp', act, why: against };
  if (nowMs < retryAtMs) return stay;
  const isOther = act.drain === undefined && act.target !== scaling.desiredNodes;
  return isOther ? { kind: 'ask', action: act.wish.action } : { kind: 'repeat', act };
}

function reasonAgainstAct({ wish, drain }: Act, scaling: Scaling): string | undefined {
  if (drain !== undefined) return reasonAgainst(scaling);
  if (scaling.isFrozen) return 'the pool is frozen';
  return scaling.action === wish.action ? undefined : `not asked for any more: ${scaling.reason}`;
}

function hasSettled(
  { act, untilMs }: { readonly act: Act; readonly untilMs: number },
  scaling: Scaling,
  facts: Facts,
): boolean {
  if (facts.nowMs >= untilMs) return true;
  const { wish, drain, target } = act;
  const isMore = needsMore(scaling);
  if (wish.action === 'out') return scaling.nodes >= target || (isMore && scaling.desiredNodes > target);
  if (isMore) return true;
  return drain === undefined ? scaling.nodes <= target : facts.isGone(drain);
}

/** Also where load is not known: below `min`, or with clients and without nodes. */
function needsMore({ action, desiredNodes, nodes }: Scaling): boolean {
  return action === 'out' && desiredNodes > nodes;
}

/** Asked in figures as well: whoever writes recommendations, nothing goes below the least or on missing data. */
function needsFewer({ state, action, desiredNodes, nodes, min }: Scaling): boolean {
  return state === 'known' && action === 'in' && desiredNodes < nodes && desiredNodes >= min;
}

function reasonAgainst(scaling: Scaling): string | undefined {
  if (scaling.isFrozen) return 'the pool is frozen';
  if (scaling.state !== 'known') return `its load is not known: ${scaling.reason}`;
  return needsMore(scaling) ? `its nodes are needed: ${scaling.reason}` : undefined;
}
