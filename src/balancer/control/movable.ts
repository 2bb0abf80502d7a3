// A pool as a rebalance sees it, out of the registry and the data plane, and what it marks there.
import type { MovableConnections } from '../../core/rebalance/choose.ts';
import type { RebalanceNode } from '../../core/rebalance/level.ts';
import type { RunView } from '../../core/rebalance/run.ts';
import { runNodesOf } from '../../core/rebalance/view.ts';
import type { PoolState } from '../state/pool-state.ts';
import type { ConnectionKind, DataPlane, OpenConnections } from '../state/ports.ts';

// Requests and long polls are over before moving them is; a tunnel that nobody reads cannot be told when to come back.
const movableKinds: ReadonlySet<ConnectionKind> = new Set(['websocket', 'sse']);

/** A pool at this instant. The connections of a node are listed when they are asked for, once. */
export function viewOf(pool: PoolState, dataPlane: DataPlane, nowMs: number): RunView {
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
      leavingOf: (id) => (pool.nodes.get(id)?.isShedding === true ? leavingIn(listOf(id)) : 0),
    }),
    connectionsOf: (node: RebalanceNode) => movableIn(listOf(node.id)),
    placedTotal: counters.reduce((sum, { placedTotal }) => sum + placedTotal, 0),
    failedTotal: counters.reduce((sum, { failedTotal }) => sum + failedTotal, 0),
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

function leavingIn(list: OpenConnections): number {
  let utilization = 0;
  for (let row = 0; row < list.size; row += 1)
    if (list.isLeaving[row] === 1) utilization += list.utilization[row] ?? 0;
  return utilization;
}

function movableIn(list: OpenConnections): MovableConnections {
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
