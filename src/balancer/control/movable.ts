// A pool as a rebalance sees it, out of the registry and the data plane, and what it marks there.
import { carriedPart } from '../../core/carried-part.ts';
import type { MovableConnections } from '../../core/rebalance/choose.ts';
import type { RebalanceNode } from '../../core/rebalance/level.ts';
import type { OthersView } from '../../core/rebalance/others.ts';
import type { RunView } from '../../core/rebalance/run.ts';
import { runNodesOf } from '../../core/rebalance/view.ts';
import type { PeerCarried } from '../state/peers/peer-tally.ts';
import type { PoolState } from '../state/pool-state.ts';
import type { ConnectionKind, DataPlane, OpenConnections } from '../state/ports.ts';
import type { OrderLedger } from './fleet/order-ledger.ts';

// Requests and long polls are over before moving them is; a tunnel that nobody reads cannot be told when to come back.
const movableKinds: ReadonlySet<ConnectionKind> = new Set(['websocket', 'sse']);

/** A pool at this instant. The connections of a node are listed when they are asked for, once. */
export function viewOf(
  pool: PoolState,
  dataPlane: DataPlane,
  at: { readonly nowMs: number; readonly ledger?: OrderLedger | undefined },
): RunView {
  const { nowMs, ledger } = at;
  const assessment = pool.assessment(nowMs);
  const lists = new Map<string, OpenConnections>();
  const listOf = (id: string): OpenConnections => {
    const list = lists.get(id) ?? dataPlane.connections(pool.name, id);
    lists.set(id, list);
    return list;
  };
  const counters = [...pool.nodes.values()].map((node) => node.counters);
  return {
    nowMs,
    nodes: runNodesOf(assessment, {
      slowStartMs: pool.policy.place.slowStartMs,
      // Only what sheds has connections that were asked to leave by a rebalance; a list costs a look at every slot.
      leavingOf: (id) =>
        (pool.nodes.get(id)?.isShedding === true ? leavingIn(listOf(id)) : 0) + (ledger?.leavingOf(id) ?? 0),
    }),
    connectionsOf: (node: RebalanceNode) => movableIn(listOf(node.id)),
    placedTotal: counters.reduce((sum, { placedTotal }) => sum + placedTotal, ledger?.placements.placed ?? 0),
    failedTotal: counters.reduce((sum, { failedTotal }) => sum + failedTotal, ledger?.placements.failed ?? 0),
  };
}

/** Says which nodes take nothing now, and makes the next placement know it. */
export function markShedding(pool: PoolState, shedding: ReadonlySet<string>): void {
  let isChanged = false;
  for (const [id, node] of pool.nodes) {
    const isShedding = shedding.has(id);
    isChanged ||= node.isShedding !== isShedding;
    node.isShedding = isShedding;
  }
  if (isChanged) pool.discardAssessment();
}

/** Which part of each node's load other balancers carry, for those who may be told to shed. */
export function sharesIn(
  pool: PoolState,
  nowMs: number,
  carriedOn: (node: string) => readonly PeerCarried[],
): OthersView['sharesOf'] {
  const { snapshot, costs } = pool.assessment(nowMs);
  const nodes = new Map(snapshot.nodes.map((node) => [node.id, node]));
  return ({ id }) => {
    const node = nodes.get(id);
    // As apportioned to own connections (core/apportion.ts): what is there without any work is nobody's.
    const work = Math.max(0, (node?.load?.utilization ?? 0) - costs.intercept);
    if (node === undefined || !(work > 0)) return [];
    const { connections, expectedMessagesPerSecond: messagesPerSecond } = node.counters;
    return carriedOn(id).flatMap((carried) => {
      const utilization = work * carriedPart(carried, { connections, messagesPerSecond });
      const canBeTold = carried.stamp !== undefined && utilization > 0;
      return canBeTold ? [{ peer: carried.peer, connections: carried.connections, utilization }] : [];
    });
  };
}

function leavingIn(list: OpenConnections): number {
  let utilization = 0;
  for (let row = 0; row < list.size; row += 1)
    if (list.isLeaving[row] === 1) utilization += list.utilization[row] ?? 0;
  return utilization;
}

/** Those of a list that may be moved now. */
export function movableIn(list: OpenConnections): MovableConnections {
  const rows: number[] = [];
  for (let row = 0; row < list.size; row += 1) {
    const kind = list.kind[row];
    if (list.isLeaving[row] === 1 || list.inCooldown[row] === 1) continue;
    if (kind !== undefined && movableKinds.has(kind)) rows.push(row);
  }
  const column = (values: ArrayLike<number>) => Float64Array.from(rows, (row) => values[row] ?? 0);
  return {
    size: rows.length,
    id: column(list.id),
    utilization: column(list.utilization),
    ageMs: column(list.ageMs),
  };
}
