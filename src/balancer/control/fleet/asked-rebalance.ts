// A rebalance that an operator has asked of a balancer that does not lead, until the leader tells of it.
import type { Clock } from '../../../core/clock.ts';
import { isoTime } from '../../../protocol/iso-time.ts';
import type { Operation, OperationState } from '../../../protocol/operations.ts';
import type { AskWord } from '../../../protocol/order-words.ts';
import { pastOperation, type OperationEntry } from '../operations.ts';
import { nothingDone } from './parts.ts';

// Two beats of the leader, and the time in which another one may begin to lead.
const patienceMs = 8000;

/** What is told of one that was not begun, by the leader. */
export function notBegun(
  { operation, by, why }: AskWord,
  answer: { readonly pool: string; readonly state: OperationState; readonly reason: string },
  wallMs: number,
): OperationEntry {
  const at = isoTime(wallMs);
  const instants = { startedAt: at, endedAt: at, deadlineAt: null };
  const about = { id: operation, kind: 'rebalance', nodes: [], by, why, ...answer, ...instants } as const;
  return pastOperation({ ...about, ...nothingMoved });
}

const nothingMoved = {
  etaMs: null,
  ratePerSecond: 0,
  progress: nothingDone.progress,
  imbalance: { before: null, now: null, predicted: null },
} as const;

/** The wish as an operation. */
export class AskedRebalance implements OperationEntry {
  readonly id: string;
  readonly pool: string;
  /** Who is asked. */
  owner: string;
  readonly #ask: Omit<AskWord, 'to' | 'kind'>;
  readonly #clock: Clock;
  readonly #startedWallMs: number;
  readonly #askedAtMs: number;
  #state: OperationState = 'running';
  #reason = '';
  #endedWallMs: number | undefined;

  constructor(ask: Omit<AskWord, 'kind'> & { readonly pool: string }, clock: Clock) {
    this.id = ask.operation;
    this.pool = ask.pool;
    this.owner = ask.to;
    const { operation, ratePerSecond, by, why } = ask;
    this.#ask = { operation, ratePerSecond, by, why };
    this.#clock = clock;
    this.#startedWallMs = clock.wallMs();
    this.#askedAtMs = clock.nowMs();
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** Nobody has answered for so long that nobody will. */
  get isForgotten(): boolean {
    return this.#clock.nowMs() - this.#askedAtMs >= patienceMs;
  }

  /** What is said, to whoever leads now. */
  word(): AskWord {
    return { kind: 'ask', to: this.owner, ...this.#ask };
  }

  /** The leader has not answered. */
  giveUp(): void {
    this.#end('stopped', `balancer '${this.owner}', which leads, did not answer: nothing was moved`);
  }

  cancel(reason: string): void {
    this.#end('cancelled', reason);
  }

  view(): Operation {
    const { by, why, ratePerSecond } = this.#ask;
    return {
      id: this.id,
      kind: 'rebalance',
      owner: this.owner,
      pool: this.pool,
      nodes: [],
      state: this.#state,
      reason: this.isRunning ? `waits for balancer '${this.owner}', which leads` : this.#reason,
      by,
      why,
      startedAt: isoTime(this.#startedWallMs),
      endedAt: this.#endedWallMs === undefined ? null : isoTime(this.#endedWallMs),
      deadlineAt: null,
      ...nothingMoved,
      ratePerSecond: this.isRunning ? ratePerSecond : 0,
    };
  }

  #end(state: OperationState, reason: string): void {
    if (!this.isRunning) return;
    this.#state = state;
    this.#reason = reason;
    this.#endedWallMs = this.#clock.wallMs();
  }
}
