// Leases with fencing tokens: the right to act for all. Who refuses an old token is whoever is told to act.
import type { HeldLease } from '../balancer/state/shared-store.ts';
import type { Clock } from '../core/clock.ts';
import type { Keys } from './keys.ts';
import type { RedisSession } from './redis-session.ts';

// Clocks of two machines may run apart by a thousandth; a hundredth is given away to be on the safe side.
const safePart = 0.99;

/** The leases of a store. */
export class RedisLeases {
  readonly #keys: Keys;
  readonly #clock: Clock;
  readonly #holder: string;
  /** Highest token of each lease that was heard of, by whatever way. */
  readonly #seen = new Map<string, number>();
  readonly #held = new Map<string, number>();

  constructor(keys: Keys, clock: Clock, self: { readonly id: string; readonly epoch: string }) {
    this.#keys = keys;
    this.#clock = clock;
    this.#holder = `${self.id} ${self.epoch}`;
  }

  /** Takes or renews; undefined when another has it or the link is down. Never rejects. */
  async take(
    session: RedisSession | undefined,
    name: string,
    { forMs, seen }: { readonly forMs: number; readonly seen: number },
  ): Promise<HeldLease | undefined> {
    if (session === undefined) return undefined;
    // From before it was asked for: Redis begins to count later than this.
    const askedAtMs = this.#clock.nowMs();
    this.#see(name, seen);
    const known = String(this.#seen.get(name) ?? 0);
    const answer = await session.run(
      'lease',
      [this.#keys.lease(name), this.#keys.token(name), this.#keys.changes],
      [this.#holder, String(Math.ceil(forMs)), known, name],
    );
    this.#held.delete(name);
    if ('fault' in answer || !Array.isArray(answer.value)) return undefined;
    const [isHeld, text]: readonly unknown[] = answer.value;
    const token = Number(text);
    this.#see(name, token);
    if (String(isHeld) !== '1') return undefined;
    this.#held.set(name, token);
    return { token, untilMs: askedAtMs + forMs * safePart };
  }

  /** Gives a lease back. Never rejects; without a link it ends by itself. */
  async release(session: RedisSession | undefined, name: string, token: number): Promise<void> {
    if (this.#held.get(name) === token) this.#held.delete(name);
    await session?.run('release', [this.#keys.lease(name)], [`${token} ${this.#holder}`]);
  }

  /** Gives back all that is held. */
  async releaseAll(session: RedisSession): Promise<void> {
    await Promise.all([...this.#held].map(([name, token]) => this.release(session, name, token)));
  }

  /** A token was given out: 'TOKEN NAME'. */
  hear(notice: string): void {
    const at = notice.indexOf(' ');
    this.#see(notice.slice(at + 1), Number(notice.slice(0, at)));
  }

  #see(name: string, token: number): void {
    if (token > (this.#seen.get(name) ?? 0)) this.#seen.set(name, token);
  }
}
