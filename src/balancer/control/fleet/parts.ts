// What the other balancers have done of each operation, by what they last said, and the sums of it.
import type { OperationProgress, OperationState } from '../../../protocol/operations.ts';
import type { PartWord } from '../../../protocol/order-words.ts';

/** What all others have done of one operation. */
export interface OthersDone {
  readonly progress: OperationProgress;
  /** Connections per second now. */
  readonly ratePerSecond: number;
  /** Somebody who is here has not come to the end of its part. */
  readonly isAtWork: boolean;
  /** At the deadline somebody was left. */
  readonly isPastDeadline: boolean;
}

const nobody: OperationProgress = {
  total: 0,
  waiting: 0,
  leaving: 0,
  closed: 0,
  cut: 0,
  refusedByPeer: 0,
  leftByThemselves: 0,
  returned: 0,
};

/** Of an operation that no other balancer takes part in. */
export const nothingDone: OthersDone = {
  progress: nobody,
  ratePerSecond: 0,
  isAtWork: false,
  isPastDeadline: false,
};

// As many as operations are kept, and some that run.
const keptOperations = 200;

interface Part {
  readonly state: OperationState;
  readonly progress: OperationProgress;
  readonly ratePerSecond: number;
}

/** Parts of operations by balancer. */
export class Parts {
  readonly #operations = new Map<string, Map<string, Part>>();

  /** Takes a word over. How many were shed that were not before, 0 or more. */
  hear(from: string, { operation, state, progress, ratePerSecond }: PartWord): number {
    const parts = this.#operations.get(operation) ?? new Map<string, Part>();
    const before = parts.get(from);
    parts.set(from, { state, progress, ratePerSecond });
    this.#operations.set(operation, parts);
    const [oldest] = this.#operations.keys();
    if (this.#operations.size > keptOperations && oldest !== undefined) this.#operations.delete(oldest);
    return Math.max(0, shedIn(progress) - (before === undefined ? 0 : shedIn(before.progress)));
  }

  /** A balancer has ended, and with it what it carried: what it had done stays, nobody waits for the rest. */
  peerGone(peer: string): void {
    for (const parts of this.#operations.values()) {
      const part = parts.get(peer);
      if (part === undefined || part.state !== 'running') continue;
      const { waiting, leaving, leftByThemselves } = part.progress;
      const left = { waiting: 0, leaving: 0, leftByThemselves: leftByThemselves + waiting + leaving };
      parts.set(peer, { state: 'done', progress: { ...part.progress, ...left }, ratePerSecond: 0 });
    }
  }

  /** Everything that others have done of one. */
  othersOf(operation: string): OthersDone {
    const parts = [...(this.#operations.get(operation)?.values() ?? [])];
    if (parts.length === 0) return nothingDone;
    return {
      progress: parts.map(({ progress }) => progress).reduce(sumOfProgress, nobody),
      ratePerSecond: parts.reduce((sum, part) => sum + part.ratePerSecond, 0),
      isAtWork: parts.some(({ state, progress }) => state === 'running' || progress.leaving > 0),
      isPastDeadline: parts.some(({ state }) => state === 'deadline'),
    };
  }
}

/** Both together. */
export function sumOfProgress(a: OperationProgress, b: OperationProgress): OperationProgress {
  return {
    total: a.total + b.total,
    waiting: a.waiting + b.waiting,
    leaving: a.leaving + b.leaving,
    closed: a.closed + b.closed,
    cut: a.cut + b.cut,
    refusedByPeer: a.refusedByPeer + b.refusedByPeer,
    leftByThemselves: a.leftByThemselves + b.leftByThemselves,
    returned: a.returned + b.returned,
  };
}

/** Those that were asked to leave and did not go by themselves first. */
export function shedIn({ closed, cut, refusedByPeer, leaving }: OperationProgress): number {
  return closed + cut + refusedByPeer + leaving;
}
