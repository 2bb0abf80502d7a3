// Whose report is this? An id belongs to who first claimed it, for as long as that one reports.
import { HeraldError } from '../../core/error.ts';
import type { NodeIdentity } from '../../core/snapshot.ts';
import { formatAddress, type Address } from '../../policy/address.ts';
import type { Report } from '../../protocol/report.ts';
import type { NodeRecord } from './node-record.ts';
import type { PoolState } from './pool-state.ts';

/** Who sent a report, as the intake knows it. */
export interface ReportSource {
  /** Token name, or source address where no token is needed. */
  readonly identity: string;
  /** The node's address: what the report says, or where it came from. */
  readonly host: string;
  readonly port: number;
}

/**
 * The node that a report is about; undefined when its id is new. Throws HERALD_NODE_ID_TAKEN when the id is
 * another's: of another pool, of a static node at another address, or of a reporter that still reports.
 */
export function claim(
  pools: ReadonlyMap<string, PoolState>,
  { pool, report, source, nowMs }: { pool: PoolState; report: Report; source: ReportSource; nowMs: number },
): NodeRecord | undefined {
  const { id } = report.node;
  const elsewhere = [...pools.values()].find((other) => other !== pool && other.nodes.has(id));
  if (elsewhere !== undefined) throw taken(id, `it is a node of pool '${elsewhere.name}'`);
  const node = pool.nodes.get(id);
  if (node === undefined) {
    refuseSecondId(pool, { report, source, nowMs });
    return undefined;
  }
  const isSame = isSameAddress(node, source);
  if (node.origin === 'static' && !isSame)
    throw taken(id, `the configuration gives it the address ${formatAddress(node.identity)}`);
  if (!isFresh(node, pool, nowMs)) return node;
  if (node.registeredBy !== '' && node.registeredBy !== source.identity)
    throw taken(id, 'another reporter has claimed it and still reports');
  if (!isSame) throw taken(id, `its agent reports it at ${formatAddress(node.identity)} and still does`);
  return node;
}

/** One address is one node: else one process could pose as a thousand and take every share. */
function refuseSecondId(
  pool: PoolState,
  { report, source, nowMs }: { report: Report; source: ReportSource; nowMs: number },
): void {
  for (const node of pool.nodes.values()) {
    const isThere = node.origin === 'static' || isFresh(node, pool, nowMs);
    if (!isThere || !isSameAddress(node, source)) continue;
    const address = formatAddress(source);
    const because = `${address} is node '${node.identity.id}' already`;
    throw new HeraldError('HERALD_NODE_ID_TAKEN', `node '${report.node.id}' may not join: ${because}`, {
      node: report.node.id,
    });
  }
}

function isFresh(node: NodeRecord, pool: PoolState, nowMs: number): boolean {
  if (node.load === undefined || node.hasLeft) return false;
  return nowMs - node.load.sampledAtMs <= pool.policy.reports.expiryMs;
}

/** True when the node is where the report says. */
export function isSameAddress(node: NodeRecord, { host, port }: Address): boolean {
  return node.identity.host === host && node.identity.port === port;
}

/** What a report says of its node. */
export function identityOf({ node }: Report, { host, port }: ReportSource): NodeIdentity {
  return {
    id: node.id,
    host,
    port,
    capacity: node.capacity,
    zone: node.zone ?? '',
    version: node.version ?? '',
    maxConnections: Infinity,
  };
}

function taken(id: string, because: string): HeraldError {
  return new HeraldError('HERALD_NODE_ID_TAKEN', `node id '${id}' is taken: ${because}`, { node: id });
}
