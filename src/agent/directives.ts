// The admin state that several balancers wish for one node.
import type { AdminState } from './event.ts';

const restriction = { ready: 0, drain: 1, maint: 2 } as const satisfies Record<AdminState, number>;

/** What one balancer last answered. */
export interface BalancerWish {
  /** False while its reports fail: what it wished may be out of date. */
  readonly isCurrent: boolean;
  /** Undefined before the first answer. */
  readonly adminState: AdminState | undefined;
}

/**
 * The most restrictive current wish, since two operators who disagree must not take turns.
 * Undefined when no balancer has a current one: then the caller keeps what it had.
 */
export function combineWishes(wishes: readonly BalancerWish[]): AdminState | undefined {
  let strictest: AdminState | undefined;
  for (const { isCurrent, adminState } of wishes) {
    if (!isCurrent || adminState === undefined) continue;
    if (strictest === undefined || restriction[adminState] > restriction[strictest]) strictest = adminState;
  }
  return strictest;
}
