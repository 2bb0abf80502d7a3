// One undici pool for each node's address, kept while it is used; where a node is told of its client, one connection
// for each exchange instead.
import { Client, Pool, type Dispatcher } from 'undici';
import type { Timer } from '../../core/clock.ts';
import { nodeConnector, type NodeConnection, type NodeLink } from '../../platform/node-links.ts';
import { formatAddress } from '../../policy/address.ts';
import type { PlacedNode } from '../state/ports.ts';
import type { ProxyDeps } from './ports.ts';
import type { WireEnds } from './wire.ts';

/** How the connection begins, and whom it is for. */
export interface PoolVia {
  readonly link: NodeLink;
  readonly ends: WireEnds;
}

/** The connections to nodes for HTTP. */
export interface NodePools {
  poolOf(node: PlacedNode, via: PoolVia): Pick<Dispatcher, 'dispatch'>;
  /** Closes every connection at once. */
  destroy(): void;
}

interface Entry {
  readonly pool: Pool;
  readonly link: NodeLink;
  usedAtMs: number;
}

const sweepMs = 60_000;
// Nodes come and go with each deploy; an address unused for this long has most likely gone.
const unusedMs = 300_000;

/** Pools without a bound on connections: each open stream needs one of its own. No pipelining. */
export function createNodePools({ clock, timeouts }: Pick<ProxyDeps, 'clock' | 'timeouts'>): NodePools {
  const entries = new Map<string, Entry>();
  const clients = new Set<Client>();
  const sweeper: Timer = clock.repeat(sweepMs, sweep);

  function sweep(): void {
    for (const [origin, { pool, usedAtMs }] of entries) {
      if (clock.nowMs() - usedAtMs < unusedMs || pool.stats.running > 0 || pool.stats.pending > 0) continue;
      entries.delete(origin);
      void pool.destroy();
    }
  }

  const dial = { clock, timeoutMs: timeouts.dialMs };
  const clientFor = (node: PlacedNode, via: PoolVia) =>
    oneShotClient(clients, node, { ...shared, connect: connectorOf(node, via, dial) });
  const shared = {
    pipelining: 1,
    headersTimeout: timeouts.requestIdleMs,
    bodyTimeout: timeouts.requestIdleMs,
    maxHeaderSize: 16 * 1024,
  };

  function entryFor(node: PlacedNode, link: NodeLink): Entry {
    // Not the protocol: undici would ask for the name in the request's Host, and for another with each request.
    const key = `${originOf(node)}${link.tls === undefined ? '' : ' tls'}`;
    const known = entries.get(key);
    if (known?.link === link) return known;
    // Its exchanges end as they are.
    void known?.pool.close();
    const how =
      link.tls === undefined
        ? { connectTimeout: timeouts.dialMs }
        : { connect: connectorOf(node, { link, ends: 'own' }, dial) };
    const entry = {
      pool: new Pool(originOf(node), { ...shared, ...how, connections: null }),
      link,
      usedAtMs: 0,
    };
    entries.set(key, entry);
    return entry;
  }

  return {
    poolOf(node, via) {
      if (via.link.proxyProtocol !== 'off') return clientFor(node, via);
      const entry = entryFor(node, via.link);
      entry.usedAtMs = clock.nowMs();
      return entry.pool;
    },
    destroy() {
      sweeper.cancel();
      for (const client of clients) void client.destroy();
      clients.clear();
      for (const { pool } of entries.values()) void pool.destroy();
      entries.clear();
    },
  };
}

/** A header speaks for its connection: two clients cannot share one. */
function oneShotClient(
  clients: Set<Client>,
  node: PlacedNode,
  options: Client.Options,
): Pick<Dispatcher, 'dispatch'> {
  const client = new Client(originOf(node), options);
  clients.add(client);
  client.on('disconnect', () => clients.delete(client));
  client.on('connectionError', () => clients.delete(client));
  return { dispatch: (request, handler) => client.dispatch({ ...request, reset: true }, handler) };
}

type DialLimits = Pick<NodeConnection, 'clock' | 'timeoutMs'>;

function connectorOf(
  node: PlacedNode,
  { link, ends }: Pick<NodeConnection, 'link' | 'ends'>,
  limits: DialLimits,
) {
  return nodeConnector({ link, node, ends, ...limits });
}

function originOf(node: PlacedNode): string {
  return `http://${formatAddress(node)}`;
}
