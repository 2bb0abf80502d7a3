// Ten nodes of three sizes whose true costs a test knows and changes, and what a registry in front of them learns.
import type { Rng } from '../../../src/core/rng.ts';
import { learnedOf, type Learned } from '../../../src/core/learned.ts';
import { aPlainPolicy } from '../../support/a-policy.ts';
import { Fleet } from '../balancer/state/fleet.ts';

/** Ids of the nodes; tests change or corrupt the first. */
export const ids = Array.from({ length: 10 }, (_, index) => `n${index}`);
const sizes = [1, 0.5, 2] as const;
const idle = 0.05;
const costOfSizeOne = 0.0044;

/** What one of the nodes does otherwise than the others. */
export interface Oddity {
  /** What the first node reports, of its true load. */
  readonly claim?: (load: number, rng: Rng) => number;
  /** Load of the first node that no message causes, on top of what all have. */
  readonly job?: number;
}

/** A second of a fleet. */
export interface Second {
  readonly loads: readonly number[];
  readonly shares: readonly number[];
}

/** Ten nodes, about 600 connections that stay twenty seconds, heavy-tailed message rates; half full. */
export class TeachingFleet {
  readonly fleet: Fleet;
  readonly #costs: number[] = ids.map((_, index) => costOfSizeOne / (sizes[index % sizes.length] ?? 1));

  constructor(seed: number, { claim, job = 0 }: Oddity = {}) {
    let draws: Rng | undefined;
    this.fleet = new Fleet({
      nodes: ids,
      seed,
      // Throughput is for `auto`; it cannot be the bottleneck before it has been learned, nor much after.
      policy: aPlainPolicy({
        signals: [
          { name: 'cpu', kind: 'additive', saturation: 1 },
          { name: 'throughput', kind: 'additive', saturation: 'auto' },
        ],
      }),
      arrivals: 30,
      holdMs: 20_000,
      tellsThroughput: true,
      rateOf: (rng) => 1.2 * Math.exp(normal(rng)),
      loadOf: (id, { messagesPerSecond }, rng) => {
        draws = rng;
        const own = id === ids[0] ? job : 0;
        // A tenth of noise, as a short span of a busy process has it.
        const truth = idle + own + this.cost(id) * messagesPerSecond;
        return Math.max(0, truth * (1 + 0.1 * normal(rng)));
      },
      claimOf: (id, load) =>
        id !== ids[0] || claim === undefined || draws === undefined ? load : claim(load, draws),
    });
  }

  /** True utilization of a node for each message per second. */
  cost(id: string): number {
    return this.#costs[ids.indexOf(id)] ?? NaN;
  }

  /** What a deploy does: from now on a message costs the first node `factor` times as much. */
  changeCost(factor: number): void {
    this.#costs[0] = (this.#costs[0] ?? NaN) * factor;
  }

  /** What is learned now. */
  get learned(): Learned {
    const pool = this.fleet.room.registry.pool('chat');
    return learnedOf(pool.assessment(this.fleet.room.clock.nowMs()), pool.policy.signals);
  }

  /** Learned ÷ true cost of each node. */
  get costRatios(): number[] {
    return this.learned.nodes.map(
      ({ messageCost }, i) => (messageCost.value ?? NaN) / this.cost(ids[i] ?? ''),
    );
  }

  /** Learned ÷ true throughput at which each node would be full. */
  get autoRatios(): number[] {
    return this.learned.nodes.map(
      ({ autoSaturation }, i) => ((autoSaturation ?? NaN) * this.cost(ids[i] ?? '')) / (1 - idle),
    );
  }

  /** Runs on, and tells every second of it. */
  watch(seconds: number): Second[] {
    return Array.from({ length: seconds }, () => {
      this.fleet.run(1);
      const { registry, clock } = this.fleet.room;
      const { share } = registry.pool('chat').assessment(clock.nowMs());
      return { loads: this.fleet.loads, shares: [...share] };
    });
  }

  /** Messages per second on the first node ÷ those on all, over the next half minute. */
  firstNodesPart(): number {
    let first = 0;
    let all = 0;
    for (let second = 0; second < 30; second += 1) {
      this.fleet.run(1);
      const rates = ids.map((id) => this.fleet.room.registry.node(id).node.counters.messagesPerSecond);
      first += rates[0] ?? NaN;
      all += rates.reduce((sum, each) => sum + each, 0);
    }
    return first / all;
  }
}

/** Means of each node over some seconds, of loads or of shares. */
export function meansOf(seconds: readonly Second[], what: keyof Second): number[] {
  return ids.map((_, index) => mean(seconds.map((second) => second[what][index] ?? NaN)));
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}

function normal(rng: Rng): number {
  return Math.sqrt(-2 * Math.log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next());
}
