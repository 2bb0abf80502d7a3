// The ids of a pool's nodes in the order of its snapshots, made anew only when they have changed: who signs cookies for
// a thousand nodes, or looks for one of them at each placement, keeps what it has found while the list is the same.

/** The order of one pool's nodes. */
export class NodeOrder {
  readonly #nodes: ReadonlyMap<string, unknown>;
  #ids: readonly string[] = [];
  #indexes: ReadonlyMap<string, number> = new Map();
  #isStale = true;

  /** `nodes` by id; whoever changes it calls `changed`. */
  constructor(nodes: ReadonlyMap<string, unknown>) {
    this.#nodes = nodes;
  }

  /** Says that nodes may have come or gone. */
  changed(): void {
    this.#isStale = true;
  }

  /** The same array until nodes come or go; empty without nodes. */
  get ids(): readonly string[] {
    this.#refresh();
    return this.#ids;
  }

  /** Where the node stands in every list of a snapshot; -1 when there is none of this id. */
  indexOf(id: string): number {
    this.#refresh();
    return this.#indexes.get(id) ?? -1;
  }

  #refresh(): void {
    if (!this.#isStale) return;
    this.#isStale = false;
    const ids = [...this.#nodes.keys()];
    if (ids.length === this.#ids.length && ids.every((id, index) => id === this.#ids[index])) return;
    this.#ids = ids;
    this.#indexes = new Map(ids.map((id, index) => [id, index]));
  }
}
