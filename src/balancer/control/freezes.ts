// Whether automatic actions are stopped, for a pool or for all. What an operator asks for is never stopped by it.
import type { Clock } from '../../core/clock.ts';
import { isoTime } from '../../protocol/iso-time.ts';
import type { FreezeState } from '../../protocol/operations.ts';

/** One freeze. */
export interface Freeze {
  readonly by: string;
  readonly why: string;
  /** Milliseconds since the Unix epoch. */
  readonly sinceWallMs: number;
}

const notFrozen: FreezeState = { frozen: false, by: '', why: '', since: null };

/** The key under which a freeze of all pools is kept; no pool has this name. */
const all = '';

/** The freezes of a balancer. */
export class Freezes {
  readonly #clock: Clock;
  readonly #freezes = new Map<string, Freeze>();
  /** Another number whenever one begins or ends. */
  revision = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** By pool, '' for all: what is saved. */
  get entries(): ReadonlyMap<string, Freeze> {
    return this.#freezes;
  }

  /** How a pool stands, by its own freeze or that of all; `undefined`: all pools. */
  state(pool: string | undefined): FreezeState {
    const freeze = this.#freezes.get(all) ?? this.#freezes.get(pool ?? all);
    if (freeze === undefined) return notFrozen;
    const { by, why, sinceWallMs } = freeze;
    return { frozen: true, by, why, since: isoTime(sinceWallMs) };
  }

  /** The command that lets a frozen pool go: by its name, but for a freeze of all, which only a release of all ends. */
  releaseCommand(pool: string): string {
    return this.#freezes.has(all) ? 'herald freeze --release' : `herald freeze ${pool} --release`;
  }

  /** Whether automatic actions on this pool are stopped. */
  isFrozen(pool: string): boolean {
    return this.#freezes.has(all) || this.#freezes.has(pool);
  }

  /**
   * Freezes or lets go. Letting a pool go ends its own freeze only; letting all go ends every freeze. A second freeze
   * keeps the first one's words. True when it changed something.
   */
  set(pool: string | undefined, wish: { frozen: boolean; by: string; why: string }): boolean {
    const key = pool ?? all;
    if (wish.frozen === this.#freezes.has(key) && (wish.frozen || key !== all || this.#freezes.size === 0))
      return false;
    this.revision += 1;
    if (wish.frozen)
      this.#freezes.set(key, { by: wish.by, why: wish.why, sinceWallMs: this.#clock.wallMs() });
    else if (key === all) this.#freezes.clear();
    else this.#freezes.delete(key);
    return true;
  }

  /** Takes back what was saved. */
  restore(pool: string, freeze: Freeze): void {
    this.#freezes.set(pool, freeze);
  }
}
