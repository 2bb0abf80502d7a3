// What moves connections in a simulation: the rebalancer of core/, fed with what a simulated balancer has counted.
import { apportion } from '../core/apportion.ts';
import type { Assessment } from '../core/assess.ts';
import { keptWeight } from '../core/decay.ts';
import { expectedRate } from '../core/expected-rate.ts';
import type { MovableConnections } from '../core/rebalance/choose.ts';
import type { RebalanceNode } from '../core/rebalance/level.ts';
import { restingRebalancer, tickRebalancer } from '../core/rebalance/rebalancer.ts';
import type { RunEnd } from '../core/rebalance/run.ts';
import { rebalanceRuleOf, runNodesOf } from '../core/rebalance/view.ts';
import type { Rng } from '../core/rng.ts';
import type { Policy } from '../policy/policy.ts';
import type { Connection } from './balancer.ts';

// As the relay's connection table: what is worth moving is judged by about a minute.
const longMemoryMs = 60_000;
const expectedForMs = 60_000;

/** What a mover hands over. */
export interface MoverTick {
  readonly sheds: readonly Connection[];
  readonly shedding: ReadonlySet<string>;
}

/** Ticked once a second. */
export class Mover {
  readonly #policy: Policy;
  readonly #rng: Rng;
  #state = restingRebalancer;
  #sweptAtMs = 0;
  #shedAtMs = -Infinity;
  /** How each run ended, in order. */
  readonly ends: RunEnd[] = [];

  constructor(policy: Policy, rng: Rng) {
    this.#policy = policy;
    this.#rng = rng;
  }

  /** Whether a connection opened now may be one that was asked to leave. */
  expectsReturns(nowMs: number): boolean {
    return nowMs - this.#shedAtMs <= expectedForMs;
  }

  tick(assessment: Assessment, own: readonly Connection[], placedTotal: number): MoverTick {
    const nowMs = assessment.snapshot.atMs;
    const meanPerSecond = this.#sweep(own, nowMs);
    const { place } = this.#policy;
    const nodes = runNodesOf(assessment, { slowStartMs: place.slowStartMs, leavingOf: () => 0 });
    const listOf = (node: RebalanceNode) => this.#listOf(node, { assessment, own, meanPerSecond });
    const view = {
      nowMs,
      nodes,
      placedTotal,
      failedTotal: 0,
      connectionsOf: (node: RebalanceNode): MovableConnections => listOf(node).movable,
    };
    const options = {
      rule: rebalanceRuleOf(this.#policy, this.#policy.rebalance.ratePerSecond * own.length),
      rng: this.#rng,
    };
    const { state, sheds, shedding, end } = tickRebalancer(this.#state, view, options);
    this.#state = state;
    if (sheds.length > 0) this.#shedAtMs = nowMs;
    if (end !== undefined) this.ends.push(end);
    return {
      shedding,
      sheds: sheds.flatMap(({ node, rows }) => {
        const { connections } = listOf(node);
        return rows.flatMap((row) => connections[row] ?? []);
      }),
    };
  }

  #listOf(
    node: RebalanceNode,
    {
      assessment,
      own,
      meanPerSecond,
    }: { assessment: Assessment; own: readonly Connection[]; meanPerSecond: number },
  ): { connections: Connection[]; movable: MovableConnections } {
    const { snapshot, costs } = assessment;
    const { atMs, nodes } = snapshot;
    const index = nodes.findIndex(({ id }) => id === node.id);
    const all = own.filter((each) => each.node === index);
    const rates = all.map(({ longMessages, longSeconds }) =>
      expectedRate(meanPerSecond, { messages: longMessages, exposureSeconds: longSeconds }),
    );
    const load = { utilization: nodes[index]?.load?.utilization ?? 0, intercept: costs.intercept };
    const parts = apportion({ messagesPerSecond: rates, bytesPerSecond: [] }, load);
    const { cooldownMs } = this.#policy.rebalance;
    const isFree = ({ mayBeBack, openedAtMs }: Connection) => !mayBeBack || atMs - openedAtMs >= cooldownMs;
    const rows = all.flatMap((each, row) => (isFree(each) ? [row] : []));
    const connections = rows.flatMap((row) => all[row] ?? []);
    return {
      connections,
      movable: {
        size: rows.length,
        id: rows,
        utilization: rows.map((row) => parts[row] ?? 0),
        ageMs: connections.map(({ openedAtMs }) => atMs - openedAtMs),
      },
    };
  }

  /** Ages the long memories and gives the pool's mean rate by them. */
  #sweep(own: readonly Connection[], nowMs: number): number {
    const kept = keptWeight(nowMs - this.#sweptAtMs, longMemoryMs);
    this.#sweptAtMs = nowMs;
    let messages = 0;
    let seconds = 0;
    for (const each of own) {
      each.longMessages *= kept;
      each.longSeconds *= kept;
      messages += each.longMessages;
      seconds += each.longSeconds;
    }
    return seconds > 0 ? messages / seconds : 0;
  }
}
