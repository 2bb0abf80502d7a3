// Pools as the API shows them.
import type { Clock } from '../../core/clock.ts';
import { explain } from '../../core/explain.ts';
import type { HttpRoutes } from '../../platform/http-app.ts';
import type { NodeList, PoolList } from '../../protocol/admin-api.ts';
import type { Registry } from '../state/registry.ts';
import { nameIn } from './path-name.ts';
import { nodeDetails, poolSummary } from './views.ts';

export function poolRoutes({ registry, clock }: { registry: Registry; clock: Clock }): HttpRoutes {
  return {
    '/v1/pools': {
      GET(context) {
        const nowMs = clock.nowMs();
        const pools = [...registry.pools.values()].map((pool) => poolSummary(pool, pool.assessment(nowMs)));
        return context.json<PoolList>({ pools });
      },
    },
    '/v1/pools/:pool': {
      GET(context) {
        const pool = registry.pool(nameIn(context, 'pool'));
        return context.json(poolSummary(pool, pool.assessment(clock.nowMs())));
      },
    },
    '/v1/pools/:pool/nodes': {
      GET(context) {
        const pool = registry.pool(nameIn(context, 'pool'));
        const nowMs = clock.nowMs();
        const nodes = nodeDetails(pool, pool.assessment(nowMs), nowMs);
        return context.json<NodeList>({ pool: pool.name, nodes });
      },
    },
    '/v1/pools/:pool/explain': {
      GET(context) {
        const pool = registry.pool(nameIn(context, 'pool'));
        return context.json(explain(pool.assessment(clock.nowMs()), pool.policy));
      },
    },
  };
}
