// What several stores of one process share: the part that Redis has for several processes. The stores are in
// memory-store.ts; who says what to whom goes through here.
import type { HeldLease, Register, WriteOutcome } from '../balancer/state/shared-store.ts';
import type { Clock } from '../core/clock.ts';
import { Mirror, type Remembered } from './mirror.ts';

/** A store, as the hub sees it. */
export interface Member {
  readonly selfId: string;
  readonly epoch: string;
  readonly about: string;
  /** Hears only: it is nobody's peer. */
  readonly isQuiet: boolean;
  hearWord(from: Member, channel: string, text: string): void;
  hearRegister(scope: string, register: Remembered): void;
  /** Another member has come, has changed, or (`isHere` false) is gone. */
  hearMember(member: Member, isHere: boolean): void;
  /** Another member's link was cut: it is gone unless it is mended before presence has run out. */
  hearSilence(member: Member): void;
  /** The link of this member was cut or mended. */
  hearLink(isCut: boolean): void;
}

interface Lease {
  readonly holder: Member;
  readonly token: number;
  readonly untilMs: number;
}

/** One process's hub. Everything is told in a later microtask, so that nobody is called back from within a call. */
export class MemoryHub {
  readonly registers = new Mirror();
  readonly #clock: Clock;
  readonly #members = new Set<Member>();
  readonly #cut = new Set<string>();
  readonly #leases = new Map<string, Lease>();
  readonly #tokens = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Members that hear what this one says; empty while its link is cut. */
  othersOf(self: Member): readonly Member[] {
    if (this.isCut(self)) return [];
    return [...this.#members].filter((member) => member !== self && !this.isCut(member));
  }

  /** Peers that this one can reach; empty while its link is cut. */
  reachableBy(self: Member): readonly Member[] {
    if (this.isCut(self)) return [];
    return this.#peersOf(self).filter((member) => !this.isCut(member));
  }

  /** True when there is or was nobody else. */
  isAlone(self: Member): boolean {
    return this.#peersOf(self).length === 0;
  }

  #peersOf(self: Member): Member[] {
    return [...this.#members].filter(({ isQuiet, selfId }) => !isQuiet && selfId !== self.selfId);
  }

  isCut({ selfId }: Member): boolean {
    return this.#cut.has(selfId);
  }

  /** Cuts or mends the link of a member, as a failing network would: for tests of what stands on a store. */
  setCut(id: string, isCut: boolean): void {
    if (this.#cut.has(id) === isCut) return;
    for (const member of this.#members) {
      if (member.selfId !== id) continue;
      if (isCut) for (const other of this.othersOf(member)) later(() => other.hearSilence(member));
      later(() => member.hearLink(isCut));
    }
    if (isCut) this.#cut.add(id);
    else this.#cut.delete(id);
  }

  join(member: Member): void {
    this.#members.add(member);
    this.announce(member, true);
  }

  /** Tells the others of a member: it is here as it is now, or gone. */
  announce(member: Member, isHere: boolean): void {
    if (member.isQuiet) return;
    for (const other of this.othersOf(member)) later(() => other.hearMember(member, isHere));
  }

  /** Without a farewell where another process goes on as this member. */
  leave(member: Member, hasFarewell: boolean): void {
    if (hasFarewell) this.announce(member, false);
    this.#members.delete(member);
    for (const [name, { holder }] of this.#leases) if (holder === member) this.#leases.delete(name);
  }

  say(from: Member, channel: string, text: string): void {
    for (const other of this.othersOf(from)) later(() => other.hearWord(from, channel, text));
  }

  /** The rule of scripts/write.lua: whoever has seen the version that stands, or a higher one, may write. */
  write(from: Member, scope: string, wish: { key: string; value: string; version: number }): WriteOutcome {
    const { key, value, version } = wish;
    const current = this.registers.get(scope, key);
    if (current !== undefined && current.version > version) return { kind: 'conflict', current };
    this.put(from, scope, { key, value, version: version + 1 });
    return { kind: 'written', version: version + 1 };
  }

  /** Takes a register over if it stands, and tells everybody else. */
  put(from: Member, scope: string, register: Register): void {
    const put = { ...register, deletedAtMs: register.value === '' ? this.#clock.wallMs() : 0 };
    if (!this.registers.take(scope, put)) return;
    for (const other of this.othersOf(from)) later(() => other.hearRegister(scope, put));
  }

  /** The rule of scripts/lease.lua. */
  lease(holder: Member, name: string, wish: { forMs: number; seen: number }): HeldLease | undefined {
    const nowMs = this.#clock.nowMs();
    const held = this.#leases.get(name);
    if (held !== undefined && held.untilMs > nowMs && held.holder !== holder) return undefined;
    const isOurs = held !== undefined && held.untilMs > nowMs && held.token >= wish.seen;
    const token = isOurs ? held.token : Math.max(this.#tokens.get(name) ?? 0, wish.seen) + 1;
    const untilMs = nowMs + wish.forMs;
    this.#tokens.set(name, token);
    this.#leases.set(name, { holder, token, untilMs });
    return { token, untilMs };
  }

  release(holder: Member, name: string, token: number): void {
    const held = this.#leases.get(name);
    if (held?.holder === holder && held.token === token) this.#leases.delete(name);
  }
}

function later(tell: () => void): void {
  queueMicrotask(tell);
}
