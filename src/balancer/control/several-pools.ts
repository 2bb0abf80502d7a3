// The refusal of a request about nodes of several pools: it says which node is where, and how to go on.
import { HeraldError } from '../../core/error.ts';
import type { AdminState } from '../../core/snapshot.ts';

/** A node and the pool that it is in. */
export interface NodeInPool {
  readonly id: string;
  readonly pool: string;
}

/**
 * HERALD_ADMIN_STATE_INVALID for nodes of which at least one is not in `pool`. The commands are told pool by pool, since
 * each pool has its own policy, and its own room for what leaves.
 */
export function severalPools(
  pool: string,
  nodes: readonly NodeInPool[],
  adminState: AdminState = 'drain',
): HeraldError {
  const foreign = nodes.find((node) => node.pool !== pool);
  const pools = new Set(nodes.map((node) => node.pool));
  const commands = [...pools].map((each) => {
    const ids = nodes.flatMap((node) => (node.pool === each ? [node.id] : []));
    return `\`herald ${adminState} ${ids.join(' ')}\``;
  });
  const first = nodes.find((node) => node.pool === pool);
  const beside = first === undefined ? '' : `, where '${first.id}' is`;
  const where = `node '${foreign?.id}' is in pool '${foreign?.pool}', not in pool '${pool}'${beside}`;
  const what =
    commands.length === 1 ? 'it by its own command' : `them in ${counted(commands.length)} commands`;
  const message = `${where}: ${adminState} ${what}, ${commands.join(' and ')}`;
  return new HeraldError('HERALD_ADMIN_STATE_INVALID', message, { node: foreign?.id, pool: foreign?.pool });
}

function counted(commands: number): string {
  return commands === 2 ? 'two' : `${commands}`;
}
