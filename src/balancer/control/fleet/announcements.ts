// What all must hear of an operation although words may be lost: that an operator has ended it, and that it goes on under
// another id. Said at once, and again each second for a while.
import type { Clock } from '../../../core/clock.ts';
import type { Fleet } from './fleet.ts';

// A cancel is repeated until the owner has said that it has ended it, or is not there; then a little longer, for those
// who have a part and have not heard.
const cancelForMs = 60_000;
const repeatForMs = 5000;

interface Announced {
  readonly atMs: number;
  readonly isCancel: boolean;
  readonly say: () => void;
}

/** Announcements under way. */
export class Announcements {
  readonly #deps: { readonly fleet: Fleet; readonly clock: Clock };
  readonly #announced = new Map<string, Announced>();

  constructor(deps: { readonly fleet: Fleet; readonly clock: Clock }) {
    this.#deps = deps;
  }

  /** An operator has ended it. */
  cancel(operation: string, pool: string, reason: string): void {
    const { fleet } = this.#deps;
    this.#announce(operation, true, () => fleet.say(pool, { kind: 'cancel', operation, reason }));
  }

  /** It goes on under another id. */
  rename(operation: string, pool: string, to: string): void {
    const { fleet } = this.#deps;
    this.#announce(operation, false, () => fleet.say(pool, { kind: 'renamed', operation, to }));
  }

  /** Once a second. `isOver`: whether the one who runs it has said that it has ended. */
  tick(isOver: (operation: string) => boolean): void {
    const nowMs = this.#deps.clock.nowMs();
    for (const [operation, { atMs, isCancel, say }] of this.#announced) {
      const forMs = isCancel && !isOver(operation) ? cancelForMs : repeatForMs;
      if (nowMs - atMs > forMs) this.#announced.delete(operation);
      else say();
    }
  }

  #announce(operation: string, isCancel: boolean, say: () => void): void {
    this.#announced.set(operation, { atMs: this.#deps.clock.nowMs(), isCancel, say });
    say();
  }
}
