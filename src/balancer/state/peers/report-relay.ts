// Reports on their way to peers: those taken in since the last tick, and for a newcomer the newest of every node.
import { encodeReports, type PeerReport } from '../../../protocol/peer-words.ts';
import type { Report } from '../../../protocol/report.ts';
import type { PoolState } from '../pool-state.ts';

interface Taken {
  readonly report: PeerReport;
  readonly atMs: number;
}

const maxAgeMs = 60_000;
// Two seconds of reports of a thousand nodes.
const maxWaiting = 2000;

/** Keeps reports until they are said. */
export class ReportRelay {
  readonly #pools: ReadonlyMap<string, PoolState>;
  readonly #waiting = new Map<string, Taken[]>();
  /** By pool and node: what this balancer took in last. */
  readonly #newest = new Map<string, Map<string, Taken>>();
  #waitingCount = 0;

  constructor(pools: ReadonlyMap<string, PoolState>) {
    this.#pools = pools;
  }

  /** A report was taken in here; `isHeard`: somebody listens. The newest go when they are too many. */
  take(report: PeerReport, atMs: number, isHeard: boolean): void {
    const { pool, node } = report.report;
    const taken = { report, atMs };
    const newest = this.#newest.get(pool) ?? new Map<string, Taken>();
    this.#newest.set(pool, newest.set(node.id, taken));
    if (isHeard) this.#wait(pool, taken);
  }

  /** Somebody has come who has heard none: every node's newest report is said again; the others know it for stale. */
  repeat(): void {
    for (const [pool, newest] of this.#newest)
      for (const taken of newest.values()) if (this.#isCurrent(taken.report.report)) this.#wait(pool, taken);
  }

  /** Texts of what waits, by pool; then nothing waits. */
  texts(nowMs: number): ReadonlyMap<string, readonly string[]> {
    const texts = new Map<string, readonly string[]>();
    for (const [pool, waiting] of this.#waiting)
      texts.set(pool, encodeReports(waiting.map(({ report, atMs }) => older(report, nowMs - atMs))));
    this.#waiting.clear();
    this.#waitingCount = 0;
    return texts;
  }

  /** Forgets nodes that are gone. */
  keep(): void {
    for (const [pool, newest] of this.#newest) {
      const nodes = this.#pools.get(pool)?.nodes;
      if (nodes === undefined) this.#newest.delete(pool);
      for (const id of newest.keys()) if (nodes?.has(id) !== true) newest.delete(id);
    }
  }

  #wait(pool: string, taken: Taken): void {
    if (this.#waitingCount >= maxWaiting) return;
    const waiting = this.#waiting.get(pool) ?? [];
    this.#waiting.set(pool, waiting);
    waiting.push(taken);
    this.#waitingCount += 1;
  }

  /** Of an earlier life of the agent, it would look to the others as if the agent had been restarted. */
  #isCurrent({ pool, node, epoch, seq, leaving }: Report): boolean {
    const load = this.#pools.get(pool)?.nodes.get(node.id)?.load;
    return !leaving && load !== undefined && load.epoch === epoch && load.seq === seq;
  }
}

/** The same report, so many milliseconds later. */
export function older(heard: PeerReport, byMs: number): PeerReport {
  const ageMs = Math.min(maxAgeMs, heard.report.ageMs + Math.max(0, byMs));
  return { ...heard, report: { ...heard.report, ageMs } };
}
