// Who a process is among the peers that it finds on Redis: somebody new, or the one that it takes over from.
import type { PeerPlace } from '../balancer/state/shared-store.ts';
import type { Rng } from '../core/rng.ts';
import type { RedisConfig } from '../policy/config.ts';
import { addressOf } from './address-of.ts';
import { chanceId } from './chance-id.ts';
import { nextEpoch } from '../balancer/state/peer-life.ts';

/**
 * The place of a process. That of `inherited` goes on where the same is shared under a name that is the same or left
 * out; else peers would miss one that nobody goes on as.
 */
export function placeOf(config: RedisConfig, inherited: PeerPlace | undefined, rng: Rng): PeerPlace {
  const { servers, keyPrefix, peer } = config;
  const database = servers.kind === 'single' ? `/${servers.database}` : '';
  const where = `${addressOf(config)}${database} ${keyPrefix}`;
  if (inherited?.where === where && (peer === undefined || peer === inherited.id))
    return { id: inherited.id, epoch: nextEpoch(inherited.epoch), where };
  return { id: peer ?? chanceId(rng), epoch: chanceId(rng), where };
}

/**
 * What a store was made with, as whom a newer configuration says. Where that one is about other servers, or about
 * TLS where there was none, everything of it takes a restart.
 */
export function withCredentials(config: RedisConfig, newer: RedisConfig | undefined): RedisConfig {
  if (newer === undefined || addressOf(newer) !== addressOf(config)) return config;
  if ((newer.tls === undefined) !== (config.tls === undefined)) return config;
  const { username, password, sentinelUsername, sentinelPassword, tls } = newer;
  return { ...config, username, password, sentinelUsername, sentinelPassword, tls };
}
