// The newest report of each node: what came since workers were last told, and everything for a worker that begins.
import type { Clock } from '../../core/clock.ts';
import type { PeerReport } from '../../protocol/peer-words.ts';
import type { Report } from '../../protocol/report.ts';
import type { ReportSource } from '../state/claim.ts';
import { older } from '../state/peers/report-relay.ts';
import type { PoolState } from '../state/pool-state.ts';

interface Entry {
  readonly report: Report;
  readonly source: ReportSource;
  readonly takenAtMs: number;
}

/** Reports by pool and node. A flood of them comes to one each for each telling. */
export class ReportBook {
  readonly #clock: Clock;
  readonly #newest = new Map<string, Entry>();
  #fresh = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(report: Report, source: ReportSource): void {
    const key = keyOf(report.pool, report.node.id);
    this.#newest.set(key, { report, source, takenAtMs: this.#clock.nowMs() });
    this.#fresh.add(key);
  }

  /** What came since this was last asked. */
  takeFresh(): readonly PeerReport[] {
    if (this.#fresh.size === 0) return [];
    const fresh = this.#fresh;
    this.#fresh = new Set();
    return [...fresh].flatMap((key) => this.#told(this.#newest.get(key)));
  }

  /** Everything, oldest first. */
  all(): readonly PeerReport[] {
    return [...this.#newest.values()].flatMap((entry) => this.#told(entry));
  }

  /** Forgets nodes that are no more. */
  keep(pools: ReadonlyMap<string, PoolState>): void {
    for (const [key, { report }] of this.#newest)
      if (pools.get(report.pool)?.nodes.has(report.node.id) !== true) this.#newest.delete(key);
  }

  /** As it would come now: its age has grown while it was here. */
  #told(entry: Entry | undefined): PeerReport[] {
    if (entry === undefined) return [];
    const { report, source, takenAtMs } = entry;
    const { identity, host, port } = source;
    return [older({ report, identity, host, port }, this.#clock.nowMs() - takenAtMs)];
  }
}

function keyOf(pool: string, node: string): string {
  return `${pool} ${node}`;
}
