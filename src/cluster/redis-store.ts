// What peers share, over Redis: the link, what is said over it, and the order in which it is told. Without a link
// everything stays as it was last heard.
import type {
  HeldLease,
  LinkState,
  LinkStatus,
  PeerPlace,
  PeerPresence,
  Register,
  SharedHandlers,
  SharedStore,
  WriteOutcome,
} from '../balancer/state/shared-store.ts';
import type { Clock, Timer } from '../core/clock.ts';
import type { Rng } from '../core/rng.ts';
import type { RedisConfig } from '../policy/config.ts';
import { addressOf } from './address-of.ts';
import { createKeys } from './keys.ts';
import { defaultLimits, maxAboutBytes, type Limits } from './limits.ts';
import { openRedis } from './redis-client.ts';
import { RedisConversation } from './redis-conversation.ts';
import { RedisLink } from './redis-link.ts';
import { placeOf, withCredentials } from './place.ts';
import { answerWithin, type Meter, type RedisSession } from './redis-session.ts';
import { StatusBox } from './status.ts';
import { textBytes } from './text-bytes.ts';

/** What a store on Redis is made of. */
export interface RedisStoreOptions {
  readonly config: RedisConfig;
  readonly clock: Clock;
  readonly rng: Rng;
  /** Who the process was that this one takes over from; where it shared the same, this one goes on as that peer. */
  readonly inherited?: PeerPlace | undefined;
  /** The configuration as it is by now: of it each connection takes who comes, and by which certificates. */
  readonly current?: (() => RedisConfig | undefined) | undefined;
  /** Left out, `defaultLimits`. */
  readonly limits?: Partial<Limits>;
}

/** A store on Redis: a single server, one behind Sentinels, or a Cluster. */
export function createRedisStore(options: RedisStoreOptions): SharedStore {
  return new RedisStore(options);
}

class RedisStore implements SharedStore {
  readonly place: PeerPlace;
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #link: RedisLink;
  readonly #talk: RedisConversation;
  readonly #status: StatusBox;
  #handlers: SharedHandlers | undefined;
  #timers: readonly Timer[] = [];
  /** Since when silence counts: the connection has been ready for all this time. */
  #readyAtMs = 0;
  #isReady = false;
  #isQuiet = false;
  #stopping: Promise<void> | undefined;

  constructor({ config, clock, rng, inherited, current, limits }: RedisStoreOptions) {
    this.place = placeOf(config, inherited, rng);
    this.#clock = clock;
    this.#limits = { ...defaultLimits, ...limits };
    const meter: Meter = { commandsTotal: 0, bytesTotal: 0 };
    this.#talk = this.#converse(config);
    this.#status = new StatusBox(clock, 'connecting', () => {
      const { lagMs, droppedTotal } = this.#talk.words;
      return { ...meter, lagMs, droppedWordsTotal: droppedTotal };
    });
    this.#link = new RedisLink({
      address: addressOf(config),
      open: () => openRedis(withCredentials(config, current?.()), this.selfId, this.#limits),
      clock,
      rng,
      limits: this.#limits,
      meter,
      prepare: (session) => this.#talk.prepare(session),
      tell: (state, reason) => this.#hearLink(state, reason),
    });
  }

  get selfId(): string {
    return this.place.id;
  }

  async start(handlers: SharedHandlers, { isQuiet } = { isQuiet: false }): Promise<void> {
    this.#handlers = handlers;
    this.#isQuiet = isQuiet;
    const { beatMs, gatherMs } = this.#limits;
    await this.#link.start();
    if (this.#stopping !== undefined) return;
    this.#timers = [
      this.#clock.repeat(beatMs, () => void this.#beat()),
      this.#clock.repeat(gatherMs, () => this.#flush()),
    ];
  }

  async speak(): Promise<void> {
    if (!this.#isQuiet) return;
    this.#isQuiet = false;
    const { session } = this.#link;
    if (session !== undefined) await this.#talk.speak(session);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#end((session) => this.#talk.farewell(session));
    return this.#stopping;
  }

  leave(): Promise<void> {
    this.#stopping ??= this.#end((session) => this.#talk.leave(session));
    return this.#stopping;
  }

  status(): LinkStatus {
    return this.#status.read();
  }

  say(channel: string, text: string): void {
    this.#talk.words.add(channel, text, this.#isReady && !this.#isQuiet);
  }

  describe(about: string): void {
    if (textBytes(about) <= maxAboutBytes) this.#talk.describe(about);
  }

  peers(): readonly PeerPresence[] {
    return this.#talk.peers.list();
  }

  registers(scope: string): ReadonlyMap<string, Register> {
    return this.#talk.registers.mirror.scope(scope);
  }

  write(scope: string, key: string, change: { value: string; version: number }): Promise<WriteOutcome> {
    return this.#talk.registers.write(this.#link.session, scope, { key, ...change });
  }

  async lease(name: string, wish: { forMs: number; seen: number }): Promise<HeldLease | undefined> {
    if (this.#isQuiet) return undefined;
    return this.#talk.leases.take(this.#link.session, name, wish);
  }

  release(name: string, token: number): Promise<void> {
    return this.#talk.leases.release(this.#link.session, name, token);
  }

  /** Until a connection is ready nothing is told but words: then everything is, at once. */
  #converse({ keyPrefix, servers }: RedisConfig): RedisConversation {
    return new RedisConversation({
      self: this.place,
      isQuiet: () => this.#isQuiet,
      keys: createKeys(keyPrefix, servers.kind === 'single' ? servers.database : 0),
      clock: this.#clock,
      limits: this.#limits,
      tell: {
        word: (from, channel, text) => this.#handlers?.word(from, channel, text),
        register: (scope, register) => {
          if (this.#isReady) this.#handlers?.register(scope, register);
        },
        peer: (peer, isHere) => {
          if (this.#isReady) this.#handlers?.peer(peer, isHere);
        },
      },
    });
  }

  async #end(sayLast: (session: RedisSession) => Promise<void>): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    const { session } = this.#link;
    this.#handlers = undefined;
    this.#isReady = false;
    if (session !== undefined && !this.#isQuiet)
      await answerWithin(sayLast(session), this.#clock, this.#limits.beatMs);
    this.#link.stop();
  }

  async #beat(): Promise<void> {
    const { session } = this.#link;
    if (session === undefined) return;
    const beat = await this.#talk.beat(session, this.#readyAtMs);
    if (beat !== undefined && session === this.#link.session) this.#link.limit(beat.fault);
  }

  #flush(): void {
    const { session } = this.#link;
    if (session !== undefined && !this.#isQuiet) void this.#talk.words.flush(session);
  }

  #hearLink(state: LinkState, reason: string): void {
    const wasMended = state === 'connected' && this.#status.state !== 'connected';
    const hasSession = this.#link.session !== undefined;
    const isFresh = hasSession && !this.#isReady;
    if (isFresh) this.#readyAtMs = this.#clock.nowMs();
    if (!hasSession && this.#isReady) this.#talk.words.drop();
    this.#isReady = hasSession;
    if (this.#status.set(state, reason)) this.#handlers?.link(this.#status.read());
    if (wasMended || isFresh) this.#tellAll();
  }

  #tellAll(): void {
    const { mirror } = this.#talk.registers;
    for (const scope of mirror.scopes())
      for (const register of mirror.scope(scope).values()) this.#handlers?.register(scope, register);
    for (const peer of this.#talk.peers.list()) this.#handlers?.peer(peer, true);
  }
}
