// What is under way and must end with its listener: heads, dials, handshakes, relays, goodbyes.
import { Roster, type Member } from './roster.ts';

/** Something under way. */
export interface Ending extends Member {
  /** Ends it at once; must be idempotent and must not throw. */
  destroy(): void;
}

/** Everything that is under way. Who adds something removes it when it has ended. */
export class Open {
  readonly #members = new Roster<Ending>();

  /** How many there are. */
  get size(): number {
    return this.#members.size;
  }

  add(member: Ending): void {
    this.#members.add(member);
  }

  remove(member: Ending): void {
    this.#members.remove(member);
  }

  /** Ends everything. */
  destroyAll(): void {
    for (const member of this.#members.all()) {
      this.#members.remove(member);
      member.destroy();
    }
  }
}
