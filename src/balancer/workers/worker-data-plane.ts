// The data plane of the main process when workers relay: their connections as they list them, and goodbyes by message.
import type { Clock } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import type { PoolState } from '../state/pool-state.ts';
import { columnsFor, fillUtilization, type Columns } from '../state/relay-data-plane.ts';
import type { ConnectionKind, DataPlane, OpenConnections, ShedRequest } from '../state/ports.ts';
import { connectionKinds, type ConnectionRows, type SettledRow, type ShedOrder } from './messages.ts';
import { Mirror } from './mirror.ts';

/** Most workers that a machine may have; a part of a connection's id says whose it is. */
export const maxWorkers = 64;

/** What the data plane says to workers. */
export interface WorkerLine {
  /** Numbers of the workers that live. */
  living(): readonly number[];
  shed(worker: number, orders: readonly ShedOrder[]): void;
  watch(pool: string): void;
}

/** What it is made with. */
export interface WorkerDataPlaneDeps {
  readonly pools: ReadonlyMap<string, PoolState>;
  readonly clock: Clock;
  readonly line: WorkerLine;
}

interface Call {
  readonly request: ShedRequest;
  readonly worker: number;
  readonly open: Set<number>;
}

// Who listens to what a pool has wants it newer than every other second for so long.
const watchEveryMs = 4000;
// Clients that are asked to leave by one worker may come back to another, which has to know.
const tellReturnsEveryMs = 1000;
const refreshWithinMs = 1500;

/** The data plane over the workers of this machine. */
export class WorkerDataPlane implements DataPlane {
  readonly capabilities = { ways: ['close'], listsConnections: true, takesShares: false } as const;
  readonly #deps: WorkerDataPlaneDeps;
  readonly #mirror = new Mirror();
  readonly #calls = new Map<number, Call>();
  /** Asked to leave, by pool: the workers' lists say so only with the next look. */
  readonly #asked = new Map<string, Set<number>>();
  readonly #watchedAtMs = new Map<string, number>();
  readonly #toldReturnsAtMs = new Map<string, number>();
  readonly #refreshes = new Map<string, Set<(worker: number) => void>>();
  #queued = new Map<number, ShedOrder[]>();
  #lastCall = 0;

  constructor(deps: WorkerDataPlaneDeps) {
    this.#deps = deps;
  }

