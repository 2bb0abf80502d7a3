// What was restored of nodes that have not come back yet, by pool and node id.
import type { Restored } from '../../core/restored.ts';

/** Learning that waits for its node. An id is the key: a node that comes back elsewhere is the same node. */
export class RestoredNodes {
  readonly #pools = new Map<string, Map<string, Restored>>();

  put(pool: string, id: string, restored: Restored): void {
    const nodes = this.#pools.get(pool) ?? new Map<string, Restored>();
    nodes.set(id, restored);
    this.#pools.set(pool, nodes);
  }

  /** Hands a node's learning out, once; undefined when none waits. */
  take(pool: string, id: string): Restored | undefined {
    const nodes = this.#pools.get(pool);
    const restored = nodes?.get(id);
    nodes?.delete(id);
    return restored;
  }

  /** What still waits in a pool. */
  of(pool: string): ReadonlyMap<string, Restored> {
    return this.#pools.get(pool) ?? new Map<string, Restored>();
  }
}
