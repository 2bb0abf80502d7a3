// What this balancer says of operations: the whole of those that it runs, and its part of all. When it is said is
// speaker.ts.
import type { Operation } from '../../../protocol/operations.ts';
import type { HeadWord, PartWord } from '../../../protocol/order-words.ts';
import type { OperationEntry } from '../operations.ts';

const longestReason = 1000;

/** Its part of an operation; undefined for one that is wholly another's. */
export function partOf({
  entry: { ownProgress, ownRatePerSecond },
  view,
}: OwnOperation): PartWord | undefined {
  if (ownProgress === undefined) return undefined;
  const { id, kind, state } = view;
  return {
    kind: 'part',
    operation: id,
    of: kind,
    state,
    // Who runs a rebalance counts who is back for all.
    progress: kind === 'rebalance' ? { ...ownProgress, returned: 0 } : ownProgress,
    ratePerSecond: ownRatePerSecond ?? 0,
    nodes: [],
    done: [],
    placed: 0,
    failed: 0,
  };
}

/** An entry of this balancer, looked at once. */
export interface OwnOperation {
  readonly entry: OperationEntry;
  readonly view: Operation;
}

/** An operation as whoever runs it tells of it. */
export function headOf({ entry: { shedding = [] }, view }: OwnOperation): HeadWord {
  const { owner: _, pool: __, ...operation } = view;
  return {
    kind: 'head',
    operation: { ...operation, reason: operation.reason.slice(0, longestReason) },
    shedding: operation.state === 'running' ? shedding : [],
  };
}