  connections(name: string, nodeId?: string): OpenConnections {
    const pool = this.#deps.pools.get(name);
    this.#watch(name);
    const nowMs = this.#deps.clock.nowMs();
    const looks = [...this.#mirror.looksAt(name)];
    const columns = columnsFor(
      looks.reduce((sum, [worker, { parts }]) => sum + this.#countOf(worker, parts, nodeId), 0),
    );
    let row = 0;
    for (const [worker, { parts, takenAtMs }] of looks)
      for (const part of parts)
        row = this.#copy(columns, row, { part, worker, nodeId, olderByMs: nowMs - takenAtMs });
    if (pool !== undefined) fillUtilization(columns, pool, nowMs);
    return columns;
  }

  /** Resolves when every worker has listed the pool anew, or after a second and a half. */
  async refresh(pool: string): Promise<void> {
    const waitsFor = new Set(this.#deps.line.living());
    if (waitsFor.size === 0) return;
    this.#watchedAtMs.delete(pool);
    this.#watch(pool);
    await new Promise<void>((resolve) => {
      const waiting = this.#refreshes.get(pool) ?? new Set();
      this.#refreshes.set(pool, waiting);
      const end = () => {
        timer.cancel();
        waiting.delete(hear);
        resolve();
      };
      const hear = (worker: number) => {
        waitsFor.delete(worker);
        if (waitsFor.size === 0) end();
      };
      const timer = this.#deps.clock.schedule(refreshWithinMs, end);
      waiting.add(hear);
    });
  }

  shed(request: ShedRequest): void {
    if (request.way !== undefined && request.way !== 'close')
      throw new HeraldError('HERALD_INTERNAL', `the relay cannot shed by '${request.way}'`);
    const byWorker = new Map<number, number[]>();
    for (let i = 0; i < request.connectionIds.length; i += 1) {
      const id = request.connectionIds[i] ?? -1;
      const worker = id % maxWorkers;
      const ids = byWorker.get(worker);
      if (ids === undefined) byWorker.set(worker, [id]);
      else ids.push(id);
    }
    const living = new Set(this.#deps.line.living());
    for (const [worker, ids] of byWorker)
      if (living.has(worker)) this.#order(request, worker, ids);
      else for (const id of ids) request.settled?.(id, 'alreadyGone');
    this.#tellReturns(
      request,
      [...living].filter((worker) => !byWorker.has(worker)),
    );
  }

  applyShares(): void {
    // Every connection asks its worker's placement, which has them already.
  }

  /** A worker has listed some of its connections. */
  hearConnections(worker: number, part: ConnectionRows): void {
    if (!this.#mirror.hear(worker, part, this.#deps.clock.nowMs())) return;
    for (const hear of this.#refreshes.get(part.pool) ?? []) hear(worker);
  }

  /** Goodbyes of a worker have come to something. */
  hearSettled(rows: readonly SettledRow[]): void {
    for (const { call, id, node, kind, outcome } of rows) {
      const found = this.#calls.get(call);
      if (found === undefined) continue;
      const { request, worker, open } = found;
      const known = id * maxWorkers + worker;
      if (!open.delete(known)) continue;
      if (open.size === 0) this.#calls.delete(call);
      this.#asked.get(request.pool)?.delete(known);
      if (outcome !== 'alreadyLeaving') this.#mirror.forget(worker, request.pool, id);
      if (kind !== '') this.#deps.pools.get(request.pool)?.nodes.get(node)?.goodbyes.add(kind, outcome);
      request.settled?.(known, outcome);
    }
  }

  /** A worker has ended: who was asked to leave there was cut off. */
  drop(worker: number): void {
    this.#mirror.drop(worker);
    this.#queued.delete(worker);
    for (const refreshes of this.#refreshes.values()) for (const hear of refreshes) hear(worker);
    for (const [number, { request, worker: of, open }] of this.#calls) {
      if (of !== worker) continue;
      this.#calls.delete(number);
      for (const id of open) {
        this.#asked.get(request.pool)?.delete(id);
        request.settled?.(id, 'cut');
      }
    }
  }

  #watch(pool: string): void {
    const nowMs = this.#deps.clock.nowMs();
    if (nowMs - (this.#watchedAtMs.get(pool) ?? -Infinity) < watchEveryMs) return;
    this.#watchedAtMs.set(pool, nowMs);
    this.#deps.line.watch(pool);
  }

  #order(request: ShedRequest, worker: number, ids: readonly number[]): void {
    this.#lastCall += 1;
    const call = this.#lastCall;
    this.#calls.set(call, { request, worker, open: new Set(ids) });
    const asked = this.#asked.get(request.pool) ?? new Set<number>();
    this.#asked.set(request.pool, asked);
    for (const id of ids) asked.add(id);
    const own = Float64Array.from(ids, (id) => (id - worker) / maxWorkers);
    this.#queue(worker, { call, pool: request.pool, ids: own, goodbye: this.#sent(request) });
  }

  /** Instants of this process's clock mean nothing to another: time left does. */
  #sent({ goodbye }: ShedRequest): ShedOrder['goodbye'] {
    return { ...goodbye, byMs: Math.max(0, goodbye.byMs - this.#deps.clock.nowMs()) };
  }

  #tellReturns(request: ShedRequest, workers: readonly number[]): void {
    const nowMs = this.#deps.clock.nowMs();
    if (nowMs - (this.#toldReturnsAtMs.get(request.pool) ?? -Infinity) < tellReturnsEveryMs) return;
    this.#toldReturnsAtMs.set(request.pool, nowMs);
    const order = { call: 0, pool: request.pool, ids: new Float64Array(0), goodbye: this.#sent(request) };
    for (const worker of workers) this.#queue(worker, order);
  }

  /** A drain asks a thousand one by one, each with a hint of its own: they travel together. */
  #queue(worker: number, order: ShedOrder): void {
    if (this.#queued.size === 0) this.#deps.clock.schedule(0, () => this.#flush());
    const queue = this.#queued.get(worker) ?? [];
    this.#queued.set(worker, queue);
    queue.push(order);
  }

  #flush(): void {
    const queued = this.#queued;
    this.#queued = new Map();
    for (const [worker, orders] of queued) this.#deps.line.shed(worker, orders);
  }

  #countOf(worker: number, parts: readonly ConnectionRows[], nodeId: string | undefined): number {
    let count = 0;
    for (const { pool, id, node, nodes } of parts) {
      const wanted = nodeId === undefined ? -1 : nodes.indexOf(nodeId);
      if (nodeId !== undefined && wanted === -1) continue;
      for (let i = 0; i < id.length; i += 1)
        if ((wanted === -1 || node[i] === wanted) && !this.#mirror.isGone(worker, pool, id[i] ?? 0))
          count += 1;
    }
    return count;
  }

  #copy(columns: Columns, from: number, source: Source): number {
    const { part, worker, nodeId, olderByMs } = source;
    const asked = this.#asked.get(part.pool);
    let row = from;
    for (let i = 0; i < part.id.length; i += 1) {
      const node = part.nodes[part.node[i] ?? 0] ?? '';
      if (nodeId !== undefined && node !== nodeId) continue;
      if (this.#mirror.isGone(worker, part.pool, part.id[i] ?? 0)) continue;
      const id = (part.id[i] ?? 0) * maxWorkers + worker;
      columns.id[row] = id;
      columns.nodeId.push(node);
      columns.kind.push(kindOf(part, i));
      columns.ageMs[row] = (part.ageMs[i] ?? 0) + olderByMs;
      columns.messagesPerSecond[row] = part.messagesPerSecond[i] ?? 0;
      columns.bytesPerSecond[row] = part.bytesPerSecond[i] ?? 0;
      columns.isLeaving[row] = part.isLeaving[i] === 1 || asked?.has(id) === true ? 1 : 0;
      columns.inCooldown[row] = part.inCooldown[i] ?? 0;
      row += 1;
    }
    return row;
  }
}

interface Source {
  readonly part: ConnectionRows;
  readonly worker: number;
  readonly nodeId: string | undefined;
  readonly olderByMs: number;
}

function kindOf(part: ConnectionRows, row: number): ConnectionKind {
  return connectionKinds[part.kind[row] ?? 0] ?? 'tcp';
}
