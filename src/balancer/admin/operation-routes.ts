// Operations and freezes as the API shows and ends them.
import { HeraldError } from '../../core/error.ts';
import { meantHint } from '../../core/nearest.ts';
import type { Operation } from '../../protocol/operations.ts';
import type { Control } from '../control/ports.ts';
import { ok } from './answer.ts';
import { refuseUnlessAllPools } from './caller.ts';
import { needControl } from './control-port.ts';
import type { HandlersOf } from './handlers.ts';
import { nameIn } from './path-name.ts';
import type { ScopedView } from './scoped-view.ts';

type Ids =
  | 'listOperations'
  | 'getOperation'
  | 'cancelOperation'
  | 'getFreeze'
  | 'putFreeze'
  | 'getPoolFreeze'
  | 'putPoolFreeze';

export function operationHandlers({ control }: { control: Control | undefined }): HandlersOf<Ids> {
  const operations = () => needControl(control, 'there are no operations');
  const freezer = () => needControl(control, 'there is nothing to freeze');
  return {
    listOperations({ view, query }) {
      if (query.pool !== undefined) view.pool(query.pool);
      const seen = operations()
        .operations()
        .filter(({ pool, state }) => {
          if (!view.sees(pool)) return false;
          return (query.pool ?? pool) === pool && (query.state ?? state) === state;
        });
      return ok({ operations: seen });
    },
    getOperation: ({ view, context }) => ok(operationIn(operations(), view, nameIn(context, 'id'))),
    cancelOperation({ view, context, caller, why }) {
      const { id } = operationIn(operations(), view, nameIn(context, 'id'));
      return ok(operations().cancel(id, { by: caller.by, why }));
    },
    getFreeze: () => ok(freezer().freezeState(undefined)),
    putFreeze({ body, caller, why }) {
      refuseUnlessAllPools(caller, 'this freeze');
      return ok(freezer().setFrozen(undefined, { frozen: body.frozen, why }, { by: caller.by }));
    },
    getPoolFreeze({ view, context }) {
      const { name } = view.pool(nameIn(context, 'pool'));
      return ok(freezer().freezeState(name));
    },
    putPoolFreeze({ view, context, body, caller, why }) {
      const { name } = view.pool(nameIn(context, 'pool'));
      return ok(freezer().setFrozen(name, { frozen: body.frozen, why }, { by: caller.by }));
    },
  };
}

/** An operation in scope; one that is not does not exist. */
function operationIn(control: Control, view: ScopedView, id: string): Operation {
  const seen = control.operations().filter(({ pool }) => view.sees(pool));
  const found = seen.find((operation) => operation.id === id) ?? renamed(control, id);
  if (found !== undefined && view.sees(found.pool)) return found;
  const meant = meantHint(
    id,
    seen.map((operation) => operation.id),
  );
  throw new HeraldError('HERALD_OPERATION_UNKNOWN', `there is no operation '${id}'${meant}`, {
    operation: id,
  });
}

/** One that goes on as part of another balancer's is listed by that one's id, and found by both. */
function renamed(control: Control, id: string): Operation | undefined {
  try {
    return control.operation(id);
  } catch (error) {
    if (error instanceof HeraldError && error.code === 'HERALD_OPERATION_UNKNOWN') return undefined;
    throw error;
  }
}
