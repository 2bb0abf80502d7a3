// What is told of drains: that one began, was asked for again, or is over.
import type { AdminStateRequest, EventRecord, Operation } from '../../protocol/operations.ts';

type Told = Omit<EventRecord, 'id' | 'at'>;

/** Says that a drain has begun or, when it was under way before, that somebody has asked for it again. */
export function drainAsked(
  operation: Operation,
  {
    by,
    request,
    isNew,
  }: { readonly by: string; readonly request: AdminStateRequest; readonly isNew: boolean },
): Told {
  const { why = '', force = false, self = false } = request;
  const { id, pool, nodes, reason, deadlineAt, owner } = operation;
  return {
    type: isNew ? 'operation.started' : 'operation.updated',
    pool,
    node: onlyOf(nodes),
    by,
    why,
    message: `drain of ${nodes.join(', ')} ${isNew ? 'began' : 'goes on'}: ${reason}`,
    facts: { operation: id, ...(owner !== undefined && { owner }), deadlineAt, force, self },
  };
}

/** Says that a drain is over. `by` and `why` are of who began it; who ended it is in the reason. */
export function drainEnded(operation: Operation): Told {
  const { id, pool, nodes, by, why, state, reason, progress, owner } = operation;
  return {
    type: 'operation.ended',
    pool,
    node: onlyOf(nodes),
    by,
    why,
    message: `drain of ${nodes.join(', ')}: ${state}: ${reason}`,
    facts: { operation: id, ...(owner !== undefined && { owner }), state, ...progress },
  };
}

function onlyOf(nodes: readonly string[]): string {
  return nodes.length === 1 ? (nodes[0] ?? '') : '';
}
