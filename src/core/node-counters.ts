// What a data plane counts for one node: the one mutable leaf of a snapshot, so that a placement is seen at once.

const historyLength = 128;

/** What was counted at one instant of the past. */
export interface CountedAt {
  /** Messages relayed both ways since the node was first seen. */
  readonly messages: number;
  /** Connections open or being dialled. */
  readonly connections: number;
}

/** Counts of one node. Gauges go up and down, `…Total` only up. */
export class NodeCounters {
  /** Placements whose node has not answered yet. */
  dialling = 0;
  /** Connections carried now. */
  open = 0;
  /** Messages per second to be expected now from what is open and being dialled; see ConnectionTable. */
  messagesPerSecond = 0;
  placedTotal = 0;
  openedTotal = 0;
  failedTotal = 0;
  messagesToNodeTotal = 0;
  messagesToClientTotal = 0;
  bytesToNodeTotal = 0;
  bytesToClientTotal = 0;

  readonly #atMs = new Float64Array(historyLength).fill(NaN);
  readonly #messages = new Float64Array(historyLength);
  readonly #connections = new Float64Array(historyLength);
  #recorded = 0;

  /** Connections open or being dialled. */
  get connections(): number {
    return this.open + this.dialling;
  }

  /** Messages relayed both ways. */
  get messagesTotal(): number {
    return this.messagesToNodeTotal + this.messagesToClientTotal;
  }

  /** Notes the counts at `nowMs` for `at`. Called at even steps, about ten times a second. */
  record(nowMs: number): void {
    const slot = this.#recorded % historyLength;
    this.#atMs[slot] = nowMs;
    this.#messages[slot] = this.messagesTotal;
    this.#connections[slot] = this.connections;
    this.#recorded += 1;
  }

  /**
   * The counts at a past instant, between two notes by straight line; the oldest note for anything
   * older, the counts now for anything newer than the last note or when nothing was noted yet.
   */
  at(atMs: number, nowMs: number): CountedAt {
    let later: CountedAt = { messages: this.messagesTotal, connections: this.connections };
    let laterAtMs = nowMs;
    const oldest = Math.max(0, this.#recorded - historyLength);
    for (let index = this.#recorded - 1; index >= oldest; index -= 1) {
      const slot = index % historyLength;
      const noteAtMs = this.#atMs[slot] ?? NaN;
      const note = { messages: this.#messages[slot] ?? 0, connections: this.#connections[slot] ?? 0 };
      if (noteAtMs <= atMs)
        return between({ from: note, to: later }, (atMs - noteAtMs) / (laterAtMs - noteAtMs));
      later = note;
      laterAtMs = noteAtMs;
    }
    return later;
  }
}

function between({ from, to }: { from: CountedAt; to: CountedAt }, part: number): CountedAt {
  // Two notes at one instant leave nothing to interpolate.
  if (!(part > 0)) return from;
  const near = Math.min(part, 1);
  return {
    messages: from.messages + (to.messages - from.messages) * near,
    // A count is a step, not a slope: half a connection would be neither before nor after.
    connections: near < 1 ? from.connections : to.connections,
  };
}
