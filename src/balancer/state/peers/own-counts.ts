// What this balancer says of itself: its own counts, everything once a second and what has changed in between.
import type { PeerNodeCounts } from '../../../protocol/peer-words.ts';
import type { PoolState } from '../pool-state.ts';

/** Remembers what was said of each pool. */
export class OwnCounts {
  readonly #said = new Map<string, Map<string, number>>();

  /** Nodes to say something of: all, or those whose connections are not as last said. */
  rows({ name, nodes }: PoolState, isAll: boolean): readonly PeerNodeCounts[] {
    const before = this.#said.get(name);
    // Made anew with everything, so that nodes that are gone are forgotten here, too.
    const said = isAll || before === undefined ? new Map<string, number>() : before;
    this.#said.set(name, said);
    const rows: PeerNodeCounts[] = [];
    for (const [id, { counters }] of nodes) {
      const { dialling, openedTotal, balancerConnections } = counters;
      if (!isAll && said.get(id) === balancerConnections) continue;
      said.set(id, balancerConnections);
      // To others a balancer is one, whichever of its processes relays.
      const open = counters.open + counters.earlierOpen;
      const messagesPerSecond = counters.messagesPerSecond + counters.earlierMessagesPerSecond;
      rows.push({ id, open, dialling, messagesPerSecond, openedTotal });
    }
    return rows;
  }

  /** Forgets pools that are no longer configured. */
  keep(pools: ReadonlyMap<string, unknown>): void {
    for (const name of this.#said.keys()) if (!pools.has(name)) this.#said.delete(name);
  }
}
