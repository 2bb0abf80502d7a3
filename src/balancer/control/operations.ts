// Every operation that runs, and the last ones that are over. What an operation does is its own business.
import type { Clock } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import { meantHint } from '../../core/nearest.ts';
import type { Rng } from '../../core/rng.ts';
import type { Operation, OperationProgress } from '../../protocol/operations.ts';

/** An operation with a lifetime; a drain or a rebalance. */
export interface OperationEntry {
  readonly id: string;
  /** The balancer that runs it; undefined: this one. */
  readonly owner?: string | undefined;
  /** What this balancer itself has done of it, where others have a part; absent: all of it. */
  readonly ownProgress?: OperationProgress;
  /** Connections per second that this balancer itself sheds for it now; absent: none. */
  readonly ownRatePerSecond?: number;
  /** Nodes that take nothing meanwhile, of a rebalance. */
  readonly shedding?: readonly string[];
  /** As it stands now, all balancers together. Numbers may still change when it is over: goodbyes have outcomes later. */
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
  readonly #renamed = new Map<string, string>();
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

  /** Those that run here. */
  get running(): readonly OperationEntry[] {
    return [...this.#running.values()];
  }

  /** Running first, then the newest. */
  get entries(): readonly OperationEntry[] {
    return [...this.running.toReversed(), ...this.#over];
  }

  /** Takes one in: among the running, or, when it is over already, among those. */
  add(entry: OperationEntry): void {
    this.revision += 1;
    // One that is over here and that another balancer goes on with.
    this.#over = this.#over.filter(({ id }) => id !== entry.id);
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

  /** Forgets one that another balancer has taken over. */
  drop(id: string): void {
    if (this.#running.delete(id)) this.revision += 1;
  }

  /** A running one has another id from now on; the old one still finds it. */
  rename(entry: OperationEntry, before: string): void {
    if (!this.#running.delete(before)) return;
    this.#running.set(entry.id, entry);
    this.noteRename(before, entry.id);
    this.revision += 1;
  }

  /** An operation is found by its old id, too; also one that another balancer runs. */
  noteRename(before: string, now: string): void {
    this.#renamed.set(before, now);
    const [oldest] = this.#renamed.keys();
    if (this.#renamed.size > keptOperations && oldest !== undefined) this.#renamed.delete(oldest);
  }

  /** The id by which an operation is listed that was begun by this one. */
  idNow(id: string): string {
    return this.#renamed.get(id) ?? id;
  }

  /** Running first, then the newest. */
  list(): readonly Operation[] {
    return this.entries.map((entry) => entry.view());
  }

  /** The same as `get`, undefined where there is none. */
  find(id: string): OperationEntry | undefined {
    const now = this.idNow(id);
    return this.#running.get(now) ?? this.#over.find((entry) => entry.id === now);
  }

  /** HERALD_OPERATION_UNKNOWN, with the nearest id. */
  get(id: string): OperationEntry {
    const found = this.find(id);
    if (found !== undefined) return found;
    const ids = this.entries.map((entry) => entry.id);
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
  return { id: operation.id, owner: operation.owner, view: () => operation, cancel() {} };
}
