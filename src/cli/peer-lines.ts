// What `herald status` says of other balancers.
import type { PeersAnswer } from '../protocol/peering.ts';
import type { AdminClient } from './admin-client.ts';
import { ifThere } from './pool-freeze.ts';

/** Undefined from a balancer of an earlier version. */
export function readPeersIfAny(client: AdminClient): Promise<PeersAnswer | undefined> {
  return ifThere(client.get<PeersAnswer>('/v1/peers'));
}

/** One line, '' where nothing is shared. */
export function peerLine({ self, isLeader, link, peers, unsaidWishes }: PeersAnswer): string {
  if (self === '') return '';
  const others = peers.map((peer) => `${peer.id} (${peer.connections})`).join(', ');
  const leader = isLeader ? 'leads' : `led by ${peers.find((peer) => peer.isLeader)?.id ?? 'nobody'}`;
  const lag = link.lagMs === null ? '' : ` ${link.lagMs.toFixed(0)} ms`;
  const reason = link.reason === '' ? '' : `: ${link.reason}`;
  return [
    `balancer ${self}`,
    peers.length === 0 ? 'no peers' : `peers ${others}`,
    leader,
    `link ${link.state}${link.state === 'connected' ? lag : ''}${reason}`,
    ...(unsaidWishes === 0 ? [] : [`${unsaidWishes} wishes not shared yet`]),
  ].join(' · ');
}
