// The registry as one caller may see it: what is out of scope does not exist, not even as a name that was meant.
import { HeraldError } from '../../core/error.ts';
import { meantHint } from '../../core/nearest.ts';
import type { NodeRecord } from '../state/node-record.ts';
import type { PoolState } from '../state/pool-state.ts';
import type { Registry } from '../state/registry.ts';
import type { Caller } from './caller.ts';

/** What a caller may see. */
export interface ScopedView {
  /** Whether the pool is in scope; it need not exist. */
  sees(pool: string): boolean;
  /** In order of configuration. */
  pools(): readonly PoolState[];
  /** HERALD_POOL_UNKNOWN with the nearest name in scope. */
  pool(name: string): PoolState;
  /** HERALD_NODE_UNKNOWN with the nearest id in scope. */
  node(id: string): { readonly pool: PoolState; readonly node: NodeRecord };
}

/** The view of this caller. */
export function scopedView(registry: Pick<Registry, 'pools'>, { pools: scope }: Caller): ScopedView {
  const sees = (name: string) => scope === 'all' || scope.includes(name);
  const pools = () => [...registry.pools.values()].filter(({ name }) => sees(name));
  return {
    sees,
    pools,
    pool(name) {
      const pool = registry.pools.get(name);
      if (pool !== undefined && sees(name)) return pool;
      const names = pools().map((each) => each.name);
      const message = `there is no pool '${name}'${meantHint(name, names)}`;
      throw new HeraldError('HERALD_POOL_UNKNOWN', message, { pool: name });
    },
    node(id) {
      const seen = pools();
      for (const pool of seen) {
        const node = pool.nodes.get(id);
        if (node !== undefined) return { pool, node };
      }
      throw nodeUnknown(id, seen);
    },
  };
}

/** HERALD_NODE_UNKNOWN with the nearest id of these pools. */
export function nodeUnknown(id: string, pools: readonly PoolState[]): HeraldError {
  const ids = pools.flatMap(({ nodes }) => [...nodes.keys()]);
  return new HeraldError('HERALD_NODE_UNKNOWN', `there is no node '${id}'${meantHint(id, ids)}`, {
    node: id,
  });
}
