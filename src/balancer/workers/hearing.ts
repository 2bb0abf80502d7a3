// What a worker does with what the main process says: reports, states of nodes, what others carry, goodbyes.
import type { Clock } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import type { PeerReport } from '../../protocol/peer-words.ts';
import type { DataPlane } from '../state/ports.ts';
import type { Registry } from '../state/registry.ts';
import type { FromWorker, NodeStateRow, OthersInPool, SettledRow, ShedOrder } from './messages.ts';

/** What it acts on. */
export interface HearingParts {
  readonly registry: Registry;
  readonly dataPlane: DataPlane;
  readonly clock: Clock;
  readonly send: (message: FromWorker) => void;
}

/** Applies what is said. */
export class Hearing {
  readonly #parts: HearingParts;
  #outcomes: SettledRow[] = [];

  constructor(parts: HearingParts) {
    this.#parts = parts;
  }

  reports(reports: readonly PeerReport[]): void {
    for (const { report, identity, host, port } of reports) {
      try {
        this.#parts.registry.applyReport(report, { identity, host, port }, 'peer');
      } catch (error) {
        // The main process has taken it in: only what was told twice, or of a pool that is just going, is refused here.
        if (!(error instanceof HeraldError)) throw error;
      }
    }
  }

  states(rows: readonly NodeStateRow[]): void {
    const { registry } = this.#parts;
    for (const { pool: name, node: id, adminState, isShedding, checkFailure, ejectedForMs } of rows) {
      const pool = registry.pools.get(name);
      const node = pool?.nodes.get(id);
      if (pool === undefined || node === undefined) continue;
      if (node.adminState !== adminState) registry.setAdminState(id, adminState);
      if (node.checkFailure !== checkFailure) registry.setCheckFailure(id, checkFailure);
      if (ejectedForMs > 0) registry.eject(name, id, ejectedForMs);
      if (node.isShedding === isShedding) continue;
      node.isShedding = isShedding;
      pool.discardAssessment();
    }
  }

  /** `isFirst`: what was there before this process, not placed since the reports. */
  others(pools: readonly OthersInPool[], isWhole: boolean, isFirst = false): void {
    const nowMs = this.#parts.clock.nowMs();
    for (const { pool: name, parts, arrivalsPerSecond, siblingConnections, nodes } of pools) {
      const pool = this.#parts.registry.pools.get(name);
      if (pool === undefined) continue;
      pool.peers = { balancers: parts, arrivalsPerSecond };
      pool.siblingConnections = siblingConnections;
      const said = new Set<string>();
      for (const [id, connections, messagesPerSecond] of nodes) {
        said.add(id);
        const node = pool.nodes.get(id);
        if (node === undefined) continue;
        if (isFirst) node.meetPeer({ connections, messagesPerSecond }, nowMs);
        node.counters.peers = { connections, messagesPerSecond, openedTotal: 0 };
      }
      if (!isWhole) continue;
      for (const [id, { counters }] of pool.nodes)
        if (!said.has(id) && counters.peers.connections > 0)
          counters.peers = { connections: 0, messagesPerSecond: 0, openedTotal: 0 };
    }
  }

  /** Says goodbye to connections; what comes of it is told a moment later, many together. */
  shed(orders: readonly ShedOrder[]): void {
    const { dataPlane, clock } = this.#parts;
    for (const { call, pool, ids, goodbye } of orders) {
      const about = this.#carriersOf(pool, ids);
      dataPlane.shed({
        pool,
        connectionIds: ids,
        goodbye: { ...goodbye, byMs: clock.nowMs() + goodbye.byMs },
        settled: (id, outcome) => {
          const { node = '', kind = '' } = about.get(id) ?? {};
          this.#settled({ call, id, node, kind, outcome });
        },
      });
    }
  }

  #carriersOf(name: string, ids: Float64Array): ReadonlyMap<number, Pick<SettledRow, 'node' | 'kind'>> {
    const table = this.#parts.registry.pools.get(name)?.table;
    const found = new Map<number, Pick<SettledRow, 'node' | 'kind'>>();
    for (const id of ids) {
      const carrier = table?.carrierAt(table.slotOf(id));
      if (carrier !== undefined) found.set(id, { node: carrier.nodeId, kind: carrier.kind });
    }
    return found;
  }

  #settled(row: SettledRow): void {
    if (this.#outcomes.length === 0) this.#parts.clock.schedule(0, () => this.#flush());
    this.#outcomes.push(row);
  }

  #flush(): void {
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    this.#parts.send({ type: 'settled', outcomes });
  }
}
