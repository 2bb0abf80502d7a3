// What a process that has been replaced still carries: made into messages on its side, read on the other. Where it is
// added to a node's own counts is elsewhere.ts.
import type { Clock, Timer } from '../../core/clock.ts';
import type { PoolState } from '../state/pool-state.ts';
import type { ProcessCounts, ToSuccessor } from './messages.ts';

/** What one process carries to one node: connections open or being dialled, and messages per second to be expected. */
export type NodeCounts = readonly [open: number, messagesPerSecond: number];

// Placement's own memory is 50 ms; 5,000 nodes in one message are some 200 KB, which once a second is nothing.
const changesEveryMs = 100;
const changesPerWhole = 10;

/** What a report is made of. */
export interface CountsReportParts {
  readonly clock: Clock;
  readonly pools: ReadonlyMap<string, PoolState>;
  readonly self: { readonly generation: number; readonly pid: number };
  /** What processes before this one carry, as they have told it. */
  readonly earlier: () => readonly ProcessCounts[];
  readonly send: (message: ToSuccessor) => void;
}

/** Tells the new process what this one carries, from `start` to `stop`. */
export class CountsReport {
  readonly #parts: CountsReportParts;
  readonly #told = new Map<string, number>();
  #timer: Timer | undefined;
  #ticks = 0;

  constructor(parts: CountsReportParts) {
    this.#parts = parts;
  }

  /** Tells everything now. */
  tell(): void {
    this.#tell(true);
  }

  /** Tells everything at once, then changes of connections at most ten times a second and everything once a second. */
  start(): void {
    this.#tell(true);
    this.#timer = this.#parts.clock.repeat(changesEveryMs, () => {
      this.#ticks += 1;
      this.#tell(this.#ticks % changesPerWhole === 0);
    });
  }

  /** Idempotent. */
  stop(): void {
    this.#timer?.cancel();
  }

  #tell(isWhole: boolean): void {
    const { self, pools, earlier, send } = this.#parts;
    const told: Record<string, Record<string, NodeCounts>> = {};
    let changed = 0;
    for (const [pool, { nodes }] of pools) {
      for (const [id, { counters }] of nodes) {
        const key = `${pool} ${id}`;
        // What is being dialled when this process lets go opens here.
        const { ownConnections: open, messagesPerSecond } = counters;
        if (isWhole ? open === 0 : open === (this.#told.get(key) ?? 0)) continue;
        changed += 1;
        this.#told.set(key, open);
        (told[pool] ??= {})[id] = [open, messagesPerSecond];
      }
    }
    if (!isWhole && changed === 0) return;
    const own: ProcessCounts = { ...self, pools: told };
    send({ type: 'counts', isWhole, processes: isWhole ? [own, ...earlier()] : [own] });
  }
}
