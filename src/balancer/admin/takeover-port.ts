// What the API asks of whoever replaces this process by a new one. Wired by the balancer.
import { HeraldError } from '../../core/error.ts';
import type { TakeoverAnswer, TakeoverView } from '../../protocol/takeover.ts';

/** Replacing this process, as operators see it. */
export interface TakeoverDesk {
  view(): TakeoverView;
  /** Resolves when the new process serves. HERALD_TAKEOVER_FAILED. */
  begin(by: string): Promise<TakeoverAnswer>;
  /** Resolves when a change may be made. HERALD_HANDED_OVER. */
  passGate(): Promise<void>;
}

/** The desk, or HERALD_NOT_AVAILABLE. */
export function needTakeover(takeover: TakeoverDesk | undefined): TakeoverDesk {
  if (takeover !== undefined) return takeover;
  throw new HeraldError('HERALD_NOT_AVAILABLE', 'this balancer was not started by `herald serve`');
}
