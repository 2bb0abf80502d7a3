// Who of several balancers acts for all: holds the one shared lease, or knows that it does not. What the leader does is
// decided by those who ask.
import type { Clock, Timer } from '../../core/clock.ts';
import type { HeldLease, SharedStore } from '../state/shared-store.ts';

/** The name of the lease. */
export const leaderLease = 'leader';

const renewMs = 1000;
// Four renewals may fail: a leader that changes with every hiccup of Redis would begin everything again.
const leaseMs = 5000;

/** What it is made with. */
export interface LeaderDeps {
  readonly store: SharedStore;
  readonly clock: Clock;
  /** This balancer has begun (with a token) or ceased (0) to lead. */
  readonly changed: (token: number) => void;
}

/** The lease of the leader, with a lifetime: `start`, then `stop`. */
export class Leader {
  readonly #deps: LeaderDeps;
  #held: HeldLease | undefined;
  #toldToken = 0;
  #highestToken = 0;
  #isAsking = false;
  #timer: Timer | undefined;

  constructor(deps: LeaderDeps) {
    this.#deps = deps;
  }

  /**
   * Holds the lease now, by its own clock, and has not heard of a higher token. Without a link it runs out within five
   * seconds: then nobody leads.
   */
  get isLeader(): boolean {
    return this.token > 0;
  }

  /** By which it leads now; 0 when it does not. */
  get token(): number {
    if (this.#held === undefined || this.#deps.clock.nowMs() >= this.#held.untilMs) return 0;
    // A store that has forgotten its counter gives out low ones: the next renewal lifts it, if the lease is ours.
    return this.#held.token < this.#highestToken ? 0 : this.#held.token;
  }

  /** The highest fencing token seen, 0 before any. */
  get highestToken(): number {
    return this.#highestToken;
  }

  start(): void {
    this.#timer ??= this.#deps.clock.repeat(renewMs, () => void this.renew());
  }

  /** Asks for nothing any more. The lease ends with the store's farewell. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#held = undefined;
  }

  /** A peer says that it leads by this token. */
  see(token: number): void {
    this.#highestToken = Math.max(this.#highestToken, token);
  }

  /** Takes or renews the lease; called once a second. */
  async renew(): Promise<void> {
    this.#tell();
    if (this.#isAsking) return;
    this.#isAsking = true;
    const wish = { forMs: leaseMs, seen: this.#highestToken };
    const held = await this.#deps.store.lease(leaderLease, wish);
    this.#isAsking = false;
    if (this.#timer === undefined) return;
    // An answer that did not come says nothing of the lease that is held until it ends.
    if (held !== undefined) this.#held = held;
    if (held !== undefined) this.see(held.token);
    this.#tell();
  }

  #tell(): void {
    const { token } = this;
    if (token === this.#toldToken) return;
    this.#toldToken = token;
    this.#deps.changed(token);
  }
}
