// Pools as the API shows them, and the rebalance of one.
import type { Clock } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import { explain } from '../../core/explain.ts';
import type { Scaling } from '../../protocol/scaling.ts';
import type { Control, ScaleFeed } from '../control/ports.ts';
import { ok } from './answer.ts';
import { needControl, needScale } from './control-port.ts';
import type { HandlersOf } from './handlers.ts';
import { nameIn } from './path-name.ts';
import { nodeDetails, poolSummary } from './views.ts';

type Ids = 'listPools' | 'getPool' | 'listNodes' | 'explainPool' | 'getScaling' | 'beginRebalance';

export function poolHandlers({
  clock,
  control,
  scale,
}: {
  clock: Clock;
  control: Control | undefined;
  scale?: ScaleFeed | undefined;
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
    getScaling({ view, context, query }) {
      const { name } = view.pool(nameIn(context, 'pool'));
      const scaling = needScale(scale, `pool '${name}' has no recommendation`).scaling(name);
      // An autoscaler must get an error: it takes any number for the load, and 0 for idle.
      if (scaling.state === 'unknown' && query.allowUnknown !== true) throw unknownScale(scaling);
      return ok(scaling);
    },
    async beginRebalance({ view, context, body, why, caller }) {
      const { name } = view.pool(nameIn(context, 'pool'));
      const rebalancer = needControl(control, `pool '${name}' cannot be rebalanced`);
      await rebalancer.refreshed(name);
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

function unknownScale({ pool, reason }: Scaling): HeraldError {
  return new HeraldError('HERALD_SCALE_UNKNOWN', `pool '${pool}': ${reason}`, { pool });
}
