// When a failed delivery is tried again, and when no more. Arithmetic only.
import type { Rng } from '../../core/rng.ts';
import type { DeliveryRule } from './delivery-ports.ts';
import type { QueuedEvent } from './delivery-queue.ts';

const firstDelayMs = 1000;
// A receiver that comes back after an outage hears of it within a minute.
const longestDelayMs = 60_000;
/** A receiver may ask for more patience than that, but not for so much that an hour's events pile up. */
const longestWishMs = 300_000;

/**
 * Milliseconds until the next try after `failures` (1 or more) in a row: doubling from a second to a minute, from half
 * of it to all of it by chance, so that webhooks that failed together do not come back together. `wishMs` is the
 * receiver's Retry-After: waited for up to five minutes, never shortening the wait.
 */
export function retryDelayMs(failures: number, rng: Rng, wishMs = 0): number {
  const fullMs = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(failures - 1, 16));
  const ownMs = fullMs * (0.5 + 0.5 * rng.next());
  return Math.max(ownMs, Math.min(longestWishMs, wishMs));
}

/** Why an event is not tried again at `nextAtMs`; undefined when it is. */
export function endOf(
  { attempts, queuedAtMs }: QueuedEvent,
  rule: DeliveryRule,
  nextAtMs: number,
): string | undefined {
  if (attempts >= rule.attempts) return `failed in each of ${attempts} attempts`;
  if (nextAtMs - queuedAtMs <= rule.maxAgeMs) return undefined;
  return `older than ${rule.maxAgeMs / 1000} s before it could be tried again, attempts: ${attempts}`;
}

/** The wish of a Retry-After field in milliseconds; undefined for none, and for a date, which no clock is trusted for. */
export function retryAfterMs(field: string | undefined): number | undefined {
  return field !== undefined && /^\d{1,9}$/.test(field.trim()) ? Number(field) * 1000 : undefined;
}
