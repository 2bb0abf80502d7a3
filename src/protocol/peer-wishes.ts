// What operators want, as a register holds it: its rank first, so that of two at one version the more restrictive is
// the greater text.
import { idPattern, isRecord } from './field-checks.ts';

/** What registers there are: admin states of nodes, freezes of pools. */
export type WishScope = 'admin' | 'freeze';

/** An operation by its id, and the balancer that runs it. */
export interface OwnedOperation {
  readonly id: string;
  readonly owner: string;
}

/** One wish. */
export interface SharedWish {
  /** Admin states: 0 ready, 1 drain, 2 maint. Freezes: 0 released, 1 frozen. */
  readonly rank: number;
  /** Who wants it; '' when nobody knows any more. */
  readonly by: string;
  /** '' for no reason given. */
  readonly why: string;
  /** Until a drain must be over, from when it was wanted; undefined: the policy's. */
  readonly deadlineMs?: number;
  /** Connections per second of all balancers together; undefined: the policy's. */
  readonly ratePerSecond?: number;
  /** The node drains itself. */
  readonly isSelf?: boolean;
  /** The drain that it began, by its id, which is the same on every balancer; absent where nobody said. */
  readonly operation?: OwnedOperation;
  /** It names more than its rank, such as another deadline. Not part of the text. */
  readonly isChanged?: boolean;
}

/** A wish that was said so many milliseconds ago, as text; deadlines get shorter by that and end above 0. */
export function encodeWish(wish: SharedWish, agoMs: number): string {
  const { rank, by, why, deadlineMs, ratePerSecond, isSelf, operation } = wish;
  const left = deadlineMs === undefined ? {} : { deadlineMs: Math.max(1, Math.round(deadlineMs - agoMs)) };
  const rate = ratePerSecond === undefined ? {} : { ratePerSecond };
  const more = { ...(isSelf === true && { isSelf }), ...(operation && { operation }) };
  return `${rank}${JSON.stringify({ by, why, ...left, ...rate, ...more })}`;
}

/** The rank alone; 0 for a register that was deleted, -1 for what is no wish. */
export function rankOfWish(value: string): number {
  if (value === '') return 0;
  const rank = Number(value.charAt(0));
  return Number.isInteger(rank) ? rank : -1;
}

/** Reads a register; '' was deleted, which is rank 0. Undefined for what is no wish. Never throws. */
export function decodeWish(value: string): SharedWish | undefined {
  if (value === '') return { rank: 0, by: '', why: '' };
  const rank = rankOfWish(value);
  const facts = parsed(value.slice(1));
  if (rank < 0 || rank > 2 || !isRecord(facts)) return undefined;
  const { by, why, deadlineMs, ratePerSecond, isSelf } = facts;
  const operation = readOperation(facts['operation']);
  if (!isText(by) || !isText(why)) return undefined;
  return {
    rank,
    by,
    why,
    ...(isAboveZero(deadlineMs) && { deadlineMs }),
    ...(isAboveZero(ratePerSecond) && { ratePerSecond }),
    ...(isSelf === true && { isSelf }),
    ...(operation && { operation }),
  };
}

function readOperation(value: unknown): OwnedOperation | undefined {
  if (!isRecord(value)) return undefined;
  const { id, owner } = value;
  if (typeof id !== 'string' || typeof owner !== 'string') return undefined;
  return idPattern.test(id) && idPattern.test(owner) ? { id, owner } : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 256;
}

function isAboveZero(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}
