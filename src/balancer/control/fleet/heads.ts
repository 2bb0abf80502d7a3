// Operations that other balancers run, as they tell of them.
import type { Clock } from '../../../core/clock.ts';
import { isoTime } from '../../../protocol/iso-time.ts';
import type { Operation } from '../../../protocol/operations.ts';
import type { HeadWord } from '../../../protocol/order-words.ts';
import { keptOperations } from '../operations.ts';

/** One of them. */
export interface Head {
  readonly owner: string;
  readonly operation: Operation;
  /** Nodes that take nothing meanwhile. */
  readonly shedding: readonly string[];
  /** Whoever ran it was gone before it said how it ended. */
  readonly wasLeft: boolean;
  /** An operator has ended it here, and its owner has not said so yet. */
  readonly cancelled: { readonly reason: string; readonly endedAt: string } | undefined;
}

/** What a word has changed. `began`: it was not known before. `ended`: it was running here until now. */
export interface HeadChange {
  readonly head: Head;
  readonly began: boolean;
  readonly ended: boolean;
}

// Several times as many as balancers usually run at once: a broken one must not fill the memory of the others.
const mostHeads = 5 * keptOperations;

/** What is known of them. */
export class Heads {
  readonly #clock: Clock;
  readonly #heads = new Map<string, Head>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(id: string): Head | undefined {
    return this.#heads.get(id);
  }

  all(): readonly Head[] {
    return [...this.#heads.values()];
  }

  /** Takes a word over. */
  hear(owner: string, pool: string, word: HeadWord): HeadChange {
    const { id, state } = word.operation;
    const known = this.#heads.get(id);
    const head = {
      owner,
      operation: { ...word.operation, owner, pool },
      shedding: word.shedding,
      cancelled: known?.cancelled,
      wasLeft: false,
    };
    this.#heads.delete(id);
    this.#heads.set(id, head);
    this.#forget();
    const wasRunning = known?.operation.state === 'running';
    return { head, began: known === undefined, ended: wasRunning && state !== 'running' };
  }

  /** It goes on as part of another one. */
  forget(id: string): void {
    this.#heads.delete(id);
  }

  /** An operator ends it here: shown as cancelled from now on, whatever its owner is heard to say before it knows. */
  cancel(id: string, reason: string): void {
    const head = this.#heads.get(id);
    if (head === undefined) return;
    const endedAt = isoTime(this.#clock.wallMs());
    this.#heads.set(id, { ...head, cancelled: head.cancelled ?? { reason, endedAt } });
  }

  /** A balancer is gone. The operations that it ran, which have come to an end here with it. */
  ownerGone(owner: string): readonly Head[] {
    const left = this.all().filter((head) => head.owner === owner && head.operation.state === 'running');
    for (const head of left) this.#heads.set(head.operation.id, this.#ended(head));
    return left.map(({ operation: { id } }) => this.#heads.get(id)).filter((head) => head !== undefined);
  }

  /** As the API shows it. */
  view({ operation, cancelled }: Head): Operation {
    if (cancelled === undefined || operation.state !== 'running') return operation;
    return { ...operation, state: 'cancelled', etaMs: null, ratePerSecond: 0, ...cancelled };
  }

  #ended(head: Head): Head {
    const { reason, endedAt } = head.cancelled ?? {
      reason: `balancer '${head.owner}', which ran it, is gone`,
      endedAt: isoTime(this.#clock.wallMs()),
    };
    const state = head.cancelled === undefined ? 'stopped' : 'cancelled';
    const operation = { ...head.operation, state, reason, endedAt, etaMs: null, ratePerSecond: 0 } as const;
    return { ...head, operation, shedding: [], wasLeft: true };
  }

  /** Those heard of longest ago go first, running ones last. */
  #forget(): void {
    const over = this.all().filter(({ operation }) => operation.state !== 'running');
    const tooMany = Math.max(over.length - keptOperations, this.#heads.size - mostHeads);
    for (const { operation } of [...over, ...this.all()].slice(0, Math.max(0, tooMany)))
      this.#heads.delete(operation.id);
  }
}
