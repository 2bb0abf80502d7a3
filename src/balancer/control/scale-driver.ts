// Acts on recommendations where something can start and stop nodes: one machine of states a pool, in pool-scaler.ts.
import type { Scaling } from '../../protocol/scaling.ts';
import { PoolScaler, type PoolScalerDeps } from './pool-scaler.ts';
import type { ScaleExecutor, ScaleFeed } from './ports.ts';

/** What a driver is made with. */
export interface ScaleDriverDeps extends Omit<PoolScalerDeps, 'actsFromMs'> {
  readonly feed: ScaleFeed;
  /** What starts and stops the nodes of a pool; undefined: nothing does, and the pool is let be. */
  readonly executorOf: (pool: string) => ScaleExecutor | undefined;
  /** How long after `start` nothing is asked, 0 or more; left out: 30 s. */
  readonly graceMs?: number | undefined;
  /** Whether this balancer acts for all that share the pool; left out, it does. */
  readonly isLeader?: () => boolean;
}

// Agents find a restarted balancer within some report intervals, and one that lost its state knows no node before. A
// number of nodes made by then would be too low, and a platform told of it would stop the others.
const defaultGraceMs = 30_000;

/**
 * A driver with a lifetime: `start`, then `stop`. It keeps nothing that a restart could lose: drains of scale-ins are
 * found among the operations, and a scale-out is recommended again.
 */
export class ScaleDriver {
  readonly #deps: ScaleDriverDeps;
  readonly #pools = new Map<string, PoolScaler>();
  #end: (() => void) | undefined;
  #actsFromMs = Infinity;

  constructor(deps: ScaleDriverDeps) {
    this.#deps = deps;
  }

  /** Hears recommendations from now on. */
  start(): void {
    const { clock, graceMs = defaultGraceMs } = this.#deps;
    this.#actsFromMs = clock.nowMs() + graceMs;
    this.#end ??= this.#deps.feed.onScaling((scaling) => {
      const { registry } = this.#deps;
      for (const [name, scaler] of this.#pools) {
        if (registry.pools.has(name)) continue;
        scaler.stop();
        this.#pools.delete(name);
      }
      if (!registry.pools.has(scaling.pool)) return;
      if (this.#deps.isLeader?.() ?? true) this.#hear(scaling);
      else this.#leave(scaling.pool);
    });
  }

  /** Asks nobody any more; what was asked and what is drained stays, for the next process to go on with. Idempotent. */
  stop(): void {
    this.#end?.();
    this.#end = undefined;
    for (const scaler of this.#pools.values()) scaler.stop();
    this.#pools.clear();
  }

  /** Another leads: what was asked and what is drained stays, for that one to go on with. */
  #leave(pool: string): void {
    this.#pools.get(pool)?.stop();
    this.#pools.delete(pool);
  }

  #hear(scaling: Scaling): void {
    const { pool } = scaling;
    const executor = this.#deps.executorOf(pool);
    let scaler = this.#pools.get(pool);
    if (executor === undefined) {
      scaler?.giveUp('nothing is configured that starts and stops its nodes');
      this.#pools.delete(pool);
      return;
    }
    scaler ??= new PoolScaler(pool, { ...this.#deps, actsFromMs: this.#actsFromMs });
    this.#pools.set(pool, scaler);
    scaler.hear(scaling, executor);
  }
}
