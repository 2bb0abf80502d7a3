// Who is here: by their words, by their keys, and by their silence. Telling it is the store's matter.
import type { PeerPresence } from '../balancer/state/shared-store.ts';
import type { Clock } from '../core/clock.ts';
import type { Envelope } from './envelope.ts';
import type { Fault } from './fault.ts';
import type { Keys } from './keys.ts';
import { isOneLife } from '../balancer/state/peer-life.ts';
import type { Limits } from './limits.ts';
import { PeerBook } from './peer-book.ts';
import { readPresence } from './redis-presence.ts';
import type { RedisSession } from './redis-session.ts';

/** What peers are found by. */
export interface PeersParts {
  readonly self: { readonly id: string; readonly epoch: string };
  readonly keys: Keys;
  readonly clock: Clock;
  readonly limits: Limits;
  /** A peer has come, has changed, or (`isHere` false) is gone. */
  readonly tell: (peer: PeerPresence, isHere: boolean) => void;
}

/** The peers of a store. */
export class RedisPeers {
  readonly #parts: PeersParts;
  readonly #book = new PeerBook();
  #namesakeAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: PeersParts) {
    this.#parts = parts;
  }

  list(): readonly PeerPresence[] {
    return this.#book.list(this.#parts.clock.nowMs());
  }

  /** True when somebody was heard who has not said yet what he is. */
  get areStrangersHere(): boolean {
    return this.#book.hasUndescribed;
  }

  /** Reads the keys of all. */
  async read(session: RedisSession): Promise<Fault | undefined> {
    const { keys, limits, clock } = this.#parts;
    const found = await readPresence(session, keys, limits);
    if ('fault' in found) return found.fault;
    for (const { ageMs, ...peer } of found.peers) this.#hearOne(peer, clock.nowMs() - ageMs);
    return undefined;
  }

  /** Hears who speaks; false when nobody should listen: a life that is over, or one that has our name. */
  hear({ from: id, epoch, about, isFarewell }: Envelope): boolean {
    const { self, clock, tell } = this.#parts;
    const nowMs = clock.nowMs();
    if (id === self.id) {
      // Of one life: the process that this one replaces, or the one that replaces it.
      if (!isOneLife(epoch, self.epoch)) this.#namesakeAtMs = isFarewell ? Number.NEGATIVE_INFINITY : nowMs;
      return false;
    }
    if (this.#book.isPast(id, epoch)) return false;
    if (!isFarewell) {
      this.#hearOne({ id, epoch, about }, nowMs);
      return true;
    }
    const gone = this.#book.left(id, epoch, nowMs);
    if (gone !== undefined) tell(gone, false);
    return true;
  }

  /**
   * Tells of those who have been silent too long. `readyAtMs`: since when we could have heard them: peers lose their
   * connections with us, and come back a little later.
   */
  lookForSilence(readyAtMs: number): readonly PeerPresence[] {
    const { clock, limits, tell } = this.#parts;
    const nowMs = clock.nowMs();
    const beforeMs = nowMs - limits.presenceMs;
    if (readyAtMs > beforeMs) return [];
    const gone = this.#book.takeSilent(beforeMs, nowMs);
    for (const peer of gone) tell(peer, false);
    return gone;
  }

  /** What is wrong when another balancer has our name: each overwrites the other's presence. */
  namesake(): Fault | undefined {
    const { self, clock, limits } = this.#parts;
    if (clock.nowMs() - this.#namesakeAtMs > limits.presenceMs) return undefined;
    return {
      kind: 'limited',
      reason: `another balancer calls itself ${self.id}: give each a peer of its own`,
    };
  }

  #hearOne(peer: { id: string; epoch: string; about: string | undefined }, atMs: number): void {
    if (peer.id === this.#parts.self.id) return;
    const changed = this.#book.heard(peer, atMs);
    if (changed !== undefined) this.#parts.tell(changed, true);
  }
}
