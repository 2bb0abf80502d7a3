// Pools as the API shows them, and the rebalance of one.
import type { Clock } from '../../core/clock.ts';
import { explain } from '../../core/explain.ts';
import type { Control } from '../control/ports.ts';
import { ok } from './answer.ts';
import { needControl } from './control-port.ts';
import type { HandlersOf } from './handlers.ts';
import { nameIn } from './path-name.ts';
import { nodeDetails, poolSummary } from './views.ts';

type Ids = 'listPools' | 'getPool' | 'listNodes' | 'explainPool' | 'beginRebalance';

export function poolHandlers({
  clock,
  control,
}: {
  clock: Clock;
  control: Control | undefined;
}): HandlersOf<Ids> {
  return {
    listPools({ view }) {
      const nowMs = clock.nowMs();
      return ok({ pools: view.pools().map((pool) => poolSummary(pool, pool.assessment(nowMs))) });
    },
    getPool({ view, context }) {
      const pool = view.pool(nameIn(context, 'pool'));
      return ok(poolSummary(pool, pool.assessment(clock.nowMs())));
    },
    listNodes({ view, context }) {
      const pool = view.pool(nameIn(context, 'pool'));
      const nowMs = clock.nowMs();
      return ok({ pool: pool.name, nodes: nodeDetails(pool, pool.assessment(nowMs), nowMs) });
    },
    explainPool({ view, context }) {
      const pool = view.pool(nameIn(context, 'pool'));
      return ok(explain(pool.assessment(clock.nowMs()), pool.policy));
    },
    beginRebalance({ view, context, body, why, caller }) {
      const { name } = view.pool(nameIn(context, 'pool'));
      const rebalancer = needControl(control, `pool '${name}' cannot be rebalanced`);
      const answer = rebalancer.rebalance(name, { ...body, why }, { by: caller.by });
      if (answer.operation === null) return { ...ok(answer), isDryRun: body.dryRun === true };
      return {
        status: 202,
        json: answer,
        headers: { Location: `/v1/operations/${answer.operation.id}` },
      };
    },
  };
}
