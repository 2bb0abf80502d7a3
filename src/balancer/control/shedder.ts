// The one place from which connections of drains and rebalances are asked to leave: how many are leaving, who came
// back, what came of it. How many and which ones is their planners' business.
import type { Clock } from '../../core/clock.ts';
import type { Out } from '../../core/returns.ts';
import type { Rng } from '../../core/rng.ts';
import type { DataPlane, GoodbyeOutcome, ShedWay } from '../state/ports.ts';
import type { Registry } from '../state/registry.ts';
import { PoolReturns, type HearsReturns } from './returns.ts';

/** Why connections are shed. */
export type ShedCause = 'drain' | 'rebalance';

/** One wish to shed connections of one node. */
export interface ShedWish {
  readonly pool: string;
  readonly node: string;
  /** Ids of the data plane's list. */
  readonly ids: readonly number[];
  /** Instant of the clock at which what has not left is ended. */
  readonly byMs: number;
  readonly cause: ShedCause;
  /** Hears what came of each. */
  readonly settled: (id: number, outcome: GoodbyeOutcome) => void;
  /** What the estimate of returns is told of so many of them. */
  readonly out: (count: number, atMs: number) => readonly Out[];
  /** Hears of clients that are taken to be back. */
  readonly hears: HearsReturns;
}

/** So many goodbyes at the same time cost a second of one core and some sockets in their last state. */
const maxLeaving = 5000;
const minRetryMs = 250;
const leastSpreadMs = 1_750;
const mostSpreadMs = 30_000;

/** One count of `herald_sheds_total`. */
export interface ShedCount {
  readonly pool: string;
  readonly node: string;
  readonly cause: ShedCause;
  readonly way: ShedWay;
  readonly outcome: GoodbyeOutcome;
  count: number;
}

/** Sheds, and remembers what is under way. */
export class Shedder {
  readonly #deps: { dataPlane: DataPlane; registry: Registry; clock: Clock; rng: Rng };
  readonly #returns = new Map<string, PoolReturns>();
  readonly #counts = new Map<string, ShedCount>();
  readonly #leaving = new Set<string>();

  constructor(deps: { dataPlane: DataPlane; registry: Registry; clock: Clock; rng: Rng }) {
    this.#deps = deps;
  }

  /** How many more may be leaving at the same time, 0 or more. A deadline may go beyond. */
  get room(): number {
    return Math.max(0, maxLeaving - this.#leaving.size);
  }

  /** Who is out and the usual arrivals of a pool. */
  returns(pool: string): PoolReturns {
    const known = this.#returns.get(pool);
    if (known !== undefined) return known;
    const fresh = new PoolReturns();
    this.#returns.set(pool, fresh);
    return fresh;
  }

  /** Takes in what has opened since; called at every tick. */
  tick(): void {
    const { registry, clock } = this.#deps;
    for (const name of this.#returns.keys()) if (!registry.pools.has(name)) this.#returns.delete(name);
    for (const { name, nodes } of registry.pools.values()) {
      let opened = 0;
      // Who is asked to leave here comes back to whichever balancer is next.
      for (const { counters } of nodes.values()) opened += counters.openedTotal + counters.peers.openedTotal;
      this.returns(name).tick(opened, clock.nowMs());
    }
  }

  /**
   * Asks connections to leave by the data plane; those that are leaving already are passed over. The number asked.
   * Hints to come back are spread over as long as the pool needs to take so many.
   */
  shed(wish: ShedWish, connectsPerSecond: number): number {
    const { dataPlane, registry, clock, rng } = this.#deps;
    const drain = registry.pools.get(wish.pool)?.policy.drain;
    if (drain === undefined) return 0;
    const ids = wish.ids.filter((id) => !this.#leaving.has(keyOf(wish.pool, id)));
    const spreadMs = spreadFor(ids.length, connectsPerSecond);
    // Before anybody is told: settling may come at once, and counts what is out.
    this.returns(wish.pool).shed(wish.out(ids.length, clock.nowMs()), wish.hears);
    for (const id of ids) {
      this.#leaving.add(keyOf(wish.pool, id));
      dataPlane.shed({
        pool: wish.pool,
        connectionIds: [id],
        goodbye: {
          code: drain.closeCode,
          reason: drain.closeReason,
          retryAfterMs: Math.round(minRetryMs + rng.next() * spreadMs),
          byMs: wish.byMs,
        },
        settled: (_id, outcome) => {
          this.#leaving.delete(keyOf(wish.pool, id));
          this.count({ ...wish, way: 'close', outcome }, 1);
          wish.settled(id, outcome);
        },
      });
    }
    return ids.length;
  }

  /** Counts what came of connections, also of those asked in another way. */
  count(key: Omit<ShedCount, 'count'>, count: number): void {
    const { pool, node, cause, way, outcome } = key;
    const name = [pool, node, cause, way, outcome].join(' ');
    const known = this.#counts.get(name);
    if (known === undefined) this.#counts.set(name, { pool, node, cause, way, outcome, count });
    else known.count += count;
  }

  /** What has been counted for nodes that are still there. */
  counts(): readonly ShedCount[] {
    const { registry } = this.#deps;
    for (const [name, { pool, node }] of this.#counts)
      if (registry.pools.get(pool)?.nodes.has(node) !== true) this.#counts.delete(name);
    return [...this.#counts.values()];
  }
}

function keyOf(pool: string, id: number): string {
  return `${pool} ${id}`;
}

/** Over what span so many may come back: as long as the pool needs to take them, within sensible bounds. */
function spreadFor(count: number, connectsPerSecond: number): number {
  if (!(connectsPerSecond > 0)) return Math.min(mostSpreadMs, leastSpreadMs + count * 10);
  return Math.min(mostSpreadMs, Math.max(leastSpreadMs, (count * 1000) / connectsPerSecond));
}
