// The loop that recommends: one computation a pool every few seconds, told to whoever listens. How many nodes there
// should be is core/scale; who acts on it are the driver and the outputs.
import type { Clock, Timer } from '../../core/clock.ts';
import { absorbScale, noScaleHistory, type ScaleHistory } from '../../core/scale/history.ts';
import { scaleSpans } from '../../core/scale/outlook.ts';
import { recommendScale } from '../../core/scale/recommend.ts';
import { scaleSampleOf } from '../../core/scale/scale-sample.ts';
import type { Scaling } from '../../protocol/scaling.ts';
import type { PoolState } from '../state/pool-state.ts';
import type { Registry } from '../state/registry.ts';
import type { EventFeed, ScaleFeed } from './ports.ts';
import { newsOf } from './scale-news.ts';
import { scalingOf } from './scale-view.ts';

/** What the loop is made with. */
export interface ScalingDeps {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly tell: EventFeed['tell'];
  /** Whether automatic actions on a pool are stopped. */
  readonly isFrozen: (pool: string) => boolean;
}

// The shortest window that a policy may have wants four samples a second (core/scale, sampleMs).
const tickMs = 250;

interface PoolScaling {
  readonly computedAtMs: number;
  readonly history: ScaleHistory;
  readonly latest: Scaling;
  /** Its load was known at least once. */
  readonly wasKnown: boolean;
}

/**
 * Recommendations with a lifetime: `start`, then `stop`. Histories are not saved: after a restart nothing is recommended
 * to go until fewer nodes have sufficed for the whole of `down.after` again.
 */
export class ScalingLoop implements ScaleFeed {
  readonly #deps: ScalingDeps;
  readonly #pools = new Map<string, PoolScaling>();
  readonly #listeners = new Set<(scaling: Scaling) => void>();
  #timer: Timer | undefined;
  #startedAtMs: number;

  constructor(deps: ScalingDeps) {
    this.#deps = deps;
    this.#startedAtMs = deps.clock.nowMs();
  }

  /** Begins to compute. */
  start(): void {
    this.#startedAtMs = this.#deps.clock.nowMs();
    this.#timer ??= this.#deps.clock.repeat(tickMs, () => this.#tick());
  }

  /** Computes no more; the last recommendations can still be asked for. Idempotent. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  scaling(name: string): Scaling {
    const pool = this.#deps.registry.pool(name);
    const latest = this.#pools.get(name)?.latest ?? this.#compute(pool);
    const isFrozen = this.#deps.isFrozen(name);
    return latest.isFrozen === isFrozen ? latest : Object.freeze({ ...latest, isFrozen });
  }

  onScaling(hear: (scaling: Scaling) => void): () => void {
    // The same function may listen twice: each listening has its own end.
    const own = (scaling: Scaling) => hear(scaling);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  #tick(): void {
    const { registry, tell, clock } = this.#deps;
    const nowMs = clock.nowMs();
    for (const name of this.#pools.keys()) if (!registry.pools.has(name)) this.#pools.delete(name);
    for (const pool of registry.pools.values()) {
      const before = this.#pools.get(pool.name);
      const sinceMs = nowMs - (before?.computedAtMs ?? this.#startedAtMs);
      if (sinceMs >= 0 && sinceMs < scaleSpans(pool.policy.scale).sampleMs) continue;
      const now = this.#compute(pool);
      for (const event of newsOf(before?.latest, now, before?.wasKnown === true)) tell(event);
      // A copy: who hears may end its own listening, and another's.
      for (const hear of Array.from(this.#listeners)) if (this.#listeners.has(hear)) hear(now);
    }
  }

  #compute(pool: PoolState): Scaling {
    const { clock, isFrozen } = this.#deps;
    const { name, policy } = pool;
    const before = this.#pools.get(name);
    const nowMs = clock.nowMs();
    const sample = scaleSampleOf(pool.assessment(nowMs), policy);
    const history = absorbScale(before?.history ?? noScaleHistory, sample, policy.scale);
    const latest = scalingOf(recommendScale(history, policy.scale), {
      pool: name,
      scale: policy.scale,
      wallMs: clock.wallMs(),
      isFrozen: isFrozen(name),
    });
    const wasKnown = before?.wasKnown === true || latest.state === 'known';
    this.#pools.set(name, { computedAtMs: nowMs, history, latest, wasKnown });
    return latest;
  }
}
