// What this balancer has shed for a rebalance that another one runs.
import type { OperationState } from '../../../protocol/operations.ts';
import type { OrderWord, PartNode, PartWord } from '../../../protocol/order-words.ts';
import type { GoodbyeOutcome } from '../../state/ports.ts';
import { Progress } from '../progress.ts';

// The leader gives each balancer one order for each node, and hears of it within a second.
const keptDone = 50;

/** Placements since the start of the process. */
export interface Placements {
  readonly placed: number;
  readonly failed: number;
}

/** A part with a lifetime: orders come, until its operation is over. */
export class OrderedPart {
  readonly operation: string;
  readonly pool: string;
  readonly owner: string;
  readonly progress = new Progress();
  readonly #nodes = new Map<string, { asked: number; relief: number; leaving: number }>();
  readonly #atFirst: Placements;
  #done: string[] = [];
  #state: OperationState = 'running';

  constructor(
    about: { readonly operation: string; readonly pool: string; readonly owner: string },
    atFirst: Placements,
  ) {
    this.operation = about.operation;
    this.pool = about.pool;
    this.owner = about.owner;
    this.#atFirst = atFirst;
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** Nothing of it changes any more. */
  get isSettled(): boolean {
    return !this.isRunning && this.progress.leaving === 0;
  }

  hasDone(order: string): boolean {
    return this.#done.includes(order);
  }

  /** These are asked now, as an order says; each by the utilization that it causes. The answer hears what came of each. */
  take(
    { id, node }: OrderWord,
    asked: ReadonlyMap<number, number>,
  ): (connection: number, outcome: GoodbyeOutcome) => void {
    this.#done = [...this.#done, id].slice(-keptDone);
    const row = this.#nodes.get(node) ?? { asked: 0, relief: 0, leaving: 0 };
    this.#nodes.set(node, row);
    const relief = [...asked.values()].reduce((sum, each) => sum + each, 0);
    row.asked += asked.size;
    row.relief += relief;
    row.leaving += relief;
    this.progress.found(asked.size);
    this.progress.asked(asked.size);
    return (connection, outcome) => {
      row.leaving = Math.max(0, row.leaving - (asked.get(connection) ?? 0));
      this.progress.settled(outcome);
    };
  }

  /** Takes no more orders. */
  end(state: OperationState): void {
    if (this.isRunning) this.#state = state;
  }

  /** As the others hear of it. */
  word(now: Placements): PartWord {
    return {
      kind: 'part',
      operation: this.operation,
      of: 'rebalance',
      state: this.#state,
      progress: this.progress.view(),
      ratePerSecond: 0,
      nodes: [...this.#nodes].map(([id, row]) => rounded(id, row)),
      done: this.#done,
      placed: now.placed - this.#atFirst.placed,
      failed: now.failed - this.#atFirst.failed,
    };
  }
}

function rounded(id: string, { asked, relief, leaving }: Omit<PartNode, 'id'>): PartNode {
  return { id, asked, relief: sixDigits(relief), leaving: sixDigits(leaving) };
}

/** A millionth of a utilization is no connection. */
function sixDigits(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
