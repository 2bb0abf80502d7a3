// The estimate of who came back to one pool, over time, and who hears of it. How it is made is core/returns.ts.
import { admitArrivals, clientsIn, noReturns, withOut, type Out, type Returns } from '../../core/returns.ts';
import { usualPerSecond } from '../../core/usual-rate.ts';

/** Hears what became of clients that it has shed. */
export interface HearsReturns {
  /** So many are taken to be back. */
  cameBack(count: number): void;
  /** So many have not come within a minute; they are not waited for. */
  stayedAway?(count: number): void;
}

/** The one estimate of a pool, for all its drains and rebalances. */
export class PoolReturns {
  #returns = noReturns;
  readonly #hears = new Map<string, HearsReturns>();

  /** The estimate as it stands. */
  get estimate(): Returns {
    return this.#returns;
  }

  /** Shed within the last minute and not taken to be back, 0 or more. */
  get out(): number {
    return clientsIn(this.#returns.out);
  }

  /** Connections per second that open when nobody is on the way, 0 or more. */
  get usualPerSecond(): number {
    return usualPerSecond(this.#returns.usual);
  }

  /** These were asked to leave now. One owner has one who hears: the last one given. */
  shed(out: readonly Out[], hears: HearsReturns): void {
    this.#returns = withOut(this.#returns, out);
    for (const { owner } of out) this.#hears.set(owner, hears);
  }

  /** Takes in how many connections have opened in the pool since the balancer started. */
  tick(openedTotal: number, nowMs: number): void {
    const { returns, back, lost } = admitArrivals(this.#returns, { arrivedTotal: openedTotal, nowMs });
    this.#returns = returns;
    for (const { owner, count } of back) this.#hears.get(owner)?.cameBack(count);
    for (const { owner, count } of lost) this.#hears.get(owner)?.stayedAway?.(count);
    if (back.length + lost.length > 0) this.#forgetOwners();
  }

  #forgetOwners(): void {
    const owners = new Set(this.#returns.out.map(({ owner }) => owner));
    for (const owner of this.#hears.keys()) if (!owners.has(owner)) this.#hears.delete(owner);
  }
}
