// One look at a balancer for `herald top`.
import type { NodeList, PoolList } from '../../protocol/admin-api.ts';
import type { OperationList } from '../../protocol/operations.ts';
import type { AdminClient } from '../admin-client.ts';
import { ifThere, readFreeze } from '../pool-freeze.ts';
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
  const freeze = await readFreeze(client, shown);
  return { pools, nodes, operations: list?.operations ?? [], freeze };
}
