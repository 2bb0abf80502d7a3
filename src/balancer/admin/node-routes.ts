// Nodes as the API shows and changes them: one by one, and several of a pool at once.
import type { Clock } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import type { AdminStateAnswer, AdminStateRequest } from '../../protocol/operations.ts';
import type { Control } from '../control/ports.ts';
import { severalPools } from '../control/several-pools.ts';
import type { PoolState } from '../state/pool-state.ts';
import type { Registry } from '../state/registry.ts';
import { ok, type Answer } from './answer.ts';
import { needControl } from './control-port.ts';
import type { HandlersOf } from './handlers.ts';
import { nameIn } from './path-name.ts';
import { nodeUnknown, type ScopedView } from './scoped-view.ts';
import { nodeDetail } from './views.ts';

type Ids = 'getNode' | 'removeNode' | 'setAdminState' | 'beginDrains';

interface NodeRouteDeps {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly control: Control | undefined;
}

export function nodeHandlers({ registry, clock, control }: NodeRouteDeps): HandlersOf<Ids> {
  return {
    getNode({ view, context }) {
      const id = nameIn(context, 'id');
      const { pool } = view.node(id);
      const nowMs = clock.nowMs();
      const detail = nodeDetail(pool, { assessment: pool.assessment(nowMs), id, nowMs });
      if (detail === undefined) throw nodeUnknown(id, [pool]);
      return ok(detail);
    },
    removeNode({ view, context }) {
      const id = nameIn(context, 'id');
      refuseStatic(view, id);
      registry.remove(id);
      return { status: 204 };
    },
    setAdminState({ view, context, body, why, caller }) {
      const id = nameIn(context, 'id');
      view.node(id);
      refuseDrainKeys(body);
      if (control === undefined) return setPlainly(registry, id, { ...body, why, by: caller.by });
      const answer = control.setAdminState([id], { ...body, why }, { by: caller.by });
      return { ...ok(answer), isDryRun: body.dryRun === true };
    },
    beginDrains({ view, context, body: { nodes: wanted, ...body }, why, caller }) {
      const pool = view.pool(nameIn(context, 'pool'));
      const nodes = [...new Set(wanted)];
      refuseForeign(view, pool, nodes);
      const drainer = needControl(control, `nodes of pool '${pool.name}' cannot be drained together`);
      const request: AdminStateRequest = { ...body, adminState: 'drain', why };
      const answer = drainer.setAdminState(nodes, request, { by: caller.by });
      return begun(answer, body.dryRun === true);
    },
  };
}

/** Nodes that are not there, or in another pool that the caller may see. */
function refuseForeign(view: ScopedView, pool: PoolState, nodes: readonly string[]): void {
  const places = nodes.map((id) => {
    const found = [pool, ...view.pools()].find((each) => each.nodes.has(id));
    if (found === undefined) throw nodeUnknown(id, [pool]);
    return { id, pool: found.name };
  });
  if (places.some((place) => place.pool !== pool.name)) throw severalPools(pool.name, places);
}

function begun(answer: AdminStateAnswer, isDryRun: boolean): Answer {
  if (answer.operation === null) return { ...ok(answer), isDryRun };
  return { status: 202, json: answer, headers: { Location: `/v1/operations/${answer.operation.id}` } };
}

function refuseStatic(view: ScopedView, id: string): void {
  const { pool, node } = view.node(id);
  if (node.origin !== 'static') return;
  throw new HeraldError(
    'HERALD_NODE_STATIC',
    `node '${id}' is in the configuration of pool '${pool.name}', so it cannot be removed here`,
    { node: id, pool: pool.name },
  );
}

const drainKeys = ['deadlineMs', 'ratePerSecond', 'force', 'self'] as const;

function refuseDrainKeys(body: AdminStateRequest): void {
  if (body.adminState === 'drain') return;
  const key = drainKeys.find((each) => body[each] !== undefined);
  if (key === undefined) return;
  throw new HeraldError(
    'HERALD_BODY_INVALID',
    `${key}: goes with "adminState": "drain" only, not with ${body.adminState}`,
  );
}

/** Without control loops the state only stops new placements: whatever says more of a drain cannot be done. */
function setPlainly(
  registry: Registry,
  id: string,
  { by, ...body }: AdminStateRequest & { readonly by: string },
): Answer {
  const key = [...drainKeys, 'dryRun' as const].find((each) => body[each] !== undefined);
  if (key !== undefined) needControl(undefined, `'${key}' means nothing`);
  registry.setAdminState(id, body.adminState, { by, why: body.why ?? '' });
  return ok({
    nodes: [id],
    adminState: body.adminState,
    operation: null,
    forecast: null,
  } satisfies AdminStateAnswer);
}
