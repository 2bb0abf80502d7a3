// What a worker says to the main process: what it carries, what it has counted, which connections are open.
import type { Clock, Timer } from '../../core/clock.ts';
import type { CountedSeries } from '../../protocol/workers.ts';
import type { PoolState } from '../state/pool-state.ts';
import type { DataPlane, OpenConnections } from '../state/ports.ts';
import {
  connectionKinds,
  type CarriedInPool,
  type CarriedRow,
  type ConnectionRows,
  type FromWorker,
  type WorkerUse,
} from './messages.ts';

/** What it is made of. */
export interface SayingParts {
  readonly clock: Clock;
  readonly pools: ReadonlyMap<string, PoolState>;
  readonly dataPlane: DataPlane;
  readonly openCount: () => number;
  /** What others have to know of the clients of each listener and have not been told; taken for told then. */
  readonly takeClientNews: () => (FromWorker & { type: 'clients' })['listeners'];
  /** Bytes that wait for slow clients. */
  readonly waitingBytes: () => number;
  /** Counters of the process, as they stand. */
  readonly counted: () => readonly CountedSeries[];
  /** What the process cost since it was last asked. */
  readonly use: () => WorkerUse;
  readonly send: (message: FromWorker) => void;
}

const tickMs = 100;
const ticksPerWhole = 10;
const lookEveryMs = 2000;
const watchedLookEveryMs = 500;
const watchedForMs = 10_000;
// A part of a look takes a third of a millisecond; between two of them bytes have their turn.
const rowsPerPart = 2048;

/** Says it, from `start` to `stop`. */
export class Saying {
  readonly #parts: SayingParts;
  readonly #saidConnections = new Map<string, number>();
  readonly #arrivals = new Map<string, number>();
  readonly #lookedAtMs = new Map<string, number>();
  readonly #watchedUntilMs = new Map<string, number>();
  #timer: Timer | undefined;
  readonly #waiting: string[] = [];
  #turn: Timer | undefined;
  #ticks = 0;
  #looks = 0;

  constructor(parts: SayingParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#tick();
    this.#timer = this.#parts.clock.repeat(tickMs, () => this.#tick());
  }

  /** Says everything once more, and nothing after it. */
  stop(): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    this.#turn?.cancel();
    this.#sayCarried(true);
    this.#sayFigures();
  }

  /** Somebody wants connections of this pool newer than usual. */
  watch(pool: string): void {
    this.#watchedUntilMs.set(pool, this.#parts.clock.nowMs() + watchedForMs);
    // Whoever has begun to watch has nothing yet: the next tick looks.
    this.#lookedAtMs.delete(pool);
  }

  #tick(): void {
    const isWhole = this.#ticks % ticksPerWhole === 0;
    this.#ticks += 1;
    const listeners = this.#parts.takeClientNews();
    if (listeners.length > 0) this.#parts.send({ type: 'clients', listeners });
    this.#sayCarried(isWhole);
    if (isWhole) this.#sayFigures();
    this.#lookWhereDue();
  }

  #sayFigures(): void {
    const { counted, use, waitingBytes, send } = this.#parts;
    send({ type: 'figures', counted: counted(), use: use(), waitingBytes: waitingBytes() });
  }

  #sayCarried(isWhole: boolean): void {
    const { pools, send, openCount } = this.#parts;
    if (isWhole) this.#saidConnections.clear();
    const said = [...pools.values()].flatMap((pool) => this.#carriedIn(pool, isWhole) ?? []);
    if (said.length > 0) send({ type: 'carried', isWhole, openCount: openCount(), pools: said });
  }

  #carriedIn(pool: PoolState, isWhole: boolean): CarriedInPool | undefined {
    const nodes = this.#rowsOf(pool, isWhole);
    const { total } = pool.arrivals;
    const arrivals = total - (this.#arrivals.get(pool.name) ?? 0);
    this.#arrivals.set(pool.name, total);
    if (!isWhole && nodes.length === 0 && arrivals === 0) return undefined;
    return {
      pool: pool.name,
      arrivals,
      arrivalsPerSecond: pool.arrivals.perSecond,
      meanMessagesPerSecond: pool.table.meanMessagesPerSecond,
      nodes,
      admission: pool.admission.figures(),
      affinities: { ...pool.affinities },
    };
  }

  #rowsOf({ name, nodes }: PoolState, isWhole: boolean): readonly CarriedRow[] {
    const rows: CarriedRow[] = [];
    for (const [id, { counters }] of nodes) {
      const key = `${name} ${id}`;
      const { ownConnections, placedTotal } = counters;
      const isSame = (this.#saidConnections.get(key) ?? 0) === ownConnections;
      if (isWhole ? placedTotal === 0 : isSame) continue;
      this.#saidConnections.set(key, ownConnections);
      rows.push([
        id,
        counters.open,
        counters.dialling,
        counters.messagesPerSecond,
        counters.openedTotal,
        placedTotal,
        counters.failedTotal,
        counters.messagesToNodeTotal,
        counters.messagesToClientTotal,
        counters.bytesToNodeTotal,
        counters.bytesToClientTotal,
      ]);
    }
    return rows;
  }

  #lookWhereDue(): void {
    const nowMs = this.#parts.clock.nowMs();
    for (const pool of this.#parts.pools.keys()) {
      const isWatched = nowMs < (this.#watchedUntilMs.get(pool) ?? -Infinity);
      const everyMs = isWatched ? watchedLookEveryMs : lookEveryMs;
      if (nowMs - (this.#lookedAtMs.get(pool) ?? -Infinity) < everyMs) continue;
      this.#lookedAtMs.set(pool, nowMs);
      if (!this.#waiting.includes(pool)) this.#waiting.push(pool);
    }
    if (this.#turn === undefined) this.#lookAtNext();
  }

  /** One pool after the other: looks at a large one must not pile up. */
  #lookAtNext(): void {
    const pool = this.#waiting.shift();
    if (pool === undefined) return;
    this.#looks += 1;
    this.#sayPart({ pool, look: this.#looks, open: this.#parts.dataPlane.connections(pool) }, 0);
  }

  #sayPart(look: { pool: string; look: number; open: OpenConnections }, from: number): void {
    const { open, ...about } = look;
    const to = Math.min(open.size, from + rowsPerPart);
    const isLast = to === open.size;
    this.#parts.send({ type: 'connections', ...about, isLast, ...partOf(open, from, to) });
    this.#turn = undefined;
    if (isLast) this.#lookAtNext();
    else this.#turn = this.#parts.clock.schedule(0, () => this.#sayPart(look, to));
  }
}

function partOf(
  open: OpenConnections,
  from: number,
  to: number,
): Omit<ConnectionRows, 'pool' | 'look' | 'isLast'> {
  const indexOf = new Map<string, number>();
  const node = new Uint16Array(to - from);
  const kind = new Uint8Array(to - from);
  for (let row = from; row < to; row += 1) {
    const id = open.nodeId[row] ?? '';
    const index = indexOf.get(id) ?? indexOf.size;
    indexOf.set(id, index);
    node[row - from] = index;
    kind[row - from] = connectionKinds.indexOf(open.kind[row] ?? 'tcp');
  }
  return {
    id: open.id.slice(from, to),
    node,
    nodes: [...indexOf.keys()],
    kind,
    ageMs: open.ageMs.slice(from, to),
    messagesPerSecond: Float32Array.from(open.messagesPerSecond.subarray(from, to)),
    bytesPerSecond: Float32Array.from(open.bytesPerSecond.subarray(from, to)),
    isLeaving: open.isLeaving.slice(from, to),
    inCooldown: open.inCooldown.slice(from, to),
  };
}
