// What `herald status` says of the processes that relay.
import type { WorkersAnswer } from '../protocol/workers.ts';
import type { AdminClient } from './admin-client.ts';
import { ifThere } from './pool-freeze.ts';

/** None from a balancer of an earlier version, either. */
export async function readWorkers(client: AdminClient): Promise<WorkersAnswer['workers']> {
  const answer = await ifThere(client.get<Partial<WorkersAnswer>>('/v1/workers'));
  return answer?.workers ?? [];
}

/** One line; '' where the main process relays itself, and, unless it is `wide`, while all is as it should be. */
export function workerLine(
  workers: WorkersAnswer['workers'],
  { isWide }: { readonly isWide: boolean },
): string {
  const isSound = workers.every(({ state, restarts }) => state === 'serving' && restarts === 0);
  if (workers.length === 0 || (isSound && !isWide)) return '';
  const each = workers.map(({ state, connections, restarts }) => {
    const again = restarts === 0 ? '' : `, replaced ${restarts === 1 ? 'once' : `${restarts} times`}`;
    return state === 'serving' ? `${connections}${again}` : `${state}${again}`;
  });
  return `workers ${workers.length} · connections ${each.join(' / ')}`;
}
