// Registers that say nothing any more: of nodes that are ready again or forgotten, of pools that were let go. The leader
// deletes them, so that what is shared does not grow with every node there ever was.
import type { Clock, Timer } from '../../core/clock.ts';
import { decodeWish, type WishScope } from '../../protocol/peer-wishes.ts';
import type { Register, SharedStore } from '../state/shared-store.ts';

/** What a sweep acts on. */
export interface WishSweepDeps {
  readonly store: Pick<SharedStore, 'registers' | 'write'>;
  readonly clock: Clock;
  readonly isLeader: () => boolean;
  /** Whether this node, by the key of its register, is here. */
  readonly isHere: (key: string) => boolean;
  /** Keys of the nodes, also those that are away, of which something is wanted here. */
  readonly wanted: () => { has(key: string): boolean };
}

const lookEveryMs = 60_000;
// Long enough that whoever starts meanwhile reads in words what was wanted, and by whom. Nothing depends on it: a
// deletion is a version like any other.
const afterMs = 10 * 60_000;
// 1,000 nodes that were drained for a deploy are gone after twenty looks, and no look fills the link with writes.
const maxAtOnce = 50;

const scopes: readonly WishScope[] = ['admin', 'freeze'];

interface Idle {
  readonly version: number;
  readonly sinceMs: number;
}

/** The sweep of one balancer, with a lifetime: `start`, then `stop`. */
export class WishSweep {
  readonly #deps: WishSweepDeps;
  /** Since when a register has said nothing, in this version. */
  #idle: ReadonlyMap<string, Idle> = new Map();
  #timer: Timer | undefined;

  constructor(deps: WishSweepDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#timer ??= this.#deps.clock.repeat(lookEveryMs, () => this.#look());
  }

  /** Idempotent. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #look(): void {
    const { store, clock, isLeader } = this.#deps;
    const nowMs = clock.nowMs();
    const idle = new Map<string, Idle>();
    const wanted = this.#deps.wanted();
    let left = isLeader() ? maxAtOnce : 0;
    for (const scope of scopes)
      for (const register of store.registers(scope).values()) {
        if (!this.#saysNothing(scope, register, wanted)) continue;
        const { key, version } = register;
        const name = `${scope} ${key}`;
        const before = this.#idle.get(name);
        const sinceMs = before?.version === version ? before.sinceMs : nowMs;
        idle.set(name, { version, sinceMs });
        if (nowMs - sinceMs < afterMs || left === 0) continue;
        left -= 1;
        // Whoever was first in between wants something.
        void store.write(scope, key, { value: '', version });
      }
    this.#idle = idle;
  }

  #saysNothing(
    scope: WishScope,
    { key, value }: Register,
    wanted: ReturnType<WishSweepDeps['wanted']>,
  ): boolean {
    const wish = value === '' ? undefined : decodeWish(value);
    if (wish === undefined) return false;
    if (wish.rank === 0) return true;
    if (scope !== 'admin' || this.#deps.isHere(key)) return false;
    // What a node asked for itself ends with it; what an operator wants of one that is away stands while it is known.
    return wish.isSelf === true || !wanted.has(key);
  }
}
