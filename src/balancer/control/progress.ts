// What became of the connections of one operation. Every connection is in exactly one part, so the parts always sum.
import type { OperationProgress } from '../../protocol/operations.ts';
import type { GoodbyeOutcome } from '../state/ports.ts';

type Part = Exclude<keyof OperationProgress, 'total' | 'returned'>;

const partOf = {
  closed: 'closed',
  cut: 'cut',
  refusedByPeer: 'refusedByPeer',
  alreadyGone: 'leftByThemselves',
  // Somebody else's goodbye came first, and has the outcome.
  alreadyLeaving: 'leftByThemselves',
} as const satisfies Record<GoodbyeOutcome, Part>;

/** Counts of one operation. */
export class Progress {
  readonly #counts: Record<Part, number>;
  #returned: number;

  /** Begins with what was saved; with nothing otherwise. */
  constructor(saved?: OperationProgress) {
    const { waiting = 0, leaving = 0, closed = 0, cut = 0, refusedByPeer = 0 } = saved ?? {};
    const { leftByThemselves = 0, returned = 0 } = saved ?? {};
    this.#counts = { waiting, leaving, closed, cut, refusedByPeer, leftByThemselves };
    this.#returned = returned;
  }

  get waiting(): number {
    return this.#counts.waiting;
  }

  get leaving(): number {
    return this.#counts.leaving;
  }

  /** Connections that the operation is about as well. */
  found(count: number): void {
    this.#counts.waiting += count;
  }

  /** So many of the waiting have been asked. */
  asked(count: number): void {
    this.#move('waiting', 'leaving', count);
  }

  /** One of the leaving has an outcome. */
  settled(outcome: GoodbyeOutcome): void {
    this.#move('leaving', partOf[outcome], 1);
  }

  /** So many of the waiting ended by themselves. */
  goneByThemselves(count: number): void {
    this.#move('waiting', 'leftByThemselves', count);
  }

  /** So many of those asked through their node's agent have gone. */
  goneAsAsked(count: number): void {
    this.#move('leaving', 'closed', count);
  }

  /** So many of those an agent was to ask ended before it had heard of it. */
  goneUnheard(count: number): void {
    this.#move('leaving', 'leftByThemselves', count);
  }

  /** So many that were to be asked will not be. */
  unasked(count: number): void {
    this.#move('leaving', 'waiting', count);
  }

  /** So many of the waiting are no longer what the operation is about. */
  dropped(count: number): void {
    this.#counts.waiting -= Math.min(count, this.#counts.waiting);
  }

  /** So many clients came back; more than were shed are not believed. */
  cameBack(count: number): void {
    const { closed, cut, refusedByPeer, leaving } = this.#counts;
    this.#returned = Math.min(this.#returned + count, closed + cut + refusedByPeer + leaving);
  }

  /** The balancer that carried them has ended, and so have they. */
  lost(): void {
    this.#move('leaving', 'leftByThemselves', this.#counts.leaving);
    this.#move('waiting', 'leftByThemselves', this.#counts.waiting);
  }

  view(): OperationProgress {
    const total = Object.values(this.#counts).reduce((sum, each) => sum + each, 0);
    return { total, ...this.#counts, returned: this.#returned };
  }

  #move(from: Part, to: Part, count: number): void {
    const moved = Math.min(count, this.#counts[from]);
    this.#counts[from] -= moved;
    this.#counts[to] += moved;
  }
}
