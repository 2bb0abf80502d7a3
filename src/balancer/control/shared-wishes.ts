// What operators want, over several balancers: admin states and freezes as registers. Said once, by whoever heard it
// from the operator; the others do it as if the operator had told them.
import type { Clock, Timer } from '../../core/clock.ts';
import {
  decodeWish,
  encodeWish,
  rankOfWish,
  type SharedWish,
  type WishScope,
} from '../../protocol/peer-wishes.ts';
import type { Register, SharedStore } from '../state/shared-store.ts';
import { isWishScope, nameOf, type UntoldWish, type WishMemory } from './wish-memory.ts';

/** What an operator wants of one thing, on this balancer. */
export interface WishTarget {
  /** Every wish that is not the default, by key: what a store that lacks it is told at the start. */
  all(): ReadonlyMap<string, SharedWish>;
  /** Does as the operator of another balancer wants. `isNew` false: it may have been known before this start. */
  apply(key: string, wish: SharedWish, isNew: boolean): void;
}

interface Unsaid {
  readonly scope: WishScope;
  readonly key: string;
  readonly wish: SharedWish;
  /** When what it says in milliseconds from now was true. */
  readonly atMs: number;
  /** From before this start: true unless somebody has said something since what was followed then. */
  readonly isRemembered: boolean;
  isBeingWritten: boolean;
}

const flushMs = 100;

/** Wishes that are shared, with a lifetime: `start` when the store has been read, then `stop`. */
export class SharedWishes {
  readonly #store: SharedStore;
  readonly #clock: Clock;
  readonly #targets: Readonly<Record<WishScope, WishTarget>>;
  readonly #unsaid = new Map<string, Unsaid>();
  /** Also of registers that have been followed or written here: after a lost link all are told once more. */
  readonly #memory: WishMemory;
  #isApplying = false;
  #timer: Timer | undefined;

  constructor(deps: {
    readonly store: SharedStore;
    readonly clock: Clock;
    readonly targets: Readonly<Record<WishScope, WishTarget>>;
    readonly memory: WishMemory;
  }) {
    this.#store = deps.store;
    this.#clock = deps.clock;
    this.#targets = deps.targets;
    this.#memory = deps.memory;
  }

  /** Tells the store what it lacks of what is wanted here, and from now on what changes. */
  start(): void {
    const nowMs = this.#clock.nowMs();
    for (const { scope, key, wish, agoMs } of this.#memory.restored)
      this.#put(scope, key, { wish, isRemembered: true, atMs: nowMs - agoMs });
    for (const [scope, target] of targetsOf(this.#targets))
      for (const [key, wish] of target.all())
        if (!this.#store.registers(scope).has(key) && !this.#unsaid.has(nameOf(scope, key)))
          this.#put(scope, key, { wish, isRemembered: true, atMs: nowMs });
    this.#memory.untold = () => this.#untold();
    this.#timer ??= this.#clock.repeat(flushMs, () => this.#flush());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Wishes that the others have not heard of yet, as without a link. */
  get unsaidCount(): number {
    return this.#unsaid.size;
  }

  /** Wanted here from now on. What is said while another's wish is taken over is that wish again, and let be. */
  say(scope: WishScope, key: string, wish: SharedWish): void {
    if (!this.#isApplying) this.#put(scope, key, { wish, isRemembered: false, atMs: this.#clock.nowMs() });
  }

  /** As `SharedHandlers.register`. Where both sides want something else, the more restrictive stands. */
  hear(scope: string, register: Register): void {
    if (!isWishScope(scope)) return;
    const { key, value, version } = register;
    const followed = this.#memory.followed(scope, key);
    if (followed?.version === version && followed.value === value) return;
    const own = this.#unsaid.get(nameOf(scope, key));
    // What comes of the write says more, and then this is looked at again.
    if (own?.isBeingWritten === true) return;
    const wish = decodeWish(value);
    if (wish === undefined) return;
    // What is remembered is told to a store that lacks it, which one out of reach only seemed to do: any register that was not
    // followed before is newer.
    if (own?.isRemembered === false && own.wish.rank > wish.rank) return;
    this.#unsaid.delete(nameOf(scope, key));
    this.#memory.follow(scope, register);
    this.#isApplying = true;
    try {
      this.#targets[scope].apply(key, wish, this.#timer !== undefined);
    } finally {
      this.#isApplying = false;
    }
  }

  #put(scope: WishScope, key: string, said: Pick<Unsaid, 'wish' | 'isRemembered' | 'atMs'>): void {
    this.#unsaid.set(nameOf(scope, key), { scope, key, isBeingWritten: false, ...said });
    this.#memory.changed();
  }

  #untold(): UntoldWish[] {
    const nowMs = this.#clock.nowMs();
    return [...this.#unsaid.values()].map(({ scope, key, wish, atMs }) => ({
      scope,
      key,
      wish,
      agoMs: nowMs - atMs,
    }));
  }

  #flush(): void {
    for (const unsaid of this.#unsaid.values()) if (!unsaid.isBeingWritten) void this.#write(unsaid);
  }

  async #write(unsaid: Unsaid): Promise<void> {
    const { scope, key, wish, atMs } = unsaid;
    const current = this.#store.registers(scope).get(key);
    // The others have what this would say, and when they began with it.
    if (current !== undefined && !wish.isChanged && rankOfWish(current.value) === wish.rank) {
      this.#forget(unsaid);
      return;
    }
    unsaid.isBeingWritten = true;
    const value = encodeWish(wish, this.#clock.nowMs() - atMs);
    const outcome = await this.#store.write(scope, key, { value, version: current?.version ?? 0 });
    unsaid.isBeingWritten = false;
    if (outcome.kind === 'written') {
      this.#memory.follow(scope, { key, value, version: outcome.version });
      this.#forget(unsaid);
    }
    if (outcome.kind === 'conflict') return this.hear(scope, outcome.current);
    const seen = outcome.kind === 'written' ? outcome.version : (current?.version ?? 0);
    const newest = this.#store.registers(scope).get(key);
    if (newest !== undefined && newest.version > seen) this.hear(scope, newest);
  }

  /** Unless something else was wanted in the meantime. */
  #forget({ scope, key, wish }: Unsaid): void {
    const name = nameOf(scope, key);
    if (this.#unsaid.get(name)?.wish !== wish) return;
    this.#unsaid.delete(name);
    this.#memory.changed();
  }
}

function targetsOf(targets: Readonly<Record<WishScope, WishTarget>>): readonly [WishScope, WishTarget][] {
  return [
    ['admin', targets.admin],
    ['freeze', targets.freeze],
  ];
}
