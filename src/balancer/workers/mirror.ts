// The open connections of the workers, as they last listed them. Some seconds old: what has gone since settles as
// such, and what has come is in the next look.
import type { ConnectionRows } from './messages.ts';

/** A complete look of one worker at one pool. */
export interface Look {
  readonly parts: readonly ConnectionRows[];
  readonly takenAtMs: number;
}

interface Looks {
  building: ConnectionRows[];
  done: Look | undefined;
  /** Ids of connections that have gone, with the number of the newest look that may still have them. */
  readonly gone: Map<number, number>;
}

/** Looks by worker and pool. */
export class Mirror {
  readonly #looks = new Map<number, Map<string, Looks>>();

  /** Takes a part over; true when a look is complete with it. */
  hear(worker: number, part: ConnectionRows, nowMs: number): boolean {
    const pools = this.#looks.get(worker) ?? new Map<string, Looks>();
    this.#looks.set(worker, pools);
    const looks = pools.get(part.pool) ?? { building: [], done: undefined, gone: new Map<number, number>() };
    pools.set(part.pool, looks);
    if (looks.building[0]?.look !== part.look) looks.building = [];
    looks.building.push(part);
    if (!part.isLast) return false;
    looks.done = { parts: looks.building, takenAtMs: nowMs };
    looks.building = [];
    for (const [id, upTo] of looks.gone) if (upTo < part.look) looks.gone.delete(id);
    return true;
  }

  /** A connection has gone: it is not listed any more, though looks that were taken before have it. */
  forget(worker: number, pool: string, id: number): void {
    const looks = this.#looks.get(worker)?.get(pool);
    const newest = looks?.building[0] ?? looks?.done?.parts[0];
    if (newest !== undefined) looks?.gone.set(id, newest.look);
  }

  /** True for what `forget` was told of. */
  isGone(worker: number, pool: string, id: number): boolean {
    return this.#looks.get(worker)?.get(pool)?.gone.has(id) === true;
  }

  /** A worker has ended, and its connections with it. */
  drop(worker: number): void {
    this.#looks.delete(worker);
  }

  /** The newest looks at a pool, by worker. */
  *looksAt(pool: string): Iterable<readonly [worker: number, look: Look]> {
    for (const [worker, pools] of this.#looks) {
      const done = pools.get(pool)?.done;
      if (done !== undefined) yield [worker, done];
    }
  }
}
