// Who waits for a place, in which order. When somebody may be served, and where, is not decided here.

/**
 * Why somebody waits, first come first: `retry` has been let in before and its node failed, `returning` was on a node
 * of the pool before, `new` has never been here as far as we can see.
 */
export const waitRanks = ['retry', 'returning', 'new'] as const;

export type WaitRank = (typeof waitRanks)[number];

/** One who waits. Belongs to the queue that made it. */
export interface WaitEntry<T> {
  readonly item: T;
  readonly rank: WaitRank;
  /** When it came. */
  readonly sinceMs: number;
  /** False once it has been served, expired or removed. */
  readonly isWaiting: boolean;
}

/** What came of an attempt to serve: `skip` leaves it where it is and tries the next, `stop` ends the round. */
export type Served = 'taken' | 'skip' | 'stop';

// After so many in a row from before it, the oldest of the last rank has its turn: a fifth of the places is theirs
// however many return.
const inARow = 4;

interface Link<T> {
  readonly item: T;
  readonly rank: WaitRank;
  readonly sinceMs: number;
  isWaiting: boolean;
  before: Link<T> | undefined;
  after: Link<T> | undefined;
}

interface Line<T> {
  first: Link<T> | undefined;
  last: Link<T> | undefined;
  size: number;
}

/** First in, first out within a rank; adding and removing cost the same however many wait. */
export class WaitQueue<T> {
  readonly #lines: Record<WaitRank, Line<T>> = { retry: newLine(), returning: newLine(), new: newLine() };
  #run = 0;

  get size(): number {
    return this.#lines.retry.size + this.#lines.returning.size + this.#lines.new.size;
  }

  sizeOf(rank: WaitRank): number {
    return this.#lines[rank].size;
  }

  /** How many are served before one who comes now with this rank, the turns of lower ranks left out. */
  ahead(rank: WaitRank): number {
    const upTo = waitRanks.indexOf(rank);
    return waitRanks.reduce((sum, each, index) => (index <= upTo ? sum + this.#lines[each].size : sum), 0);
  }

  add(item: T, rank: WaitRank, nowMs: number): WaitEntry<T> {
    const line = this.#lines[rank];
    const link: Link<T> = {
      item,
      rank,
      sinceMs: nowMs,
      isWaiting: true,
      before: line.last,
      after: undefined,
    };
    if (line.last === undefined) line.first = link;
    else line.last.after = link;
    line.last = link;
    line.size += 1;
    return link;
  }

  /** Takes one out; false when it does not wait any more. */
  remove(entry: WaitEntry<T>): boolean {
    if (!entry.isWaiting) return false;
    // Every entry was made by `add`, which makes links.
    this.#unlink(entry as Link<T>);
    return true;
  }

  /** The one who came last of the lowest rank below `rank`; undefined when nobody of a lower rank waits. */
  lastBelow(rank: WaitRank): WaitEntry<T> | undefined {
    const above = waitRanks.indexOf(rank);
    return waitRanks
      .slice(above + 1)
      .toReversed()
      .map((each) => this.#lines[each].last)
      .find((last) => last !== undefined);
  }

  /** When the oldest came; undefined when nobody waits. */
  get oldestSinceMs(): number | undefined {
    const since = waitRanks.flatMap((rank) => this.#lines[rank].first?.sinceMs ?? []);
    return since.length === 0 ? undefined : Math.min(...since);
  }

  /** Takes out and hands over everyone who came at `untilMs` or before, oldest first within a rank. */
  expire(untilMs: number, expired: (entry: WaitEntry<T>) => void): void {
    for (const rank of waitRanks) {
      const line = this.#lines[rank];
      for (let { first } = line; first !== undefined && first.sinceMs <= untilMs; first = line.first) {
        this.#unlink(first);
        expired(first);
      }
    }
  }

  /**
   * Serves in order until `attempt` says stop or everyone has been tried once. An entry is out of the queue from the
   * moment that `attempt` answers `taken`; `attempt` may add and remove others meanwhile.
   */
  serve(attempt: (entry: WaitEntry<T>) => Served): void {
    const at = {
      retry: this.#lines.retry.first,
      returning: this.#lines.returning.first,
      new: this.#lines.new.first,
    };
    for (;;) {
      for (const rank of waitRanks) at[rank] = firstWaiting(at[rank]);
      const next = this.#nextOf(at);
      if (next === undefined) return;
      const served = attempt(next);
      if (served === 'stop') return;
      at[next.rank] = next.after;
      if (served === 'skip') continue;
      if (next.isWaiting) this.#unlink(next);
      this.#run = next.rank === 'new' ? 0 : this.#run + 1;
    }
  }

  #nextOf(at: Readonly<Record<WaitRank, Link<T> | undefined>>): Link<T> | undefined {
    if (this.#run >= inARow && at.new !== undefined) return at.new;
    return at.retry ?? at.returning ?? at.new;
  }

  // What is taken out keeps its way on, so that a round under way can go on from it.
  #unlink(link: Link<T>): void {
    const line = this.#lines[link.rank];
    if (link.before === undefined) line.first = link.after;
    else link.before.after = link.after;
    if (link.after === undefined) line.last = link.before;
    else link.after.before = link.before;
    line.size -= 1;
    link.isWaiting = false;
  }
}

function newLine<T>(): Line<T> {
  return { first: undefined, last: undefined, size: 0 };
}

function firstWaiting<T>(link: Link<T> | undefined): Link<T> | undefined {
  let next = link;
  while (next !== undefined && !next.isWaiting) next = next.after;
  return next;
}
