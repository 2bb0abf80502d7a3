// Every operation that runs, and the last ones that are over. What an operation does is its own business.
import type { Clock } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import { meantHint } from '../../core/nearest.ts';
import type { Rng } from '../../core/rng.ts';
import type { Operation } from '../../protocol/operations.ts';

/** An operation with a lifetime; a drain or a rebalance. */
export interface OperationEntry {
  readonly id: string;
  /** As it stands now. Numbers may still change when it is over: goodbyes that were said have outcomes later. */
  view(): Operation;
  /** Ends it, if it runs. */
  cancel(reason: string): void;
}

/** How many that are over are kept. */
export const keptOperations = 100;

/** How many operations of one kind ended in one state. */
export interface EndedCount {
  readonly pool: string;
  readonly kind: Operation['kind'];
  readonly state: Operation['state'];
  count: number;
}

/** The operations of a balancer. */
export class Operations {
  readonly #deps: { clock: Clock; rng: Rng };
  readonly #running = new Map<string, OperationEntry>();
  readonly #ended = new Map<string, EndedCount>();
  #over: OperationEntry[] = [];
  /** Another number whenever one begins or ends. */
  revision = 0;

  constructor(deps: { clock: Clock; rng: Rng }) {
    this.#deps = deps;
  }

  /** An id that no operation had before, by date and chance: `drain-mb2k1x9c-4f7q`. */
  newId(kind: Operation['kind']): string {
    const { clock, rng } = this.#deps;
    const chance = Math.floor(rng.next() * 36 ** 4).toString(36);
    return `${kind}-${Math.floor(clock.wallMs()).toString(36)}-${chance.padStart(4, '0')}`;
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Takes one in: among the running, or, when it is over already, among those. */
  add(entry: OperationEntry): void {
    this.revision += 1;
    if (entry.view().state === 'running') this.#running.set(entry.id, entry);
    else this.#keep(entry);
  }

  /** Says that a running one is over. */
  end(entry: OperationEntry): void {
    if (!this.#running.delete(entry.id)) return;
    this.revision += 1;
    const { pool, kind, state } = entry.view();
    const key = `${pool} ${kind} ${state}`;
    const known = this.#ended.get(key);
    if (known === undefined) this.#ended.set(key, { pool, kind, state, count: 1 });
    else known.count += 1;
    this.#keep(entry);
  }

  /** Running first, then the newest. */
  list(): readonly Operation[] {
    return [...[...this.#running.values()].toReversed(), ...this.#over].map((entry) => entry.view());
  }

  /** HERALD_OPERATION_UNKNOWN, with the nearest id. */
  get(id: string): OperationEntry {
    const found = this.#running.get(id) ?? this.#over.find((entry) => entry.id === id);
    if (found !== undefined) return found;
    const ids = [...this.#running.keys(), ...this.#over.map((entry) => entry.id)];
    const message = `there is no operation '${id}'${meantHint(id, ids)}; the last ${keptOperations} are kept`;
    throw new HeraldError('HERALD_OPERATION_UNKNOWN', message, { operation: id });
  }

  /** How many ended since the start, for metrics. */
  endedCounts(): Iterable<EndedCount> {
    return this.#ended.values();
  }

  #keep(entry: OperationEntry): void {
    this.#over = [entry, ...this.#over].slice(0, keptOperations);
  }
}

/** An operation that was over before this process began. */
export function pastOperation(operation: Operation): OperationEntry {
  return { id: operation.id, view: () => operation, cancel() {} };
}
