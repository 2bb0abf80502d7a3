// What operators want of nodes, kept for as long as they want it: also while a node is away, so that one that was
// drained and comes back is still drained.
import type { AdminState } from '../../core/snapshot.ts';
import type { NodeRecord } from './node-record.ts';
import type { PoolState } from './pool-state.ts';

/** A wish other than `ready`. */
export interface AdminWish {
  readonly pool: string;
  readonly node: string;
  readonly adminState: AdminState;
  /** The agent's epoch under which the node asked for it itself; absent for an operator's wish. */
  readonly selfDrainEpoch?: string;
}

// Nodes with names of their own for each start are drained once and never come back.
const maxKept = 1000;

/** Wishes of a registry's nodes: of those that are there by their records, of the others here. */
export class AdminWishes {
  readonly #pools: ReadonlyMap<string, PoolState>;
  readonly #away = new Map<string, AdminWish>();
  /** Another number whenever a wish changes. */
  revision = 0;

  constructor(pools: ReadonlyMap<string, PoolState>) {
    this.#pools = pools;
  }

  /** Every wish, of nodes that are there and of those that are away. */
  all(): AdminWish[] {
    const here = [...this.#pools.values()].flatMap((pool) =>
      [...pool.nodes.values()].flatMap((node) => wishOf(pool.name, node) ?? []),
    );
    return [...here, ...this.#away.values()];
  }

  /** A node is forgotten. What it asked for itself has come to its end with it. */
  keep(pool: string, node: NodeRecord): void {
    const wish = wishOf(pool, node);
    if (wish === undefined || wish.selfDrainEpoch !== undefined) return;
    this.#put(wish);
  }

  /** A node is there: it takes its wish over. */
  give(pool: string, node: NodeRecord): void {
    const key = keyOf(pool, node.identity.id);
    const wish = this.#away.get(key);
    if (wish === undefined) return;
    this.#away.delete(key);
    node.adminState = wish.adminState;
    node.selfDrainEpoch = wish.selfDrainEpoch;
  }

  /** Takes back what was saved: for the node, if it is there, or until it comes. */
  restore(wish: AdminWish): void {
    this.#put(wish);
    const pool = this.#pools.get(wish.pool);
    const node = pool?.nodes.get(wish.node);
    if (pool === undefined || node === undefined) return;
    this.give(wish.pool, node);
    pool.discardAssessment();
  }

  /** Nothing is wanted any more of a node that is away. */
  forget(pool: string, node: string): void {
    if (this.#away.delete(keyOf(pool, node))) this.revision += 1;
  }

  #put(wish: AdminWish): void {
    this.revision += 1;
    this.#away.set(keyOf(wish.pool, wish.node), wish);
    const [oldest] = this.#away.keys();
    if (this.#away.size > maxKept && oldest !== undefined) this.#away.delete(oldest);
  }
}

function wishOf(pool: string, record: NodeRecord): AdminWish | undefined {
  const { identity, adminState, selfDrainEpoch, afterSelfDrain } = record;
  const node = identity.id;
  if (adminState === 'ready') return undefined;
  if (selfDrainEpoch === undefined) return { pool, node, adminState };
  // Under `maint` nothing is placed either: what an operator wants outlives what the node asked for.
  return afterSelfDrain === 'ready'
    ? { pool, node, adminState, selfDrainEpoch }
    : { pool, node, adminState: afterSelfDrain };
}

function keyOf(pool: string, node: string): string {
  return `${pool} ${node}`;
}
