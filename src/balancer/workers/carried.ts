// What the workers of this machine carry, as they say it: summed into the counts of the main process, which carries
// nothing itself. Whoever reads a node's own counts there reads the machine's.
import type { NodeCounters } from '../../core/node-counters.ts';
import type { AdmissionFigures } from '../state/admission.ts';
import { affinityOutcomes } from '../state/kept-node.ts';
import { noAffinities, type CarriedElsewhere, type PoolState } from '../state/pool-state.ts';
import type { CarriedInPool, CarriedRow, FromWorker } from './messages.ts';

type CarriedMessage = FromWorker & { type: 'carried' };

type Affinities = CarriedElsewhere['affinities'];

interface PoolRows {
  arrivalsPerSecond: number;
  meanMessagesPerSecond: number;
  connections: number;
  admission: AdmissionFigures;
  affinities: Affinities;
  readonly nodes: Map<string, CarriedRow>;
}

/** Columns of a row that only grow. */
const totals = [4, 5, 6, 7, 8, 9, 10] as const;
const firstTotal = 4;

const nothing: CarriedRow = ['', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const noAdmission: AdmissionFigures = {
  waiting: { retry: 0, returning: 0, new: 0 },
  outcomes: { placed: 0, refused: 0, gone: 0 },
  waitedMsTotal: 0,
  isHeld: false,
  isOverfilled: false,
};

/** The sum over the workers, kept in the pools of the main process. */
export class Carried {
  readonly #pools: ReadonlyMap<string, PoolState>;
  readonly #workers = new Map<number, { openCount: number; pools: Map<string, PoolRows> }>();
  /** Totals of workers that have ended, by node record: a record that goes takes them along. */
  readonly #ended = new WeakMap<NodeCounters, number[]>();
  readonly #endedWaits = new Map<string, AdmissionFigures>();
  readonly #endedAffinities = new Map<string, Affinities>();

  constructor(pools: ReadonlyMap<string, PoolState>) {
    this.#pools = pools;
  }

  /** Everything under way in all workers. */
  get openCount(): number {
    return [...this.#workers.values()].reduce((sum, { openCount }) => sum + openCount, 0);
  }

  openCountOf(worker: number): number {
    return this.#workers.get(worker)?.openCount ?? 0;
  }

  /** What a worker last said of a node; all 0 where it has said nothing. */
  rowOf(worker: number, pool: string, node: string): CarriedRow {
    return this.#workers.get(worker)?.pools.get(pool)?.nodes.get(node) ?? nothing;
  }

  /** Placements per second of a worker in a pool, as it last said. */
  arrivalsOf(worker: number, pool: string): number {
    return this.#workers.get(worker)?.pools.get(pool)?.arrivalsPerSecond ?? 0;
  }

  /** Connections and exchanges that all workers but this one have in a pool. */
  connectionsBeside(worker: number, pool: string): number {
    let connections = 0;
    for (const [each, { pools }] of this.#workers)
      if (each !== worker) connections += pools.get(pool)?.connections ?? 0;
    return connections;
  }

  /** Takes a worker's word over. */
  hear(worker: number, { openCount, pools, isWhole }: CarriedMessage): void {
    const known = this.#workers.get(worker) ?? { openCount, pools: new Map<string, PoolRows>() };
    this.#workers.set(worker, known);
    known.openCount = openCount;
    for (const said of pools) this.#hearPool(known.pools, said, isWhole);
  }

  /** A worker has ended: its connections have ended with it, its totals stay. */
  drop(worker: number): void {
    const gone = this.#workers.get(worker);
    this.#workers.delete(worker);
    for (const [name, { nodes, admission, affinities }] of gone?.pools ?? []) {
      const pool = this.#pools.get(name);
      this.#endedWaits.set(name, sumOf([this.#endedWaits.get(name) ?? noAdmission, ended(admission)]));
      this.#endedAffinities.set(name, added([this.#endedAffinities.get(name), affinities]));
      for (const [id, row] of nodes) {
        const counters = pool?.nodes.get(id)?.counters;
        if (counters === undefined) continue;
        const before = this.#ended.get(counters) ?? totals.map(() => 0);
        this.#ended.set(
          counters,
          before.map((value, index) => value + Number(row[index + firstTotal] ?? 0)),
        );
        this.#sumNode(name, id, counters);
      }
      if (pool !== undefined) this.#sumPool(pool);
    }
  }

  #hearPool(pools: Map<string, PoolRows>, said: CarriedInPool, isWhole: boolean): void {
    const { admission, affinities, arrivalsPerSecond, meanMessagesPerSecond } = said;
    const rows = pools.get(said.pool) ?? { ...said, connections: 0, nodes: new Map<string, CarriedRow>() };
    pools.set(said.pool, rows);
    Object.assign(rows, { admission, affinities, arrivalsPerSecond, meanMessagesPerSecond });
    const left = isWhole ? new Set(rows.nodes.keys()) : new Set<string>();
    for (const row of said.nodes) {
      rows.nodes.set(row[0], row);
      left.delete(row[0]);
    }
    for (const id of left) rows.nodes.delete(id);
    const pool = this.#pools.get(said.pool);
    if (pool === undefined) return;
    pool.arrivals.count(said.arrivals);
    for (const id of [...said.nodes.map(([node]) => node), ...left]) {
      const counters = pool.nodes.get(id)?.counters;
      if (counters !== undefined) this.#sumNode(said.pool, id, counters);
    }
    rows.connections = [...rows.nodes.values()].reduce((sum, row) => sum + row[1] + row[2], 0);
    this.#sumPool(pool);
  }

  #sumPool(pool: PoolState): void {
    const parts = [...this.#workers.values()].flatMap(({ pools }) => pools.get(pool.name) ?? []);
    const connections = parts.reduce((sum, part) => sum + part.connections, 0);
    const messages = parts.reduce((sum, part) => sum + part.meanMessagesPerSecond * part.connections, 0);
    pool.elsewhere = {
      meanMessagesPerSecond: connections > 0 ? messages / connections : meanOf(parts),
      admission: sumOf([
        this.#endedWaits.get(pool.name) ?? noAdmission,
        ...parts.map((part) => part.admission),
      ]),
      affinities: added([this.#endedAffinities.get(pool.name), ...parts.map((part) => part.affinities)]),
    };
    pool.markDirty();
  }

  #sumNode(pool: string, id: string, counters: NodeCounters): void {
    const sums = [0, 0, 0, 0, ...(this.#ended.get(counters) ?? totals.map(() => 0))];
    for (const { pools } of this.#workers.values()) {
      const row = pools.get(pool)?.nodes.get(id);
      for (let column = 1; column < nothing.length; column += 1)
        sums[column] = (sums[column] ?? 0) + Number(row?.[column] ?? 0);
    }
    const [, open = 0, dialling = 0, messagesPerSecond = 0, opened = 0, placed = 0, failed = 0] = sums;
    const [toNode = 0, toClient = 0, bytesToNode = 0, bytesToClient = 0] = sums.slice(7);
    counters.open = open;
    counters.dialling = dialling;
    counters.messagesPerSecond = messagesPerSecond;
    counters.openedTotal = opened;
    counters.placedTotal = placed;
    counters.failedTotal = failed;
    counters.messagesToNodeTotal = toNode;
    counters.messagesToClientTotal = toClient;
    counters.bytesToNodeTotal = bytesToNode;
    counters.bytesToClientTotal = bytesToClient;
  }
}

/** The sum of each count; what is undefined has none. */
function added(parts: readonly (Affinities | undefined)[]): Affinities {
  const sums = noAffinities();
  for (const part of parts) for (const outcome of affinityOutcomes) sums[outcome] += part?.[outcome] ?? 0;
  return sums;
}

/** Nobody has a connection: what each would expect of the first. */
function meanOf(parts: readonly PoolRows[]): number {
  if (parts.length === 0) return 0;
  return parts.reduce((sum, part) => sum + part.meanMessagesPerSecond, 0) / parts.length;
}

/** What stays of a worker's admission when it has ended. */
function ended({ outcomes, waitedMsTotal }: AdmissionFigures): AdmissionFigures {
  return { ...noAdmission, outcomes, waitedMsTotal };
}

function sumOf(parts: readonly AdmissionFigures[]): AdmissionFigures {
  const sum = (of: (part: AdmissionFigures) => number) => parts.reduce((total, part) => total + of(part), 0);
  return {
    waiting: {
      retry: sum(({ waiting }) => waiting.retry),
      returning: sum(({ waiting }) => waiting.returning),
      new: sum(({ waiting }) => waiting.new),
    },
    outcomes: {
      placed: sum(({ outcomes }) => outcomes.placed),
      refused: sum(({ outcomes }) => outcomes.refused),
      gone: sum(({ outcomes }) => outcomes.gone),
    },
    waitedMsTotal: sum(({ waitedMsTotal }) => waitedMsTotal),
    isHeld: parts.some(({ isHeld }) => isHeld),
    isOverfilled: parts.some(({ isOverfilled }) => isOverfilled),
  };
}
