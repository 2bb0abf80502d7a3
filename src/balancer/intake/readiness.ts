// May clients be sent to this balancer? Read by load balancers in front of it and by orchestrators.
import type { ReadyAnswer } from '../../protocol/admin-api.ts';
import type { PoolState } from '../state/pool-state.ts';

/** Where the process stands. `serving`: every listener is up. */
export type Phase = 'starting' | 'serving' | 'stopping';

const phaseReason = {
  starting: 'starting: not every listener is up yet',
  serving: '',
  stopping: 'stopping: no new connections',
} as const satisfies Record<Phase, string>;

/**
 * Ready while serving, unless no pool at all has an eligible node: one empty pool must not take the others
 * out of service. Without any pool there is nothing to wait for.
 */
export function readinessOf(pools: Iterable<PoolState>, phase: Phase, nowMs: number): ReadyAnswer {
  const all = [...pools];
  const poolsWithoutNode = all
    .filter((pool) => pool.assessment(nowMs).ineligible.every((reason) => reason !== undefined))
    .map(({ name }) => name);
  const isEmpty = all.length > 0 && poolsWithoutNode.length === all.length;
  const reason = phaseReason[phase] || (isEmpty ? 'no pool has a node that may take a connection' : '');
  return { ready: reason === '', reason, poolsWithoutNode };
}
