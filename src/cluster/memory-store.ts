// What peers share when all of them live in one process: tests, workers, and a balancer that has no peers.
import type {
  HeldLease,
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
import { chanceId } from './chance-id.ts';
import { isOneLife, nextEpoch } from '../balancer/state/peer-life.ts';
import { defaultLimits } from './limits.ts';
import type { Member, MemoryHub } from './memory-hub.ts';
import { Mirror, type Remembered } from './mirror.ts';
import { PeerBook } from './peer-book.ts';
import { StatusBox } from './status.ts';
import { complaintAboutSize } from './text-bytes.ts';

/** What a store in memory is made of. */
export interface MemoryStoreOptions {
  readonly hub: MemoryHub;
  readonly clock: Clock;
  readonly rng: Rng;
  /** Left out, by chance. */
  readonly selfId?: string;
  /** Who the process was that this one takes over from. */
  readonly inherited?: PeerPlace;
}

/** A store on a hub. Its link is `alone` as long as nobody else is on the hub. */
export function createMemoryStore(options: MemoryStoreOptions): SharedStore {
  return new MemoryStore(options);
}

class MemoryStore implements SharedStore, Member {
  readonly selfId: string;
  readonly epoch: string;
  isQuiet = false;
  about = '';
  readonly #hub: MemoryHub;
  readonly #clock: Clock;
  readonly #mirror = new Mirror();
  readonly #book = new PeerBook();
  readonly #silences = new Map<string, Timer>();
  readonly #status: StatusBox;
  #handlers: SharedHandlers | undefined;
  #droppedWordsTotal = 0;

  constructor({ hub, clock, rng, selfId, inherited }: MemoryStoreOptions) {
    this.selfId = inherited?.id ?? selfId ?? chanceId(rng);
    this.epoch = inherited === undefined ? chanceId(rng) : nextEpoch(inherited.epoch);
    this.#hub = hub;
    this.#clock = clock;
    this.#status = new StatusBox(clock, 'alone', () => {
      return { lagMs: 0, commandsTotal: 0, bytesTotal: 0, droppedWordsTotal: this.#droppedWordsTotal };
    });
  }

  get place(): PeerPlace {
    return { id: this.selfId, epoch: this.epoch, where: 'memory' };
  }

  async start(handlers: SharedHandlers, { isQuiet } = { isQuiet: false }): Promise<void> {
    this.#handlers = handlers;
    this.isQuiet = isQuiet;
    this.#hub.join(this);
    this.hearLink(this.#hub.isCut(this));
  }

  async speak(): Promise<void> {
    this.isQuiet = false;
    if (this.#isLinked) this.#hub.announce(this, true);
  }

  async stop(): Promise<void> {
    this.#end(!this.isQuiet);
  }

  async leave(): Promise<void> {
    this.#end(false);
  }

  status(): LinkStatus {
    return this.#status.read();
  }

  say(channel: string, text: string): void {
    const canSay = this.#isLinked && !this.isQuiet && complaintAboutSize(text) === undefined;
    if (canSay) this.#hub.say(this, channel, text);
    else this.#droppedWordsTotal += 1;
  }

  describe(about: string): void {
    this.about = about;
    if (this.#isLinked) this.#hub.announce(this, true);
  }

  peers(): readonly PeerPresence[] {
    const nowMs = this.#clock.nowMs();
    for (const { selfId, epoch } of this.#hub.reachableBy(this))
      this.#book.heard({ id: selfId, epoch, about: undefined }, nowMs);
    return this.#book.list(nowMs);
  }

  registers(scope: string): ReadonlyMap<string, Register> {
    return this.#mirror.scope(scope);
  }

  async write(scope: string, key: string, change: { value: string; version: number }): Promise<WriteOutcome> {
    const complaint = complaintAboutSize(change.value);
    if (complaint !== undefined) return { kind: 'unreachable', reason: complaint };
    if (!this.#isLinked) return { kind: 'unreachable', reason: 'the link is down' };
    const outcome = this.#hub.write(this, scope, { key, ...change });
    const current = this.#hub.registers.get(scope, key);
    if (current !== undefined) this.#mirror.take(scope, current);
    return outcome;
  }

  async lease(name: string, wish: { forMs: number; seen: number }): Promise<HeldLease | undefined> {
    return this.#isLinked && !this.isQuiet ? this.#hub.lease(this, name, wish) : undefined;
  }

  async release(name: string, token: number): Promise<void> {
    if (this.#isLinked) this.#hub.release(this, name, token);
  }

  hearWord(from: Member, channel: string, text: string): void {
    if (this.#isLinked && from.selfId !== this.selfId) this.#handlers?.word(from.selfId, channel, text);
  }

  hearRegister(scope: string, register: Remembered): void {
    if (this.#isLinked && this.#mirror.take(scope, register)) this.#handlers?.register(scope, register);
  }

  hearMember(member: Member, isHere: boolean): void {
    if (!this.#isLinked || isOneLife(member.epoch, this.epoch)) return;
    const { selfId: id, epoch, about } = member;
    const nowMs = this.#clock.nowMs();
    const changed = isHere
      ? this.#book.heard({ id, epoch, about }, nowMs)
      : this.#book.left(id, epoch, nowMs);
    this.#setLinked();
    if (changed !== undefined) this.#handlers?.peer(changed, isHere);
  }

  hearSilence({ selfId }: Member): void {
    this.#watch(selfId);
  }

  hearLink(isCut: boolean): void {
    if (this.#handlers === undefined) return;
    if (isCut) {
      this.#set('degraded', 'the link is cut');
      return;
    }
    this.#setLinked();
    const { registers } = this.#hub;
    for (const scope of new Set([...this.#mirror.scopes(), ...registers.scopes()])) {
      for (const held of [registers, this.#mirror]) held.forget(scope, this.#clock.wallMs());
      for (const register of this.#mirror.missingIn(scope, registers.scope(scope)))
        this.#hub.put(this, scope, register);
      for (const register of registers.scope(scope).values()) this.#mirror.take(scope, register);
    }
    this.#tellAll();
    this.#hub.announce(this, true);
  }

  #end(hasFarewell: boolean): void {
    if (this.#handlers === undefined) return;
    this.#handlers = undefined;
    for (const timer of this.#silences.values()) timer.cancel();
    this.#hub.leave(this, hasFarewell);
  }

  get #isLinked(): boolean {
    return this.#handlers !== undefined && !this.#hub.isCut(this);
  }

  #setLinked(): void {
    this.#set(this.#hub.isAlone(this) ? 'alone' : 'connected', '');
  }

  #set(state: LinkStatus['state'], reason: string): void {
    if (this.#status.set(state, reason)) this.#handlers?.link(this.#status.read());
  }

  #tellAll(): void {
    for (const scope of this.#mirror.scopes())
      for (const register of this.#mirror.scope(scope).values()) this.#handlers?.register(scope, register);
    const nowMs = this.#clock.nowMs();
    for (const { selfId: id, epoch, about } of this.#hub.reachableBy(this))
      this.#book.heard({ id, epoch, about }, nowMs);
    for (const peer of this.#book.list(nowMs)) {
      this.#handlers?.peer(peer, true);
      this.#watch(peer.id);
    }
  }

  /** Tells that a peer is gone unless it can be reached once presence has run out. */
  #watch(id: string): void {
    this.#silences.get(id)?.cancel();
    const timer = this.#clock.schedule(defaultLimits.presenceMs, () => {
      this.#silences.delete(id);
      if (!this.#isLinked || this.#hub.reachableBy(this).some(({ selfId }) => selfId === id)) return;
      const lost = this.#book.lose(id, this.#clock.nowMs());
      if (lost !== undefined) this.#handlers?.peer(lost, false);
    });
    this.#silences.set(id, timer);
  }
}
