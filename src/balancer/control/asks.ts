// Connections that a node's own agent is to shed: what waits for its next report, and what it has been told.

/** So many connections that an application is to say goodbye to. */
interface Ask {
  /** Not gone yet, 0 or more. */
  remaining: number;
  /** Instant of the clock up to which the application may take its time; then the relay closes them. */
  readonly untilMs: number;
  /** An answer to a report has carried it. Answers can be lost: then the relay closes them, too. */
  isDelivered: boolean;
}

/** The asks of one node. The application chooses which connections go, so these are numbers and not ids. */
export class NodeAsks {
  #asks: Ask[] = [];

  /** Asked for, and not gone yet. */
  get outstanding(): number {
    return this.#asks.reduce((sum, { remaining }) => sum + remaining, 0);
  }

  /** Asks for so many more; one ask between two reports, however often this is called. */
  add(count: number, untilMs: number): void {
    const last = this.#asks.at(-1);
    if (last !== undefined && !last.isDelivered) last.remaining += count;
    else this.#asks.push({ remaining: count, untilMs, isDelivered: false });
  }

  /** What the next answer to a report asks for; undefined for nothing. Told once. */
  take(nowMs: number): { count: number; byMs: number } | undefined {
    const due = this.#asks.filter((ask) => !ask.isDelivered && ask.untilMs > nowMs);
    const count = due.reduce((sum, { remaining }) => sum + remaining, 0);
    if (count === 0) return undefined;
    for (const ask of due) ask.isDelivered = true;
    return { count, byMs: Math.round(Math.min(...due.map(({ untilMs }) => untilMs)) - nowMs) };
  }

  /** So many connections of the node have gone: how many of them went as they were asked to. */
  gone(count: number): number {
    let left = count;
    for (const ask of this.#asks) {
      // Who goes before the agent has been told goes by itself.
      if (!ask.isDelivered) continue;
      const gone = Math.min(left, ask.remaining);
      ask.remaining -= gone;
      left -= gone;
    }
    this.#asks = this.#asks.filter(({ remaining }) => remaining > 0);
    return count - left;
  }

  /** Takes back what goes beyond so many, the newest first: nobody is left for it. The number taken back. */
  shrinkTo(most: number): number {
    let excess = Math.max(0, this.outstanding - most);
    const dropped = excess;
    for (const ask of this.#asks.toReversed()) {
      const less = Math.min(excess, ask.remaining);
      ask.remaining -= less;
      excess -= less;
    }
    this.#asks = this.#asks.filter(({ remaining }) => remaining > 0);
    return dropped;
  }

  /** Ends what the application did not do in time; `nowMs` Infinity ends all. The number not gone. */
  late(nowMs: number): number {
    const late = this.#asks.filter(({ untilMs }) => untilMs <= nowMs);
    this.#asks = this.#asks.filter(({ untilMs }) => untilMs > nowMs);
    return late.reduce((sum, { remaining }) => sum + remaining, 0);
  }

  /** Takes back everything. The number that the agent has not heard of. */
  withdraw(): number {
    const unheard = this.#asks.filter(({ isDelivered }) => !isDelivered);
    this.#asks = [];
    return unheard.reduce((sum, { remaining }) => sum + remaining, 0);
  }
}
