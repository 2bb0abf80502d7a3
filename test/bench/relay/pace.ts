// Round trips at a given rate, each timed from when it was due: a subject that is late makes the next ones wait, and that
// counts.
import type { LoadClient } from './client.ts';

/** One run; its clients are idle before it. */
export class Pace {
  readonly #idle: LoadClient[];
  readonly #durationMs: number;
  readonly #intervalMs: number;
  readonly #timesMs: Float64Array;
  /** When the messages were due that no idle client was there for. */
  readonly #late: number[] = [];
  #count = 0;

  constructor(
    clients: readonly LoadClient[],
    { durationMs, perSecond }: { durationMs: number; perSecond: number },
  ) {
    this.#idle = [...clients];
    this.#durationMs = durationMs;
    this.#intervalMs = 1000 / perSecond;
    this.#timesMs = new Float64Array(Math.ceil((durationMs * perSecond) / 1000) + 1);
  }

  /** Round trips that have ended. */
  get count(): number {
    return this.#count;
  }

  /** Of the time from due to back, in microseconds; NaN before any has ended. */
  quantileUs(part: number): number {
    const sorted = this.#timesMs.slice(0, this.#count).toSorted();
    return (sorted[Math.floor(part * (sorted.length - 1))] ?? NaN) * 1000;
  }

  /** Spins: a timer would wake up a millisecond late, and so would a sleeping processor. */
  run(): Promise<void> {
    return new Promise((resolve) => {
      const startMs = performance.now();
      let dueMs = startMs;
      const turn = (): void => {
        const nowMs = performance.now();
        for (; dueMs <= nowMs; dueMs += this.#intervalMs) this.#begin(dueMs);
        if (nowMs - startMs < this.#durationMs) setImmediate(turn);
        else resolve();
      };
      turn();
    });
  }

  answered(client: LoadClient): void {
    if (this.#count < this.#timesMs.length) this.#timesMs[this.#count] = performance.now() - client.dueMs;
    this.#count += 1;
    const dueMs = this.#late.shift();
    if (dueMs === undefined) this.#idle.push(client);
    else this.#send(client, dueMs);
  }

  // From the other end than they come back to, so that all take part.
  #begin(dueMs: number): void {
    const client = this.#idle.shift();
    if (client === undefined) this.#late.push(dueMs);
    else this.#send(client, dueMs);
  }

  #send(client: LoadClient, dueMs: number): void {
    client.dueMs = dueMs;
    client.send();
  }
}
