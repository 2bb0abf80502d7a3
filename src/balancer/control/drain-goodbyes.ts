// The goodbyes of one drained node: said by the relay or asked of its agent, and what comes of them. Who is told, and
// when, is not decided here.
import type { Out } from '../../core/returns.ts';
import type { GoodbyeOutcome } from '../state/ports.ts';
import type { Progress } from './progress.ts';
import type { Shedder } from './shedder.ts';

/** Which node, for which operation. */
export interface DrainedPlace {
  readonly pool: string;
  readonly id: string;
  /** Id of the drain. */
  readonly operation: string;
  readonly progress: Progress;
}

/** Says goodbye for a drain. */
export class DrainGoodbyes {
  readonly #place: DrainedPlace;
  readonly #shedder: Shedder;
  #leaving = 0;

  constructor(place: DrainedPlace, shedder: Shedder) {
    this.#place = place;
    this.#shedder = shedder;
  }

  /** Told by the relay for this drain, and still there. */
  get leaving(): number {
    return this.#leaving;
  }

  /** Has the relay say goodbye to these, who count as leaving already. */
  close(ids: readonly number[], when: { readonly byMs: number; readonly connectsPerSecond: number }): void {
    if (ids.length === 0) return;
    const { pool, id: node, progress } = this.#place;
    this.#leaving += ids.length;
    const settled = (_id: number, outcome: GoodbyeOutcome) => {
      this.#leaving -= 1;
      progress.settled(outcome);
    };
    const told = this.#shedder.shed(
      {
        pool,
        node,
        ids,
        byMs: when.byMs,
        cause: 'drain',
        settled,
        out: (count, atMs) => this.#out(count, atMs),
        hears: progress,
      },
      when.connectsPerSecond,
    );
    // Those that another operation has told meanwhile have their outcome there.
    for (let i = told; i < ids.length; i++) settled(-1, 'alreadyLeaving');
  }

  /** So many will be asked through the node's agent: they are on their way from now on. */
  asked(count: number, atMs: number): void {
    this.#shedder.returns(this.#place.pool).shed(this.#out(count, atMs), this.#place.progress);
  }

  /** Counts what came of so many that the agent was to ask. */
  countAsked(outcome: GoodbyeOutcome, count: number): void {
    if (count === 0) return;
    const { pool, id: node } = this.#place;
    this.#shedder.count({ pool, node, cause: 'drain', way: 'ask', outcome }, count);
  }

  /** So many average connections: which ones go, and what each of them causes, is not looked at. */
  #out(count: number, atMs: number): readonly Out[] {
    const { operation: owner, id: nodeId } = this.#place;
    return count === 0 ? [] : [{ owner, atMs, nodeId, count, work: 1 }];
  }
}
