// What one worker is told of the pools: states of nodes, and what everybody else has on them. Told whole once a second,
// and in between what has changed.
import type { NodeRecord } from '../state/node-record.ts';
import type { PoolState } from '../state/pool-state.ts';
import type { Carried } from './carried.ts';
import type { NodeStateRow, OthersInPool, OthersRow } from './messages.ts';

/** What a briefing is made of. */
export interface BriefingParts {
  readonly pools: ReadonlyMap<string, PoolState>;
  readonly carried: Carried;
  /** Workers among which the machine's part of the limits in time is divided, 1 or more. */
  readonly workers: () => number;
}

/** What one life of a worker has been told. */
export class Briefing {
  readonly #parts: BriefingParts;
  readonly #worker: number;
  readonly #toldConnections = new Map<string, number>();
  readonly #toldStates = new Map<string, string>();

  constructor(worker: number, parts: BriefingParts) {
    this.#worker = worker;
    this.#parts = parts;
  }

  /** Pools to say something of; with `isWhole` all of them with all nodes. */
  others(isWhole: boolean): readonly OthersInPool[] {
    const { pools, workers, carried } = this.#parts;
    if (isWhole) this.#toldConnections.clear();
    return [...pools.values()].flatMap((pool) => {
      const nodes = this.#othersOn(pool);
      if (nodes.length === 0 && !isWhole) return [];
      const all = pool.arrivals.perSecond + pool.peers.arrivalsPerSecond;
      return [
        {
          pool: pool.name,
          parts: pool.peers.balancers * workers(),
          arrivalsPerSecond: Math.max(0, all - carried.arrivalsOf(this.#worker, pool.name)),
          siblingConnections: carried.connectionsBeside(this.#worker, pool.name),
          nodes,
        },
      ];
    });
  }

  /** States that are not as last told; with `isWhole` all of them. */
  states(isWhole: boolean, nowMs: number): readonly NodeStateRow[] {
    if (isWhole) this.#toldStates.clear();
    const rows: NodeStateRow[] = [];
    for (const { name, nodes } of this.#parts.pools.values())
      for (const node of nodes.values()) {
        const { adminState, isShedding, checkFailure } = node;
        const isEjected = node.passive.isEjected(nowMs);
        const key = `${name} ${node.identity.id}`;
        const state = `${adminState} ${isShedding} ${isEjected} ${checkFailure}`;
        if (this.#toldStates.get(key) === state) continue;
        this.#toldStates.set(key, state);
        rows.push(stateRow(name, node, nowMs));
      }
    return rows;
  }

  #othersOn(pool: PoolState): OthersRow[] {
    const rows: OthersRow[] = [];
    for (const [id, { counters }] of pool.nodes) {
      const [, open, dialling, messagesPerSecond] = this.#parts.carried.rowOf(this.#worker, pool.name, id);
      const connections = Math.max(0, counters.connections - open - dialling);
      const key = `${pool.name} ${id}`;
      if ((this.#toldConnections.get(key) ?? 0) === connections) continue;
      this.#toldConnections.set(key, connections);
      rows.push([id, connections, Math.max(0, counters.expectedMessagesPerSecond - messagesPerSecond)]);
    }
    return rows;
  }
}

function stateRow(pool: string, node: NodeRecord, nowMs: number): NodeStateRow {
  const { adminState, isShedding, checkFailure, passive, identity } = node;
  return {
    pool,
    node: identity.id,
    adminState,
    isShedding,
    checkFailure,
    ejectedForMs: Math.max(0, passive.ejectedUntilMs - nowMs),
  };
}
