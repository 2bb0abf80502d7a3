// Nodes as the API shows and changes them.
import type { Clock } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import type { AdminState } from '../../core/snapshot.ts';
import type { HttpRoutes } from '../../platform/http-app.ts';
import { readJson } from '../../platform/http-body.ts';
import type { AdminStateWish, NodeDetail } from '../../protocol/admin-api.ts';
import type { Registry } from '../state/registry.ts';
import { nameIn } from './path-name.ts';
import { nodeDetail } from './views.ts';

/** The body limit of the admin API: room for a policy with every key and many comments. */
const maxAdminBytes = 64 * 1024;

export function nodeRoutes(deps: { registry: Registry; clock: Clock }): HttpRoutes {
  const { registry } = deps;
  return {
    '/v1/nodes/:id': {
      GET: (context) => context.json(detailOf(deps, nameIn(context, 'id'))),
      DELETE(context) {
        const id = nameIn(context, 'id');
        refuseStatic(registry, id);
        registry.remove(id);
        return context.body(null, 204);
      },
    },
    '/v1/nodes/:id/admin-state': {
      async PUT(context) {
        const id = nameIn(context, 'id');
        registry.node(id);
        const body = await readJson(context, { maxBytes: maxAdminBytes, invalid: 'HERALD_BODY_INVALID' });
        registry.setAdminState(id, readWish(body).adminState);
        return context.json(detailOf(deps, id));
      },
    },
  };
}

function detailOf({ registry, clock }: { registry: Registry; clock: Clock }, id: string): NodeDetail {
  const { pool } = registry.node(id);
  const nowMs = clock.nowMs();
  const detail = nodeDetail(pool, { assessment: pool.assessment(nowMs), id, nowMs });
  if (detail === undefined) throw new HeraldError('HERALD_NODE_UNKNOWN', `there is no node '${id}'`);
  return detail;
}

function refuseStatic(registry: Registry, id: string): void {
  const { pool, node } = registry.node(id);
  if (node.origin !== 'static') return;
  throw new HeraldError(
    'HERALD_NODE_STATIC',
    `node '${id}' is in the configuration of pool '${pool.name}', so it cannot be removed here`,
    { node: id, pool: pool.name },
  );
}

const adminStates: readonly unknown[] = ['ready', 'drain', 'maint'] satisfies AdminState[];

function readWish(body: unknown): AdminStateWish {
  const keys = typeof body === 'object' && body !== null ? Object.keys(body) : [];
  const wish =
    typeof body === 'object' && body !== null && 'adminState' in body ? body.adminState : undefined;
  if (keys.length === 1 && isAdminState(wish)) return { adminState: wish };
  throw new HeraldError(
    'HERALD_BODY_INVALID',
    'the body must be { "adminState": "ready" }, or "drain", or "maint", and nothing else',
  );
}

function isAdminState(value: unknown): value is AdminState {
  return adminStates.includes(value);
}
