// One undici pool for each node's address, kept while it is used.
import { isIP } from 'node:net';
import { buildConnector, Pool } from 'undici';
import type { Timer } from '../../core/clock.ts';
import { formatAddress } from '../../policy/address.ts';
import type { PlacedNode } from '../state/ports.ts';
import type { ProxyDeps } from './ports.ts';
import { isSourceExhausted, type SourceAddresses } from './source-addresses.ts';

/** The connections to nodes for HTTP. */
export interface NodePools {
  poolOf(node: PlacedNode): Pool;
  /** Closes every connection at once. */
  destroy(): void;
}

interface Entry {
  readonly pool: Pool;
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
  const connect = connectorFrom(sources, timeouts.dialMs);
  const entries = new Map<string, Entry>();
  const sweeper: Timer = clock.repeat(sweepMs, sweep);

  function sweep(): void {
    for (const [origin, { pool, usedAtMs }] of entries) {
      if (clock.nowMs() - usedAtMs < unusedMs || pool.stats.running > 0 || pool.stats.pending > 0) continue;
      entries.delete(origin);
      void pool.destroy();
    }
  }

  return {
    poolOf(node) {
      const origin = `http://${formatAddress(node)}`;
      let entry = entries.get(origin);
      if (entry === undefined) {
        const pool = new Pool(origin, {
          connections: null,
          pipelining: 1,
          connect,
          headersTimeout: timeouts.requestIdleMs,
          bodyTimeout: timeouts.requestIdleMs,
          maxHeaderSize: 16 * 1024,
        });
        entry = { pool, usedAtMs: 0 };
        entries.set(origin, entry);
      }
      entry.usedAtMs = clock.nowMs();
      return entry.pool;
    },
    destroy() {
      sweeper.cancel();
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
