// Asks a balancer for the recommendation of a pool, an unknown one included.
import { HeraldError } from '../core/error.ts';
import type { Scaling } from '../protocol/scaling.ts';
import type { AdminClient } from './admin-client.ts';

/** HERALD_POOL_UNKNOWN, and whatever else the balancer answers; never HERALD_SCALE_UNKNOWN. */
export function readScaling(client: AdminClient, pool: string): Promise<Scaling> {
  return client.get<Scaling>(`/v1/pools/${encodeURIComponent(pool)}/scaling?allowUnknown=true`);
}

/** The same; null from a balancer that recommends nothing, such as one of an earlier version. */
export async function readScalingIfAny(client: AdminClient, pool: string): Promise<Scaling | null> {
  try {
    return await readScaling(client, pool);
  } catch (error) {
    const isNone =
      error instanceof HeraldError &&
      (error.code === 'HERALD_NOT_FOUND' || error.code === 'HERALD_NOT_AVAILABLE');
    if (isNone) return null;
    throw error;
  }
}
