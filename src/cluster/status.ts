// The state of a link, and since when. Figures of the link are asked of whoever counts them.
import type { LinkState, LinkStatus } from '../balancer/state/shared-store.ts';
import type { Clock } from '../core/clock.ts';

/** What is counted beside the state. */
export type LinkFigures = Omit<LinkStatus, 'state' | 'reason' | 'sinceMs'>;

/** State and reason; `sinceMs` moves with the state alone, so that it tells how long a fault has lasted. */
export class StatusBox {
  readonly #clock: Clock;
  readonly #figures: () => LinkFigures;
  #state: LinkState;
  #reason = '';
  #sinceMs: number;

  constructor(clock: Clock, state: LinkState, figures: () => LinkFigures) {
    this.#clock = clock;
    this.#figures = figures;
    this.#state = state;
    this.#sinceMs = clock.nowMs();
  }

  get state(): LinkState {
    return this.#state;
  }

  /** True when it was something else before. */
  set(state: LinkState, reason: string): boolean {
    if (state === this.#state && reason === this.#reason) return false;
    if (state !== this.#state) this.#sinceMs = this.#clock.nowMs();
    this.#state = state;
    this.#reason = reason;
    return true;
  }

  read(): LinkStatus {
    return { state: this.#state, reason: this.#reason, sinceMs: this.#sinceMs, ...this.#figures() };
  }
}
