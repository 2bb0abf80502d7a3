// One look at all balancers that are meant to serve, over their admin sockets.
import type { NodeList } from '../../src/protocol/admin-api.ts';
import type { PeersAnswer } from '../../src/protocol/peering.ts';
import type { FreezeState } from '../../src/protocol/operations.ts';
import type { ChaosBalancer } from './balancer.ts';
import type { View } from './desk.ts';

/** A view with the figures of one balancer. */
export interface Look extends View {
  readonly peers: PeersAnswer;
  readonly list: NodeList;
}

/** Asks all at once; those that do not answer are left out. */
export async function lookAtAll(balancers: readonly ChaosBalancer[]): Promise<readonly Look[]> {
  const asked = balancers.filter(({ isWanted }) => isWanted);
  const looks = await Promise.all(
    asked.map((balancer) => lookAt(balancer, balancers.length).catch(() => undefined)),
  );
  return looks.filter((look) => look !== undefined);
}

async function lookAt(balancer: ChaosBalancer, count: number): Promise<Look> {
  // What is unsaid is asked before and after: a wish that comes in between is said by then, or is seen.
  const before = await balancer.get<PeersAnswer>('/v1/peers');
  const list = await balancer.get<NodeList>('/v1/pools/chat/nodes');
  const { frozen } = await balancer.get<FreezeState>('/v1/pools/chat/freeze');
  const peers = await balancer.get<PeersAnswer>('/v1/peers');
  const isShared = [before, peers].every(
    (each) => each.link.state === 'connected' && each.unsaidWishes === 0 && each.peers.length === count - 1,
  );
  return {
    id: balancer.id,
    isShared,
    isLeader: peers.isLeader,
    states: Object.fromEntries(list.nodes.map(({ id, adminState }) => [id, adminState])),
    isFrozen: frozen,
    peers,
    list,
  };
}
