// Which connections of a draining node wait to be told, and in which order. How many are told now is not decided here.
import type { Rng } from '../../core/rng.ts';
import type { ConnectionKind, OpenConnections } from '../state/ports.ts';

/** What a look has found. */
export interface QueueLook {
  /** Connections that wait from now on. */
  readonly found: number;
  /** Waiting ones that are not there any more, or that somebody else has told. */
  readonly gone: number;
  /** Open ones that have been told, by whomever. */
  readonly told: number;
}

/**
 * Those that wait, in an order of chance: each portion then weighs what an average connection weighs, by which the room
 * of the others is counted. Requests under way come last: most of them need no telling.
 */
export class DrainQueue {
  readonly #rng: Rng;
  /** The next one last. */
  #ids: number[] = [];

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  get size(): number {
    return this.#ids.length;
  }

  /** Compares with what is open now. */
  look(list: OpenConnections): QueueLook {
    const fresh = new Map<number, ConnectionKind>();
    for (let row = 0; row < list.size; row++)
      if (list.isLeaving[row] === 0) fresh.set(list.id[row] ?? -1, list.kind[row] ?? 'tcp');
    const told = list.size - fresh.size;
    const before = this.#ids.length;
    this.#ids = this.#ids.filter((id) => fresh.has(id));
    const gone = before - this.#ids.length;
    for (const id of this.#ids) fresh.delete(id);
    this.#add(fresh);
    return { found: fresh.size, gone, told };
  }

  /** Takes so many off, at most all: they are to be told now. */
  take(count: number): number[] {
    return this.#ids.splice(Math.max(0, this.#ids.length - count), count);
  }

  #add(fresh: ReadonlyMap<number, ConnectionKind>): void {
    const shuffled = [...fresh.keys()];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const other = Math.floor(this.#rng.next() * (i + 1));
      // Both are within the list.
      [shuffled[i], shuffled[other]] = [shuffled[other] ?? -1, shuffled[i] ?? -1];
    }
    const isExchange = (id: number) => fresh.get(id) === 'http' || fresh.get(id) === 'longPoll';
    this.#ids = [...shuffled.filter(isExchange), ...this.#ids, ...shuffled.filter((id) => !isExchange(id))];
  }
}
