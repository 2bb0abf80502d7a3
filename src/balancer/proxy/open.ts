// What is under way and must end with its listener: heads, dials, handshakes, relays, goodbyes.

/** Something under way. */
export interface Ending {
  /** Ends it at once; must be idempotent and must not throw. */
  destroy(): void;
}

/** The set of what is under way. Who adds something removes it when it has ended. */
export class Open {
  readonly #members = new Set<Ending>();

  /** How many there are. */
  get size(): number {
    return this.#members.size;
  }

  add(member: Ending): void {
    this.#members.add(member);
  }

  remove(member: Ending): void {
    this.#members.delete(member);
  }

  /** Ends everything. */
  destroyAll(): void {
    for (const member of this.#members) member.destroy();
    this.#members.clear();
  }
}
