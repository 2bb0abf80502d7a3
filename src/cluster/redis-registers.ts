// Registers in Redis: written by compare-and-set on the version, followed by change notices, read again when the
// revision says that something was missed, and written back where Redis has forgotten.
import type { Register, WriteOutcome } from '../balancer/state/shared-store.ts';
import type { Answer, Fault } from './fault.ts';
import type { Keys } from './keys.ts';
import type { Limits } from './limits.ts';
import { Mirror, type Remembered } from './mirror.ts';
import type { RedisSession } from './redis-session.ts';
import { listOf, pairsOf, parseChange, parseRegister, textOf } from './register-text.ts';
import { complaintAboutSize } from './text-bytes.ts';

// A revision that Redis never has: the mirror has to be compared.
const unknown = '?';

// Registers that one script call carries: at 64 KiB each it blocks Redis for some milliseconds.
const perRestore = 50;

/** What registers stand on, and whom they tell. */
export interface RegistersParts {
  readonly keys: Keys;
  readonly selfId: string;
  readonly limits: Limits;
  readonly tell: (scope: string, register: Register) => void;
}

/** The registers of a store. */
export class RedisRegisters {
  readonly mirror = new Mirror();
  readonly #keys: Keys;
  readonly #selfId: string;
  readonly #limits: Limits;
  readonly #tell: (scope: string, register: Register) => void;
  /** Revision up to which the mirror is known to have everything. */
  #revision: string = unknown;
  readonly #scopeRevisions = new Map<string, string>();
  #syncing: Promise<Fault | undefined> | undefined;

  constructor({ keys, selfId, limits, tell }: RegistersParts) {
    this.#keys = keys;
    this.#selfId = selfId;
    this.#limits = limits;
    this.#tell = tell;
  }

