// The data plane of our own relay: which connections are open and what load each is, out of the tables that the leases
// keep; shedding through whoever carries each. The bytes themselves are the proxy's.
import { apportion } from '../../core/apportion.ts';
import { carriedPart } from '../../core/carried-part.ts';
import type { Clock } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import type { ConnectionTable } from './connection-table.ts';
import type { PoolState } from './pool-state.ts';
import type {
  Carrier,
  ConnectionKind,
  DataPlane,
  Goodbye,
  GoodbyeOutcome,
  OpenConnections,
  ShedRequest,
  ShedWay,
} from './ports.ts';

type Way = (carrier: Carrier, goodbye: Goodbye, settled: (outcome: GoodbyeOutcome) => void) => void;

// Asking the agent and moving are further entries.
const ways: Partial<Record<ShedWay, Way>> = {
  close: (carrier, goodbye, settled) => carrier.leave(goodbye, settled),
};

/** The data plane over the pools of a registry. */
export function createRelayDataPlane(deps: {
  readonly pools: ReadonlyMap<string, PoolState>;
  readonly clock: Clock;
}): DataPlane {
  const { pools, clock } = deps;
  return {
    capabilities: {
      // Proof of `as`: keys of a record over ShedWay.
      ways: Object.keys(ways) as ShedWay[],
      listsConnections: true,
      takesShares: false,
    },
    connections(name, nodeId) {
      const pool = pools.get(name);
      return pool === undefined ? noConnections : listConnections(pool, nodeId, clock.nowMs());
    },
    shed(request) {
      const way = ways[request.way ?? 'close'];
      if (way === undefined)
        throw new HeraldError('HERALD_INTERNAL', `the relay cannot shed by '${request.way}'`);
      const pool = pools.get(request.pool);
      // No client tells that it is the same as before, so whoever comes while some are out may be one of them.
      pool?.table.expectReturns(clock.nowMs() + request.goodbye.retryAfterMs + returnMs);
      for (let i = 0; i < request.connectionIds.length; i++)
        shedOne(pool, { way, request, id: request.connectionIds[i] ?? -1 });
    },
    applyShares() {
      // Every connection asks placement, which has them already.
    },
  };
}

// Clients that stay away for longer than this after their hint are not told from newcomers.
const returnMs = 60_000;

const noConnections = columnsFor(0);

function shedOne(
  pool: PoolState | undefined,
  { way, request, id }: { way: Way; request: ShedRequest; id: number },
): void {
  const slot = pool?.table.slotOf(id) ?? -1;
  const carrier = pool?.table.carrierAt(slot);
  if (pool === undefined || carrier === undefined) return request.settled?.(id, 'alreadyGone');
  const { nodeId, kind } = carrier;
  // Held now: the record of a node that is removed meanwhile takes its counts along.
  const goodbyes = pool.nodes.get(nodeId)?.goodbyes;
  pool.table.markLeaving(slot);
  way(carrier, request.goodbye, (outcome) => {
    goodbyes?.add(kind, outcome);
    request.settled?.(id, outcome);
  });
}

/** Columns while they are filled. */
export interface Columns extends OpenConnections {
  readonly nodeId: string[];
  readonly kind: ConnectionKind[];
}

/** Columns for so many connections, all 0. */
export function columnsFor(size: number): Columns {
  const numbers = () => new Float64Array(size);
  return {
    size,
    id: numbers(),
    nodeId: [],
    kind: [],
    ageMs: numbers(),
    messagesPerSecond: numbers(),
    bytesPerSecond: numbers(),
    utilization: numbers(),
    isLeaving: new Uint8Array(size),
    inCooldown: new Uint8Array(size),
  };
}

function listConnections(pool: PoolState, nodeId: string | undefined, nowMs: number): OpenConnections {
  const { table, policy } = pool;
  const slots = slotsOf(table, nodeId);
  const columns = columnsFor(slots.length);
  table.copyRates(slots, columns.messagesPerSecond, columns.bytesPerSecond);
  for (let row = 0; row < slots.length; row++) {
    const slot = slots[row] ?? 0;
    const carrier = table.carrierAt(slot);
    const ageMs = nowMs - table.openedAtMs(slot);
    columns.id[row] = table.idAt(slot);
    // Slots were chosen by their carriers a moment ago.
    columns.nodeId.push(carrier?.nodeId ?? '');
    columns.kind.push(carrier?.kind ?? 'tcp');
    columns.ageMs[row] = ageMs;
    columns.isLeaving[row] = table.isLeaving(slot) ? 1 : 0;
    columns.inCooldown[row] = table.mayBeBack(slot) && ageMs < policy.rebalance.cooldownMs ? 1 : 0;
  }
  fillUtilization(columns, pool, nowMs);
  return columns;
}

function slotsOf(table: ConnectionTable, nodeId: string | undefined): number[] {
  const found: number[] = [];
  for (let slot = 0; slot < table.slots; slot++) {
    const carrier = table.carrierAt(slot);
    if (carrier !== undefined && (nodeId === undefined || carrier.nodeId === nodeId)) found.push(slot);
  }
  return found;
}

/** Says of each row what part of its node's utilization it causes, by the pool's assessment. */
export function fillUtilization(columns: Columns, pool: PoolState, nowMs: number): void {
  const { snapshot, states, costs } = pool.assessment(nowMs);
  const rowsOf = rowsByNode(columns.nodeId);
  snapshot.nodes.forEach(({ id, load, counters }, position) => {
    const rows = rowsOf.get(id);
    if (rows === undefined || load === undefined || states[position] !== 'valid') return;
    // Reports without an additive signal say nothing of work.
    if (Number.isNaN(load.utilization)) return;
    const rates = {
      messagesPerSecond: picked(columns.messagesPerSecond, rows),
      bytesPerSecond: picked(columns.bytesPerSecond, rows),
    };
    const parts = apportion(rates, { utilization: load.utilization, intercept: costs.intercept });
    const own = { connections: counters.ownConnections, messagesPerSecond: counters.messagesPerSecond };
    const whole = {
      connections: own.connections + counters.peers.connections,
      messagesPerSecond: counters.expectedMessagesPerSecond,
    };
    const ownPart = carriedPart(own, whole);
    for (let i = 0; i < rows.length; i++) columns.utilization[rows[i] ?? 0] = (parts[i] ?? 0) * ownPart;
  });
}

function rowsByNode(nodeIds: readonly string[]): Map<string, number[]> {
  const rowsOf = new Map<string, number[]>();
  for (let row = 0; row < nodeIds.length; row++) {
    const id = nodeIds[row] ?? '';
    const rows = rowsOf.get(id);
    if (rows === undefined) rowsOf.set(id, [row]);
    else rows.push(row);
  }
  return rowsOf;
}

function picked(column: Float64Array, rows: readonly number[]): Float64Array {
  const some = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) some[i] = column[rows[i] ?? 0] ?? 0;
  return some;
}
