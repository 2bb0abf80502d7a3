// How often each caller may ask: a bucket a caller that refills with time. Whose requests count is the dispatcher's.
import type { Clock } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';

/** Requests per second that a caller may go on with, and how many at once. */
export interface RequestRate {
  readonly perSecond: number;
  readonly burst: number;
}

/** A screen that is drawn ten times a second with five requests each, and then a script beside it. */
export const defaultRequestRate: RequestRate = { perSecond: 50, burst: 100 };

/** Takes one request of the caller; throws HERALD_TOO_MANY_REQUESTS when there is none left. */
export type TakeRequest = (by: string) => void;

/** Buckets by caller: as many as there are names of tokens, so that nothing has to be forgotten. */
export function createRequestRate(clock: Clock, { perSecond, burst }: RequestRate): TakeRequest {
  const buckets = new Map<string, { left: number; atMs: number }>();
  return (by) => {
    const nowMs = clock.nowMs();
    const bucket = buckets.get(by) ?? { left: burst, atMs: nowMs };
    const refilled = bucket.left + ((nowMs - bucket.atMs) / 1000) * perSecond;
    const left = Math.min(burst, refilled) - 1;
    if (left < 0) {
      const retryAfterMs = Math.max(1, Math.ceil((-left / perSecond) * 1000));
      const message = `'${by}' asks more than ${perSecond} times a second; again in ${retryAfterMs} ms`;
      throw new HeraldError('HERALD_TOO_MANY_REQUESTS', message, { retryAfterMs });
    }
    buckets.set(by, { left, atMs: nowMs });
  };
}
