// Sentences about how a drain is going and how it ended.
import type { OperationProgress } from '../../protocol/operations.ts';
import type { PoolState } from '../state/pool-state.ts';

/** While it runs; `leftMs` may be negative. */
export function runningSentence({ total, waiting, leaving }: OperationProgress, leftMs: number): string {
  const seconds = Math.max(0, Math.round(leftMs / 1000));
  return `${waiting} of ${total} connections wait, ${leaving} are leaving, ${seconds} s until the deadline`;
}

/** A sentence whose figures may still change: goodbyes that were said have outcomes later. */
type Sentence = (progress: OperationProgress) => string;

/** Everybody is gone; says so where a node is gone or down, too, as it is now. */
export function doneSentence(
  nodes: readonly string[],
  at: { readonly pool: PoolState | undefined; readonly nowMs: number },
): Sentence {
  const { pool, nowMs } = at;
  const gone = nodes.filter((id) => pool?.nodes.has(id) !== true);
  const down = nodes.filter((id) => (pool?.nodes.get(id)?.downReason(nowMs) ?? '') !== '');
  if (gone.length > 0)
    return (progress) => `${leftSentence(progress)}; ${gone.join(', ')} is no longer a node of the pool`;
  if (down.length > 0) return (progress) => `${leftSentence(progress)}; ${down.join(', ')} is down`;
  return leftSentence;
}

/** The deadline came before everybody had gone. `others`: told by another operation, and still there. */
export function deadlineSentence(others: number): Sentence {
  const more = others === 0 ? '' : `; ${others} more were told by another operation and keep its time`;
  return (progress) => {
    const { refusedByPeer, cut } = progress;
    const ends = `${refusedByPeer} did not go in time, ${cut} were cut at the deadline`;
    return `${leftSentence(progress)}, ${ends}${more}`;
  };
}

function leftSentence({ total, closed, leftByThemselves }: OperationProgress): string {
  return `${closed} of ${total} connections left when asked, ${leftByThemselves} by themselves`;
}
