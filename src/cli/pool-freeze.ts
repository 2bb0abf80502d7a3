// How a pool stands with `herald freeze`, for every command that shows pools.
import { HeraldError } from '../core/error.ts';
import type { FreezeState } from '../protocol/operations.ts';
import type { AdminClient } from './admin-client.ts';

/** A pool's freeze, its own or that of all; undefined where the balancer runs without its control loops. */
export function readFreeze(client: AdminClient, pool: string): Promise<FreezeState | undefined> {
  return ifThere(client.get<FreezeState>(`/v1/pools/${encodeURIComponent(pool)}/freeze`));
}

/** Undefined where the balancer has no control loops to ask, or the pool went between two questions. */
export async function ifThere<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked;
  } catch (error) {
    const codes = ['HERALD_NOT_AVAILABLE', 'HERALD_NOT_FOUND', 'HERALD_POOL_UNKNOWN'];
    if (error instanceof HeraldError && codes.includes(error.code)) return undefined;
    throw error;
  }
}

/** Who froze it, when and why; '' for a pool that is not frozen. */
export function freezeSentence({ frozen, by, why, since }: FreezeState): string {
  if (!frozen) return '';
  const when = since === null ? '' : ` since ${since.slice(0, 19).replace('T', ' ')} UTC`;
  return `frozen${when} by ${by}${why === '' ? '' : `: ${why}`}; nothing is done automatically`;
}
