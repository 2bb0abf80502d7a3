// The dead letters of one webhook: events that were given up, the newest kept, each to be sent once more on demand.
import type { QueuedEvent } from './delivery-queue.ts';
import { sizeOf, type QueueBounds } from './delivery-queue.ts';

/** An event that was given up. */
export interface DeadEvent {
  readonly event: QueuedEvent;
  /** ISO 8601, UTC. */
  readonly diedAt: string;
  readonly reason: string;
}

/** At most so many, the newest last. */
export class DeadLetters {
  readonly #letters: DeadEvent[] = [];
  #bytes = 0;

  get all(): readonly DeadEvent[] {
    return this.#letters;
  }

  /** Keeps one and answers those that had to go for it, the oldest first; maybe itself. */
  add(letter: DeadEvent, { maxEvents, maxBytes }: QueueBounds): DeadEvent[] {
    this.#letters.push(letter);
    this.#bytes += sizeOf(letter.event);
    const forgotten: DeadEvent[] = [];
    while (this.#letters.length > maxEvents || this.#bytes > maxBytes) {
      const oldest = this.#letters.shift();
      if (oldest === undefined) break;
      this.#bytes -= sizeOf(oldest.event);
      forgotten.push(oldest);
    }
    return forgotten;
  }

  /** Takes out the one of this event; undefined when there is none. */
  take(id: string): DeadEvent | undefined {
    const index = this.#letters.findIndex(({ event }) => event.id === id);
    const [letter] = index < 0 ? [] : this.#letters.splice(index, 1);
    if (letter !== undefined) this.#bytes -= sizeOf(letter.event);
    return letter;
  }
}
