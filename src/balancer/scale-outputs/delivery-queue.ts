// The events that wait for one webhook: a lane for each pool, first in, first out, bounded together. When they are sent
// is delivery.ts's work.

/** An event on its way. Only attempts and reason change. */
export interface QueuedEvent {
  readonly id: string;
  readonly type: string;
  readonly pool: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Sent as it is, in every attempt. */
  readonly body: string;
  /** By the clock's `nowMs`; below 0 for one that waited before a restart. */
  readonly queuedAtMs: number;
  attempts: number;
  /** Of the last failed attempt; '' before. */
  reason: string;
}

/** The events of one pool. */
export interface Lane {
  readonly pool: string;
  /** Its head is the one that is sent. */
  readonly events: QueuedEvent[];
  isSending: boolean;
  /** Failed attempts in a row. */
  failures: number;
  /** Nothing is sent before this. */
  dueAtMs: number;
}

/** How much may wait: more pushes out what waits longest. */
export interface QueueBounds {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/** Lanes with bounds over all of them. */
export class DeliveryQueue {
  readonly #lanes = new Map<string, Lane>();
  /** Order of arrival over all lanes. */
  readonly #order = new Map<QueuedEvent, number>();
  #arrivals = 0;
  #bytes = 0;

  /** Events that wait or are being sent. */
  get size(): number {
    return this.#order.size;
  }

  /** In the order in which they may be sent next. */
  get lanes(): Iterable<Lane> {
    return this.#lanes.values();
  }

  /** By pool, each in order. */
  get events(): readonly QueuedEvent[] {
    return [...this.#lanes.values()].flatMap(({ events }) => events);
  }

  /** Puts an event behind those of its pool. */
  add(event: QueuedEvent): void {
    let lane = this.#lanes.get(event.pool);
    if (lane === undefined) {
      lane = { pool: event.pool, events: [], isSending: false, failures: 0, dueAtMs: -Infinity };
      this.#lanes.set(event.pool, lane);
    }
    lane.events.push(event);
    this.#order.set(event, this.#arrivals++);
    this.#bytes += sizeOf(event);
  }

  /** Takes an event out; its lane goes with the last one. */
  remove(lane: Lane, event: QueuedEvent): void {
    const index = lane.events.indexOf(event);
    if (index < 0) return;
    lane.events.splice(index, 1);
    this.#order.delete(event);
    this.#bytes -= sizeOf(event);
    if (lane.events.length === 0) this.#lanes.delete(lane.pool);
  }

  /** Lets the other lanes go first from now on. */
  stepBack(lane: Lane): void {
    if (!this.#lanes.delete(lane.pool)) return;
    this.#lanes.set(lane.pool, lane);
  }

  /** Takes out what is over the bounds, the longest waiting first; one that is being sent stays. */
  takeOverflow({ maxEvents, maxBytes }: QueueBounds): QueuedEvent[] {
    const taken: QueuedEvent[] = [];
    while (this.#order.size > maxEvents || this.#bytes > maxBytes) {
      const oldest = this.#oldestWaiting();
      if (oldest === undefined) break;
      this.remove(oldest.lane, oldest.event);
      taken.push(oldest.event);
    }
    return taken;
  }

  /** When the oldest was queued; undefined when nothing waits. */
  get oldestAtMs(): number | undefined {
    let oldest: number | undefined;
    for (const { events } of this.#lanes.values())
      for (const { queuedAtMs } of events) oldest = Math.min(oldest ?? Infinity, queuedAtMs);
    return oldest;
  }

  #oldestWaiting(): { lane: Lane; event: QueuedEvent } | undefined {
    let found: { lane: Lane; event: QueuedEvent } | undefined;
    let least = Infinity;
    for (const lane of this.#lanes.values()) {
      const event = lane.events[lane.isSending ? 1 : 0];
      const order = event === undefined ? Infinity : (this.#order.get(event) ?? Infinity);
      if (event === undefined || order >= least) continue;
      least = order;
      found = { lane, event };
    }
    return found;
  }
}

/** Bytes that an event takes of the bounds: its body and some more around it. */
export function sizeOf({ body }: { readonly body: string }): number {
  return Buffer.byteLength(body) + 128;
}
