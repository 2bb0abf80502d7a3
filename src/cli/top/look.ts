// One look at a balancer for `herald top`.
import { HeraldError } from '../../core/error.ts';
import type { NodeList, PoolList } from '../../protocol/admin-api.ts';
import type { FreezeState, OperationList } from '../../protocol/operations.ts';
import type { AdminClient } from '../admin-client.ts';
import type { Fleet } from './view.ts';

/** The fleet, with the nodes of `pool`, or of the first pool when it is ''. */
export async function lookAt(client: AdminClient, pool: string): Promise<Fleet> {
  const { pools } = await client.get<PoolList>('/v1/pools');
  const shown = pool === '' ? (pools[0]?.pool ?? '') : pool;
  if (!pools.some((each) => each.pool === shown))
    return { pools, nodes: [], operations: [], freeze: undefined };
  const path = `/v1/pools/${encodeURIComponent(shown)}`;
  const { nodes } = await client.get<NodeList>(`${path}/nodes`);
  const query = `pool=${encodeURIComponent(shown)}&state=running`;
  const list = await ifThere(client.get<OperationList>(`/v1/operations?${query}`));
  const freeze = await ifThere(client.get<FreezeState>(`${path}/freeze`));
  return { pools, nodes, operations: list?.operations ?? [], freeze };
}

/** Undefined where the balancer runs without its control loops. */
async function ifThere<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked;
  } catch (error) {
    const codes = ['HERALD_NOT_AVAILABLE', 'HERALD_NOT_FOUND', 'HERALD_POOL_UNKNOWN'];
    if (error instanceof HeraldError && codes.includes(error.code)) return undefined;
    throw error;
  }
}
