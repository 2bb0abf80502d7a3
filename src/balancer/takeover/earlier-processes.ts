// What processes that this one has replaced still carry, as they tell it, and its sum on each node. What a node's counts
// do with it is core/node-counters.ts.
import type { PoolState } from '../state/pool-state.ts';
import type { NodeCounts } from './counts.ts';
import type { ProcessCounts, ToSuccessor } from './messages.ts';

/** One process that relays what it had when it was replaced. */
export interface EarlierProcess {
  readonly generation: number;
  readonly pid: number;
  readonly connections: number;
}

/** The overlay of their counts over the nodes of this process. */
export class EarlierProcesses {
  readonly #pools: ReadonlyMap<string, PoolState>;
  #processes = new Map<number, ProcessCounts>();

  constructor(pools: ReadonlyMap<string, PoolState>) {
    this.#pools = pools;
  }

  /** Oldest first, as they have told it; with what they pass on of those before them. */
  get processes(): readonly ProcessCounts[] {
    return [...this.#processes.values()].toSorted((a, b) => a.generation - b.generation);
  }

  /** Oldest first, with their connections. */
  view(): EarlierProcess[] {
    return this.processes.map(({ generation, pid, pools }) => ({
      generation,
      pid,
      connections: Object.values(pools)
        .flatMap((nodes) => Object.values(nodes))
        .reduce((sum, [open]) => sum + open, 0),
    }));
  }

  /** Takes a message in. A whole one replaces everything: who is not in it has ended. */
  absorb({ isWhole, processes }: ToSuccessor & { type: 'counts' }): void {
    if (isWhole) this.#processes = new Map(processes.map((each) => [each.generation, each]));
    else for (const each of processes) this.#processes.set(each.generation, merged(this.#processes, each));
    this.#apply();
  }

  /** The channel to them is gone, and with it all that they carried. */
  clear(): void {
    this.#processes.clear();
    this.#apply();
  }

  #apply(): void {
    for (const [name, pool] of this.#pools) {
      let changed = 0;
      for (const [id, { counters }] of pool.nodes) {
        const [open, messagesPerSecond] = this.#sumOn(name, id);
        const isSame = counters.earlierOpen === open;
        counters.earlierMessagesPerSecond = messagesPerSecond;
        if (isSame) continue;
        counters.earlierOpen = open;
        changed += 1;
      }
      if (changed > 0) pool.markDirty();
    }
  }

  #sumOn(pool: string, node: string): NodeCounts {
    let open = 0;
    let messagesPerSecond = 0;
    for (const { pools } of this.#processes.values()) {
      const counts = countsIn(pools, pool)[node];
      open += counts?.[0] ?? 0;
      messagesPerSecond += counts?.[1] ?? 0;
    }
    return [open, messagesPerSecond];
  }
}

type Nodes = Readonly<Record<string, NodeCounts>>;

function countsIn(pools: ProcessCounts['pools'], pool: string): Nodes {
  return Object.hasOwn(pools, pool) ? (pools[pool] ?? {}) : {};
}

function merged(known: ReadonlyMap<number, ProcessCounts>, change: ProcessCounts): ProcessCounts {
  const before = known.get(change.generation)?.pools ?? {};
  const pools: Record<string, Nodes> = { ...before };
  for (const [pool, nodes] of Object.entries(change.pools)) pools[pool] = { ...before[pool], ...nodes };
  return { ...change, pools };
}
