// Asks a balancer for the recommendation of a pool, an unknown one included.
import type { Scaling } from '../protocol/scaling.ts';
import type { AdminClient } from './admin-client.ts';
import { ifThere } from './pool-freeze.ts';

/** HERALD_POOL_UNKNOWN, and whatever else the balancer answers; never HERALD_SCALE_UNKNOWN. */
export function readScaling(client: AdminClient, pool: string): Promise<Scaling> {
  return client.get<Scaling>(`/v1/pools/${encodeURIComponent(pool)}/scaling?allowUnknown=true`);
}

/** The same; undefined from a balancer that recommends nothing, such as one of an earlier version. */
export function readScalingIfAny(client: AdminClient, pool: string): Promise<Scaling | undefined> {
  return ifThere(readScaling(client, pool));
}
