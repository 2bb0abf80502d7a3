// What `herald status` says of processes that have been replaced and still relay.
import type { TakeoverView } from '../protocol/takeover.ts';
import type { AdminClient } from './admin-client.ts';
import { ifThere } from './pool-freeze.ts';

/** Which process answers, and those before it; undefined where the balancer was not started by `herald serve`. */
export function readTakeover(client: AdminClient): Promise<TakeoverView | undefined> {
  return ifThere(client.get<TakeoverView>('/v1/takeover'));
}

/** One sentence; '' where no earlier process is left. */
export function earlierSentence(view: TakeoverView | undefined): string {
  const earlier = view?.earlier ?? [];
  if (view === undefined || earlier.length === 0) return '';
  const each = earlier.map(({ pid, connections }) => `process ${pid} ${connections}`).join(', ');
  const sum = earlier.reduce((total, { connections }) => total + connections, 0);
  const still = `${sum} connection${sum === 1 ? '' : 's'} still relayed by`;
  const who = earlier.length === 1 ? 'an earlier process' : `${earlier.length} earlier processes`;
  return `generation ${view.generation} serves (process ${view.pid}) · ${still} ${who}: ${each}`;
}
