// How many of those shed came back somewhere? No client says that it has been here before, so arrivals tell.

// DESIGN: who has not come back within a minute is not waited for.
const waitMs = 60_000;
// As long as nobody is out, the usual rate follows what is seen, with a memory of half a minute.
const usualMemoryMs = 30_000;

interface Shed {
  readonly atMs: number;
  count: number;
  readonly cameBack: (count: number) => void;
}

/**
 * The estimate of one pool: what opens above the usual rate of before the shed is taken to be those shed, the oldest
 * first, never more than are out. Few and steady arrivals make it good; many make it rough.
 */
export class PoolReturns {
  #sheds: Shed[] = [];
  #usualPerSecond: number | undefined;
  #excess = 0;
  #lastOpened: number | undefined;
  #lastAtMs = 0;

  /** Shed within the last minute and not taken to be back, 0 or more. */
  get out(): number {
    return this.#sheds.reduce((sum, { count }) => sum + count, 0);
  }

  /** Connections per second that opened before the shed, 0 or more. */
  get usualPerSecond(): number {
    return this.#usualPerSecond ?? 0;
  }

  /** So many were asked to leave now; `cameBack` hears of those that are taken to be back. */
  shed(count: number, atMs: number, cameBack: (count: number) => void): void {
    if (count > 0) this.#sheds.push({ atMs, count, cameBack });
  }

  /** Takes in how many connections have opened in the pool since the balancer started. */
  tick(openedTotal: number, nowMs: number): void {
    const elapsedMs = nowMs - this.#lastAtMs;
    const opened = Math.max(0, openedTotal - (this.#lastOpened ?? openedTotal));
    const isFirst = this.#lastOpened === undefined;
    this.#lastOpened = openedTotal;
    this.#lastAtMs = nowMs;
    if (isFirst || elapsedMs <= 0) return;
    this.#sheds = this.#sheds.filter(({ atMs, count }) => count > 0 && nowMs - atMs < waitMs);
    if (this.#sheds.length === 0) return this.#learn(opened, elapsedMs);
    const usual = (this.usualPerSecond * elapsedMs) / 1000;
    // A quiet spell pays for the next seconds only: else an hour of it would hide a whole drain.
    this.#excess = Math.max(this.#excess + opened - usual, -this.usualPerSecond);
    this.#credit(Math.floor(this.#excess));
  }

  #learn(opened: number, elapsedMs: number): void {
    this.#excess = 0;
    const seen = (opened * 1000) / elapsedMs;
    const kept = Math.exp(-elapsedMs / usualMemoryMs);
    this.#usualPerSecond =
      this.#usualPerSecond === undefined ? seen : kept * this.#usualPerSecond + (1 - kept) * seen;
  }

  #credit(arrived: number): void {
    let left = arrived;
    for (const shed of this.#sheds) {
      if (left <= 0) break;
      const back = Math.min(left, shed.count);
      shed.count -= back;
      left -= back;
      this.#excess -= back;
      shed.cameBack(back);
    }
  }
}
