// What of the words of peers could not be used: told once for each peer and cause, for as long as the peer is here.
import type { HeraldError } from '../../../core/error.ts';
import type { UnreadWord } from '../../../protocol/peer-words.ts';
import type { TellPeers } from './peers.ts';

const unreadMessages: Readonly<Record<UnreadWord['reason'], string>> = {
  version: 'speaks of pools in another version: what it carries and its reports are not counted here',
  malformed: 'says what cannot be read: such words are passed over',
};

/** Remembers what was told. */
export class PeerTroubles {
  readonly #tell: TellPeers;
  readonly #told = new Map<string, Set<string>>();

  constructor(tell: TellPeers) {
    this.#tell = tell;
  }

  /** A word was passed over. */
  unread(peer: string, reason: UnreadWord['reason']): void {
    this.#once(peer, reason, `Balancer '${peer}' ${unreadMessages[reason]}.`);
  }

  /** A report that a peer took in is refused here: the configurations differ. */
  refused(peer: string, { code, message }: HeraldError): void {
    this.#once(peer, code, `A report that balancer '${peer}' took in is refused here: ${message}.`);
  }

  /** The peer is gone; what the next one of this name does is news again. */
  forget(peer: string): void {
    this.#told.delete(peer);
  }

  #once(peer: string, cause: string, message: string): void {
    const told = this.#told.get(peer) ?? new Set();
    this.#told.set(peer, told);
    if (told.has(cause)) return;
    told.add(cause);
    this.#tell('peer.notUnderstood', message, { peer, cause });
  }
}
