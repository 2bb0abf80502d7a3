// One undici pool for each node's address, kept while it is used; where a node is told of its client, one connection
// for each exchange instead.
import { isIP } from 'node:net';
import { buildConnector, Client, Pool, type Dispatcher } from 'undici';
import type { Timer } from '../../core/clock.ts';
import { nodeConnector, type NodeConnection, type NodeLink } from '../../platform/node-links.ts';
import { formatAddress } from '../../policy/address.ts';
import type { PlacedNode } from '../state/ports.ts';
import type { ProxyDeps } from './ports.ts';
import { isSourceExhausted, type SourceAddresses } from './source-addresses.ts';
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
export function createNodePools({
  clock,
  timeouts,
  sources,
}: Pick<ProxyDeps, 'clock' | 'timeouts' | 'sources'>): NodePools {
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

  const connectTcp = connectorFrom(sources, timeouts.dialMs);
  const dialling = { clock, timeoutMs: timeouts.dialMs, connectTcp };
  const clientFor = (node: PlacedNode, via: PoolVia) =>
    oneShotClient(clients, node, { ...shared, connect: connectorOf(node, via, dialling) });
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
    const connect = connectorOf(node, { link, ends: 'own' }, dialling);
    const entry = {
      pool: new Pool(originOf(node), { ...shared, connect, connections: null }),
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

/** Connects from one source after the other while they have no port. */
function connectorFrom(sources: SourceAddresses, timeout: number): buildConnector.connector {
  const connect = buildConnector({ timeout });
  return (options, done) => {
    const host = options.hostname.replace(/^\[|\]$/g, '');
    // A name may stand for either family; which one is not known here, and a source of the other would fail.
    const left = isIP(host) === 0 ? [undefined] : [...sources.forDial(host)];
    const next = (): void => {
      connect({ ...options, localAddress: left.shift() ?? null }, (...outcome) => {
        if (left.length > 0 && isSourceExhausted(outcome[0])) next();
        else done(...outcome);
      });
    };
    next();
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

type Dialling = Pick<NodeConnection, 'clock' | 'timeoutMs' | 'connectTcp'>;

function connectorOf(
  node: PlacedNode,
  { link, ends }: Pick<NodeConnection, 'link' | 'ends'>,
  dialling: Dialling,
) {
  return nodeConnector({ link, node, ends, ...dialling });
}

function originOf(node: PlacedNode): string {
  return `http://${formatAddress(node)}`;
}
