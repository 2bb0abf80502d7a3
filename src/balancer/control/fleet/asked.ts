// Rebalances that operators have asked of this balancer while another one leads: repeated until the leader tells of
// them, and given up when nobody does.
import type { Clock } from '../../../core/clock.ts';
import type { RebalanceRequest } from '../../../protocol/operations.ts';
import type { AskWord } from '../../../protocol/order-words.ts';
import type { Operations } from '../operations.ts';
import type { Asker } from '../ports.ts';
import { AskedRebalance } from './asked-rebalance.ts';
import type { Fleet } from './fleet.ts';

const keptIds = 100;

/** What it is made with. */
export interface AskedDeps {
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly operations: Operations;
  /** This balancer leads by now: it runs what it was asked itself. */
  readonly runHere: (pool: string, ask: AskWord) => void;
  /** One has been given up. */
  readonly ended: (entry: AskedRebalance) => void;
}

/** Asks under way. */
export class Asked {
  readonly #deps: AskedDeps;
  readonly #waiting = new Map<string, AskedRebalance>();
  /** Who hears of one of these after all must end it: the operator was told that nothing was done. */
  readonly #givenUp = new Set<string>();

  constructor(deps: AskedDeps) {
    this.#deps = deps;
  }

  /** Asks whoever leads. */
  ask(pool: string, { ratePerSecond = 0, why = '' }: RebalanceRequest, { by }: Asker): AskedRebalance {
    const { fleet, clock, operations } = this.#deps;
    const operation = operations.newId('rebalance');
    const to = fleet.leader() ?? '';
    const entry = new AskedRebalance({ operation, pool, to, ratePerSecond, by, why }, clock);
    this.#waiting.set(entry.id, entry);
    operations.add(entry);
    fleet.say(pool, entry.word());
    return entry;
  }

  /** The one of this pool that waits. */
  waitingIn(pool: string): string | undefined {
    return [...this.#waiting.values()].find((entry) => entry.pool === pool)?.id;
  }

  /** The leader tells of it. False when it must be ended, since it was given up. */
  answered(id: string): boolean {
    if (this.#waiting.delete(id)) this.#deps.operations.drop(id);
    return !this.#givenUp.has(id);
  }

  /** Once a second. */
  tick(): void {
    for (const entry of this.#waiting.values()) this.#repeat(entry);
  }

  #repeat(entry: AskedRebalance): void {
    const { fleet, operations, runHere, ended } = this.#deps;
    if (entry.isForgotten) entry.giveUp();
    if (!entry.isRunning) {
      this.#waiting.delete(entry.id);
      this.#givenUp.add(entry.id);
      const [oldest] = this.#givenUp;
      if (this.#givenUp.size > keptIds && oldest !== undefined) this.#givenUp.delete(oldest);
      operations.end(entry);
      return ended(entry);
    }
    entry.owner = fleet.leader() ?? entry.owner;
    if (entry.owner !== fleet.selfId) return fleet.say(entry.pool, entry.word());
    this.#waiting.delete(entry.id);
    operations.drop(entry.id);
    runHere(entry.pool, entry.word());
  }
}
