// One undici pool for each node's address, kept while it is used.
import { Pool } from 'undici';
import type { Timer } from '../../core/clock.ts';
import { formatAddress } from '../../policy/address.ts';
import type { PlacedNode } from '../state/ports.ts';
import type { ProxyDeps } from './ports.ts';

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
export function createNodePools({ clock, timeouts }: Pick<ProxyDeps, 'clock' | 'timeouts'>): NodePools {
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
          connectTimeout: timeouts.dialMs,
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