  /**
   * Forgets what was deleted long ago, here and, later, in Redis. Later, since a peer that remembered a deletion longer
   * than Redis would write it back over what has been written anew from version 1 on.
   */
  async tidy(session: RedisSession): Promise<Fault | undefined> {
    for (const scope of this.mirror.scopes()) {
      const answer = await session.run('forget', [this.#keys.registers(scope)], [this.#rememberedForMs]);
      if ('fault' in answer) return answer.fault;
      this.mirror.forget(scope, Number(answer.value), this.#limits.deletedForMs);
    }
    return undefined;
  }

  /** Never rejects. */
  async write(
    session: RedisSession | undefined,
    scope: string,
    wish: { readonly key: string; readonly value: string; readonly version: number },
  ): Promise<WriteOutcome> {
    const complaint = complaintAboutSize(wish.value);
    if (complaint !== undefined) return { kind: 'unreachable', reason: complaint };
    const known = this.mirror.get(scope, wish.key);
    if (known !== undefined && known.version > wish.version) return { kind: 'conflict', current: known };
    if (session === undefined) return { kind: 'unreachable', reason: 'the link is down' };
    const { registers, revisions, revision, changes } = this.#keys;
    const answer = await session.run(
      'write',
      [registers(scope), revisions, revision, changes],
      [scope, wish.key, String(wish.version), wish.value, this.#selfId],
    );
    if ('fault' in answer) return { kind: 'unreachable', reason: answer.fault.reason };
    const [isWritten, stored] = listOf(answer.value);
    const register = parseRegister(wish.key, stored);
    if (register === undefined)
      return { kind: 'unreachable', reason: 'Redis answered what no script of ours answers' };
    const isOurs = String(isWritten) === '1';
    if (this.mirror.take(scope, register) && !isOurs) this.#tell(scope, register);
    return isOurs
      ? { kind: 'written', version: register.version }
      : { kind: 'conflict', current: this.mirror.get(scope, wish.key) ?? register };
  }

  /** A change notice: 'REVISION JSON'. */
  hear(notice: string): void {
    const [, revision = '', json = ''] = /^(\d+) ([^]*)$/.exec(notice) ?? [];
    const change = parseChange(json);
    if (change === undefined) return;
    const { from, scope, register } = change;
    // The next one in line: nothing was missed, so the scope need not be read for it. Else the next beat reads.
    const isNext = isNumber(this.#revision) && BigInt(revision) === BigInt(this.#revision) + 1n;
    this.#revision = isNext ? revision : unknown;
    if (isNext) this.#scopeRevisions.set(scope, revision);
    if (this.mirror.take(scope, register) && from !== this.#selfId) this.#tell(scope, register);
  }

  /** True when Redis's revision is not the one that the mirror has. */
  isBehind(revision: string): boolean {
    return revision !== this.#revision;
  }

  /**
   * Reads what has changed (with `isFresh` everything), and reminds Redis of what it has forgotten. One at a time.
   */
  async sync(session: RedisSession, isFresh: boolean): Promise<Fault | undefined> {
    if (this.#syncing !== undefined && !isFresh) return this.#syncing;
    const syncing = this.#syncOnce(session, isFresh).finally(() => {
      if (this.#syncing === syncing) this.#syncing = undefined;
    });
    this.#syncing = syncing;
    return syncing;
  }

  /** Every peer that has a link has forgotten a deletion one look after its time. */
  get #rememberedForMs(): string {
    const { deletedForMs, tidyEveryMs } = this.#limits;
    return String(deletedForMs + 2 * tidyEveryMs);
  }

  async #syncOnce(session: RedisSession, isFresh: boolean): Promise<Fault | undefined> {
    // Read first: what is written from here on raises it, and is seen at the next beat.
    const revision = await session.ask('GET', this.#keys.revision);
    if ('fault' in revision) return revision.fault;
    const revisions = await session.ask('HGETALL', this.#keys.revisions);
    if ('fault' in revisions) return revisions.fault;
    const stored = pairsOf(revisions.value);
    // That Redis cannot keep what one scope lacks is no reason not to read the others.
    let limited: Fault | undefined;
    const scopes = new Set([...stored.keys(), ...this.mirror.scopes()]);
    for (const scope of scopes) {
      const current = stored.get(scope);
      // A scope without a revision has been forgotten by Redis, or was never there.
      if (!isFresh && current !== undefined && current === this.#scopeRevisions.get(scope)) continue;
      const fault = await this.#syncScope(session, scope);
      if (fault !== undefined && fault.kind !== 'limited') return fault;
      limited ??= fault;
    }
    this.#revision = limited === undefined ? String(revision.value ?? '') : unknown;
    return limited;
  }

  async #syncScope(session: RedisSession, scope: string): Promise<Fault | undefined> {
    const { registers, revisions } = this.#keys;
    const answer = await session.run('read', [registers(scope), revisions], [scope, this.#rememberedForMs]);
    if ('fault' in answer) return answer.fault;
    const [scopeRevision, nowMs, ...flat] = listOf(answer.value);
    const stored = new Map<string, Remembered>();
    for (const [key, text] of pairsOf(flat)) {
      const register = parseRegister(key, text);
      if (register !== undefined) stored.set(key, register);
    }
    for (const register of stored.values())
      if (this.mirror.take(scope, register)) this.#tell(scope, register);
    this.mirror.forget(scope, Number(nowMs), this.#limits.deletedForMs);
    this.#scopeRevisions.set(scope, String(scopeRevision));
    return this.#restore(session, scope, this.mirror.missingIn(scope, stored));
  }

  /** Reminds Redis of what it lacks. */
  async #restore(
    session: RedisSession,
    scope: string,
    missing: readonly Remembered[],
  ): Promise<Fault | undefined> {
    const { registers, revisions, revision } = this.#keys;
    for (let at = 0; at < missing.length; at += perRestore) {
      const flat = missing.slice(at, at + perRestore).flatMap((register) => [register.key, textOf(register)]);
      const answer: Answer = await session.run(
        'restore',
        [registers(scope), revisions, revision],
        [scope, ...flat],
      );
      if ('fault' in answer) {
        this.#scopeRevisions.delete(scope);
        return answer.fault;
      }
    }
    return undefined;
  }
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text);
}
