// What is told of rebalances: that one began or ended, and what one would do. When these happen is not decided here.
import type { EventRecord, Operation } from '../../protocol/operations.ts';
import { adviceSentence, type Advice } from './rebalance-words.ts';

type Told = Omit<EventRecord, 'id' | 'at'>;

/** Says that a rebalance has begun, or is over. */
export function operationEvent(type: 'operation.started' | 'operation.ended', operation: Operation): Told {
  const { id, pool, by, why, state, reason, progress, owner } = operation;
  const what = type === 'operation.started' ? ' began' : `: ${state}`;
  const message = `rebalance of '${pool}'${what}: ${reason}`;
  const facts = { operation: id, ...(owner !== undefined && { owner }), state, ...progress };
  return { type, pool, node: '', by, why, message, facts };
}

// Advice that nobody takes is not repeated more often.
const adviseEveryMs = 600_000;

/** Says at times what a rebalance of one pool would do. */
export class RebalanceAdvice {
  #toldAtMs = -Infinity;
  #wasFrozen = false;

  /** Whether it is to be said now; from then on it has been. At most every ten minutes, and whenever a freeze changes it. */
  isDue(nowMs: number, frozen: boolean): boolean {
    if (nowMs - this.#toldAtMs < adviseEveryMs && frozen === this.#wasFrozen) return false;
    this.#toldAtMs = nowMs;
    this.#wasFrozen = frozen;
    return true;
  }
}

/** Says what a rebalance would do about hot nodes; `rebalance.frozen` where it would have begun but for a freeze. */
export function adviceEvent(pool: string, advice: Advice): Told {
  const { hot, forecast, frozen, isAutomatic } = advice;
  return {
    type: frozen && isAutomatic ? 'rebalance.frozen' : 'rebalance.advised',
    pool,
    node: hot.length === 1 ? (hot[0] ?? '') : '',
    by: 'auto',
    why: '',
    message: adviceSentence(pool, advice),
    facts: {
      now: forecast.now,
      predicted: forecast.predicted,
      hot: hot.join(', '),
      ...(frozen ? { frozen: true } : {}),
    },
  };
}
