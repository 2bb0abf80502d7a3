// How often one request has been tried, where, and whether it may go to one more node.
import type { Rng } from '../../core/rng.ts';
import type { Problem } from '../../protocol/problem.ts';
import { isRepeatable } from './failure.ts';
import { unreachable, type LastFailure } from './problems.ts';

/** The attempts of one exchange. */
export class Attempts {
  /** Ids of nodes that have failed. */
  readonly failedNodes = new Set<string>();
  #count = 0;
  #resets = 0;
  #problem: Problem | undefined;

  /** One more node is asked. */
  begin(): void {
    this.#count++;
  }

  /** It has failed; gives what the client is told when it was the last one. */
  fail(nodeId: string, failure: Omit<LastFailure, 'attempts'>, rng: Rng): Problem {
    this.failedNodes.add(nodeId);
    if (failure.reason === 'reset') this.#resets++;
    return (this.#problem = unreachable({ ...failure, attempts: this.#count }, rng));
  }

  /** Whether another node may be asked after `error`, when a policy allows so many attempts in all. */
  mayGoOn(limit: number, method: string, error: unknown): boolean {
    return this.#count < limit && isRepeatable(method, error, this.#resets);
  }

  /** What the client is told of the failures; undefined while there is none. */
  get problem(): Problem | undefined {
    return this.#problem;
  }
}
