// How many of those shed came back somewhere? No client says that it has been here before, so arrivals tell.
// Who has not come back within a minute is not waited for.
const waitMs = 60_000;
// The usual rate is the lower quartile of these spans: a storm that has just passed is not usual. Rather too low: then
// a few newcomers are taken to be back, where else those who are back would be waited for.
const spanMs = 1_500;
const spans = 9;

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
  /** Openings per second of the last spans in which nobody was out. */
  #seen: number[] = [];
  #span = { opened: 0, elapsedMs: 0 };
  #excess = 0;
  #lastOpened: number | undefined;
  #lastAtMs = 0;

  /** Shed within the last minute and not taken to be back, 0 or more. */
  get out(): number {
    return this.#sheds.reduce((sum, { count }) => sum + count, 0);
  }

  /** Connections per second that opened before the shed, 0 or more. */
  get usualPerSecond(): number {
    const sorted = this.#seen.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 4)] ?? 0;
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
    this.#span.opened += opened;
    this.#span.elapsedMs += elapsedMs;
    if (this.#span.elapsedMs < spanMs) return;
    this.#seen = [...this.#seen, (this.#span.opened * 1000) / this.#span.elapsedMs].slice(-spans);
    this.#span = { opened: 0, elapsedMs: 0 };
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
