// The other balancers as the loops ask for them: what is shared, who leads and what peers carry, put together. Wiring only.
import { encodeFleetWord, operationsChannel } from '../protocol/order-words.ts';
import type { Fleet } from './control/fleet/fleet.ts';
import type { Leader } from './control/leader.ts';
import type { Peers } from './state/peers/peers.ts';
import type { SharedStore } from './state/shared-store.ts';

/** What it is made with. */
export interface PeerFleetParts {
  readonly store: SharedStore;
  readonly peers: Peers;
  readonly leader: Leader;
  readonly epoch: string;
  /** Which peer leads by what all say of themselves; undefined when none does. */
  readonly leadingPeer: () => string | undefined;
}

/** The fleet over a store. */
export function createPeerFleet({ store, peers, leader, epoch, leadingPeer }: PeerFleetParts): Fleet {
  return {
    selfId: store.selfId,
    epoch,
    token: () => leader.token,
    highestToken: () => leader.highestToken,
    see: (token) => leader.see(token),
    leader() {
      if (leader.isLeader) return store.selfId;
      // Who led when the link went down may lead no more, and would not hear of it.
      return store.status().state === 'degraded' ? undefined : leadingPeer();
    },
    isHere: (peer) => peers.isHere(peer),
    carriedOn: (pool, node) => peers.carriedOn(pool, node),
    say: (pool, word) => store.say(operationsChannel(pool), encodeFleetWord(word)),
  };
}
