// What the loops ask of the other balancers: who leads, who is here, what they carry, and a way to speak of operations.
import type { FleetWord } from '../../../protocol/order-words.ts';
import type { PeerCarried } from '../../state/peers/peer-tally.ts';

/** The other balancers, to the loops. */
export interface Fleet {
  /** This balancer's name among its peers. */
  readonly selfId: string;
  /** Of this life of the process, as peers know it. */
  readonly epoch: string;
  /** Fencing token by which this balancer leads now; 0 when it does not. */
  token(): number;
  /** The highest fencing token seen, 0 before any. */
  highestToken(): number;
  /** Somebody acts by this token. */
  see(token: number): void;
  /** Who leads, this balancer included; undefined while nobody is known to. */
  leader(): string | undefined;
  isHere(peer: string): boolean;
  /** What each peer has open on a node. */
  carriedOn(pool: string, node: string): readonly PeerCarried[];
  /** Says a word to all. */
  say(pool: string, word: FleetWord): void;
}
