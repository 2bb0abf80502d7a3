// What is said over a connection while it lasts: listening, presence, the beat, the farewell. When there is a
// connection, and who is told what came of it, is the store's matter.
import type { SharedHandlers } from '../balancer/state/shared-store.ts';
import type { Clock } from '../core/clock.ts';
import type { Answer, Fault } from './fault.ts';
import type { Keys } from './keys.ts';
import type { Limits } from './limits.ts';
import { RedisLeases } from './redis-leases.ts';
import { RedisPeers } from './redis-peers.ts';
import { endPresence, renewPresence } from './redis-presence.ts';
import { RedisRegisters } from './redis-registers.ts';
import type { RedisSession } from './redis-session.ts';
import { RedisWords } from './redis-words.ts';

/** What a conversation stands on, and whom it tells. */
export interface ConversationParts {
  readonly self: { readonly id: string; readonly epoch: string };
  readonly keys: Keys;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly tell: Pick<SharedHandlers, 'word' | 'register' | 'peer'>;
  /** Hears only, and is nobody's peer, until `speak`. */
  readonly isQuiet: () => boolean;
}

/** Words, registers, presence and leases of one balancer. */
export class RedisConversation {
  readonly words: RedisWords;
  readonly registers: RedisRegisters;
  readonly peers: RedisPeers;
  readonly leases: RedisLeases;
  readonly #parts: ConversationParts;
  #about = '';
  #isBeating = false;
  #tidyAtMs: number;

  constructor(parts: ConversationParts) {
    const { self, keys, clock, limits, tell } = parts;
    this.#parts = parts;
    this.words = new RedisWords(parts);
    this.leases = new RedisLeases(keys, clock, self);
    this.registers = new RedisRegisters({
      keys,
      limits,
      selfId: self.id,
      tell: (scope, register) => tell.register(scope, register),
    });
    this.#tidyAtMs = clock.nowMs() + limits.tidyEveryMs;
    this.peers = new RedisPeers({
      self,
      keys,
      clock,
      limits,
      tell: (peer, isHere) => tell.peer(peer, isHere),
    });
  }

  describe(about: string): void {
    if (about === this.#about) return;
    this.#about = about;
    this.words.describe(about);
    this.words.beat();
  }

  /** Listens first, so that nothing is missed between reading and hearing. */
  async prepare(session: RedisSession): Promise<Fault | undefined> {
    const { words, changes } = this.#parts.keys;
    const subscribed = await session.subscribe([words, changes], (channel, message) =>
      channel === words ? this.#hearWords(message) : this.#hearChange(message),
    );
    if ('fault' in subscribed) return subscribed.fault;
    const renewed = await this.#present(session);
    if ('fault' in renewed && renewed.fault.kind !== 'limited') return renewed.fault;
    const read = await this.peers.read(session);
    const synced = await this.registers.sync(session, true);
    this.words.begin();
    return 'fault' in renewed ? renewed.fault : (read ?? synced);
  }

  /** Is a peer from now on: what is said before anything else is who this is. */
  async speak(session: RedisSession): Promise<void> {
    this.words.begin();
    await this.#present(session);
  }

  /**
   * Once in a while: renews presence, looks for what was missed and who is silent. `readyAtMs`: since when the
   * connection lasts. What is wrong, or undefined; undefined as well while the last beat is not over.
   */
  async beat(
    session: RedisSession,
    readyAtMs: number,
  ): Promise<{ readonly fault: Fault | undefined } | undefined> {
    if (this.#isBeating) return undefined;
    this.words.beat();
    if (!this.#parts.isQuiet() && this.words.isDeaf) {
      session.giveUp({ kind: 'away', reason: 'our own words do not come back' });
      return undefined;
    }
    for (const gone of this.peers.lookForSilence(readyAtMs)) this.words.forget(gone);
    this.#isBeating = true;
    const fault = await this.#renew(session);
    this.#isBeating = false;
    return { fault };
  }

  /** Gives back what is held, and has nothing under way any more; nobody is told. Bounded by the caller. */
  async leave(session: RedisSession): Promise<void> {
    await this.leases.releaseAll(session);
    // Commands of one connection are done in their order: what was sent before is over when this is answered.
    await session.ask('GET', this.#parts.keys.revision);
  }

  /** Gives back what is held and tells everybody; a link that does not answer is the caller's to bound. */
  async farewell(session: RedisSession): Promise<void> {
    await Promise.all([
      this.leases.releaseAll(session),
      endPresence(session, this.#parts, this.words.farewell()),
    ]);
  }

  async #renew(session: RedisSession): Promise<Fault | undefined> {
    const renewed = await this.#present(session);
    if ('fault' in renewed) return renewed.fault;
    const synced = this.registers.isBehind(String(renewed.value ?? ''))
      ? await this.registers.sync(session, false)
      : undefined;
    const isToRead = this.words.takeMissed() || this.peers.areStrangersHere;
    const read = isToRead ? await this.peers.read(session) : undefined;
    await this.#tidy(session);
    return synced ?? read ?? this.peers.namesake();
  }

  /** Renews our presence, once we speak. The answer is the revision of the registers. */
  #present(session: RedisSession): Promise<Answer> {
    if (this.#parts.isQuiet()) return session.ask('GET', this.#parts.keys.revision);
    return renewPresence(session, this.#parts, this.#about);
  }

  async #tidy(session: RedisSession): Promise<void> {
    const { clock, limits } = this.#parts;
    if (clock.nowMs() < this.#tidyAtMs) return;
    if ((await this.registers.tidy(session)) === undefined)
      this.#tidyAtMs = clock.nowMs() + limits.tidyEveryMs;
  }

  #hearWords(message: string): void {
    const envelope = this.words.hear(message);
    if (envelope === undefined || !this.peers.hear(envelope)) return;
    const { from, epoch, isFarewell, words } = envelope;
    if (isFarewell) this.words.forget({ id: from, epoch });
    for (const { channel, text } of words) this.#parts.tell.word(from, channel, text);
  }

  #hearChange(message: string): void {
    const at = message.indexOf(' ');
    const rest = message.slice(at + 1);
    if (message.startsWith('register ')) this.registers.hear(rest);
    else if (message.startsWith('token ')) this.leases.hear(rest);
  }
}
