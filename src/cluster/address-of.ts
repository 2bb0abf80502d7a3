// How the servers of Redis are called in messages.
import { formatAddress } from '../policy/address.ts';
import type { RedisConfig } from '../policy/config.ts';

/** Where Redis is, for people; no secret in it. */
export function addressOf({ servers, tls }: RedisConfig): string {
  if (servers.kind === 'single') {
    const scheme = tls === undefined ? 'redis' : 'rediss';
    return `${scheme}://${formatAddress(servers.address)}`;
  }
  const addresses = servers.addresses.map(formatAddress).join(', ');
  if (servers.kind === 'sentinel') return `Redis ${servers.masterName} behind the Sentinels ${addresses}`;
  return `Redis Cluster ${addresses}`;
}
