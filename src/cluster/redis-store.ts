// What peers share, over Redis: puts together the link, words, registers, presence and leases, and gives them their
// beat. Without a link everything stays as it was last heard.
import type {
  HeldLease,
  LinkState,
  LinkStatus,
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
import { chanceId } from './chance-id.ts';
import type { Fault } from './fault.ts';
import { createKeys, type Keys } from './keys.ts';
import { defaultLimits, maxAboutBytes, type Limits } from './limits.ts';
import { openRedis } from './redis-client.ts';
import { RedisLeases } from './redis-leases.ts';
import { RedisLink } from './redis-link.ts';
import { RedisPeers } from './redis-peers.ts';
import { endPresence, renewPresence } from './redis-presence.ts';
import { RedisRegisters } from './redis-registers.ts';
import { answerWithin, type Meter, type RedisSession } from './redis-session.ts';
import { RedisWords } from './redis-words.ts';
import { StatusBox } from './status.ts';
import { textBytes } from './text-bytes.ts';

/** What a store on Redis is made of. */
export interface RedisStoreOptions {
  readonly config: RedisConfig;
  readonly clock: Clock;
  readonly rng: Rng;
  /** Left out, `defaultLimits`. */
  readonly limits?: Partial<Limits>;
}

/** A store on Redis: a single server, one behind Sentinels, or a Cluster. */
export function createRedisStore(options: RedisStoreOptions): SharedStore {
  return new RedisStore(options);
}

class RedisStore implements SharedStore {
  readonly selfId: string;
  readonly #epoch: string;
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #keys: Keys;
  readonly #link: RedisLink;
  readonly #words: RedisWords;
  readonly #registers: RedisRegisters;
  readonly #leases: RedisLeases;
  readonly #peers: RedisPeers;
  readonly #status: StatusBox;
  #handlers: SharedHandlers | undefined;
  #timers: readonly Timer[] = [];
  #about = '';
  /** Since when silence counts: the connection has been ready for all this time. */
  #readyAtMs = 0;
  #isReady = false;
  #isBeating = false;
  #stopping: Promise<void> | undefined;

  constructor({ config, clock, rng, limits }: RedisStoreOptions) {
    this.selfId = config.peer ?? chanceId(rng);
    this.#epoch = chanceId(rng);
    this.#clock = clock;
    this.#limits = { ...defaultLimits, ...limits };
    this.#keys = createKeys(config.keyPrefix);
    const self = { id: this.selfId, epoch: this.#epoch };
    const meter: Meter = { commandsTotal: 0, bytesTotal: 0 };
    this.#words = new RedisWords(self, this.#keys, clock, this.#limits);
    this.#leases = new RedisLeases(this.#keys, clock, self);
    this.#registers = new RedisRegisters(this.#keys, this.selfId, (scope, register) => {
      if (this.#isReady) this.#handlers?.register(scope, register);
    });
    this.#peers = new RedisPeers({
      selfId: this.selfId,
      keys: this.#keys,
      clock,
      limits: this.#limits,
      tell: (peer, isHere) => {
        if (this.#isReady) this.#handlers?.peer(peer, isHere);
      },
    });
    this.#status = new StatusBox(clock, 'connecting', () => {
      return { ...meter, lagMs: this.#words.lagMs, droppedWordsTotal: this.#words.droppedTotal };
    });
    this.#link = new RedisLink({
      address: addressOf(config),
      open: () => openRedis(config, this.selfId, this.#limits),
      clock,
      rng,
      limits: this.#limits,
      meter,
      prepare: (session) => this.#prepare(session),
      tell: (state, reason) => this.#hearLink(state, reason),
    });
  }

  async start(handlers: SharedHandlers): Promise<void> {
    this.#handlers = handlers;
    const { beatMs, gatherMs } = this.#limits;
    await this.#link.start();
    if (this.#stopping !== undefined) return;
    this.#timers = [
      this.#clock.repeat(beatMs, () => void this.#beat()),
      this.#clock.repeat(gatherMs, () => this.#flush()),
    ];
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  status(): LinkStatus {
    return this.#status.read();
  }

  say(channel: string, text: string): void {
    this.#words.add(channel, text, this.#isReady);
  }

  describe(about: string): void {
    if (textBytes(about) > maxAboutBytes || about === this.#about) return;
    this.#about = about;
    this.#words.describe(about);
    this.#words.beat();
  }

  peers(): readonly PeerPresence[] {
    return this.#peers.list();
  }

  registers(scope: string): ReadonlyMap<string, Register> {
    return this.#registers.mirror.scope(scope);
  }

  write(scope: string, key: string, change: { value: string; version: number }): Promise<WriteOutcome> {
    return this.#registers.write(this.#link.session, scope, { key, ...change });
  }

  lease(name: string, wish: { forMs: number; seen: number }): Promise<HeldLease | undefined> {
    return this.#leases.take(this.#link.session, name, wish);
  }

  release(name: string, token: number): Promise<void> {
    return this.#leases.release(this.#link.session, name, token);
  }

  async #stop(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    const { session } = this.#link;
    this.#handlers = undefined;
    this.#isReady = false;
    if (session !== undefined) {
      const farewell = Promise.all([
        this.#leases.releaseAll(session),
        endPresence(session, this.#keys, this.#self(), this.#words.farewell()),
      ]);
      await answerWithin(farewell, this.#clock, this.#limits.beatMs);
    }
    this.#link.stop();
  }

  #self(): { id: string; epoch: string; about: string } {
    return { id: this.selfId, epoch: this.#epoch, about: this.#about };
  }

  /** Listens first, so that nothing is missed between reading and hearing. */
  async #prepare(session: RedisSession): Promise<Fault | undefined> {
    const { words, changes } = this.#keys;
    const subscribed = await session.subscribe([words, changes], (channel, message) =>
      channel === words ? this.#hearWords(message) : this.#hearChange(message),
    );
    if ('fault' in subscribed) return subscribed.fault;
    const renewed = await renewPresence(session, this.#keys, this.#self(), this.#limits);
    if ('fault' in renewed && renewed.fault.kind !== 'limited') return renewed.fault;
    const read = await this.#peers.read(session);
    const synced = await this.#registers.sync(session, true);
    this.#words.begin();
    return 'fault' in renewed ? renewed.fault : (read ?? synced);
  }

  async #beat(): Promise<void> {
    const { session } = this.#link;
    if (session === undefined || this.#isBeating) return;
    this.#isBeating = true;
    this.#words.beat();
    for (const gone of this.#peers.lookForSilence(this.#readyAtMs)) this.#words.forget(gone);
    if (this.#words.isDeaf) session.giveUp({ kind: 'away', reason: 'our own words do not come back' });
    else await this.#renew(session);
    this.#isBeating = false;
  }

  async #renew(session: RedisSession): Promise<void> {
    const answer = await renewPresence(session, this.#keys, this.#self(), this.#limits);
    let fault = 'fault' in answer ? answer.fault : undefined;
    if ('value' in answer && this.#registers.isBehind(String(answer.value)))
      fault = await this.#registers.sync(session, false);
    if (this.#peers.areStrangersHere) fault ??= await this.#peers.read(session);
    if (session === this.#link.session) this.#link.limit(fault ?? this.#peers.namesake());
  }

  #flush(): void {
    const { session } = this.#link;
    if (session !== undefined) void this.#words.flush(session);
  }

  #hearWords(message: string): void {
    const envelope = this.#words.hear(message);
    if (envelope === undefined || !this.#peers.hear(envelope)) return;
    const { from, epoch, isFarewell, words } = envelope;
    if (isFarewell) this.#words.forget({ id: from, epoch });
    for (const { channel, text } of words) this.#handlers?.word(from, channel, text);
  }

  #hearChange(message: string): void {
    const at = message.indexOf(' ');
    const rest = message.slice(at + 1);
    if (message.startsWith('register ')) this.#registers.hear(rest);
    else if (message.startsWith('token ')) this.#leases.hear(rest);
  }

  #hearLink(state: LinkState, reason: string): void {
    const wasMended = state === 'connected' && this.#status.state !== 'connected';
    const hasSession = this.#link.session !== undefined;
    const isFresh = hasSession && !this.#isReady;
    if (isFresh) this.#readyAtMs = this.#clock.nowMs();
    if (!hasSession && this.#isReady) this.#words.drop();
    this.#isReady = hasSession;
    if (this.#status.set(state, reason)) this.#handlers?.link(this.#status.read());
    if (wasMended || isFresh) this.#tellAll();
  }

  #tellAll(): void {
    const { mirror } = this.#registers;
    for (const scope of mirror.scopes())
      for (const register of mirror.scope(scope).values()) this.#handlers?.register(scope, register);
    for (const peer of this.#peers.list()) this.#handlers?.peer(peer, true);
  }
}
