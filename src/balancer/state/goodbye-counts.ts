// What came of the goodbyes of one node's connections.
import type { ConnectionKind, GoodbyeOutcome } from './ports.ts';

/** One count. */
export interface GoodbyeCount {
  readonly kind: ConnectionKind;
  readonly outcome: GoodbyeOutcome;
  /** 1 or more. */
  readonly count: number;
}

/** Counts by kind and outcome; both are a fixed few, so this stays small. */
export class GoodbyeCounts {
  readonly #counts = new Map<string, GoodbyeCount>();

  add(kind: ConnectionKind, outcome: GoodbyeOutcome): void {
    const key = `${kind} ${outcome}`;
    const count = (this.#counts.get(key)?.count ?? 0) + 1;
    this.#counts.set(key, { kind, outcome, count });
  }

  /** What has been counted, without zeros. */
  get all(): Iterable<GoodbyeCount> {
    return this.#counts.values();
  }
}
