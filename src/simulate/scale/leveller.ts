// The rebalancer of core/ over a fleet that changes, on what its relay knows of clients. Off unless a run asks for it.
import { apportion } from '../../core/apportion.ts';
import type { Assessment } from '../../core/assess.ts';
import type { MovableConnections } from '../../core/rebalance/choose.ts';
import type { RebalanceNode } from '../../core/rebalance/level.ts';
import { restingRebalancer, tickRebalancer } from '../../core/rebalance/rebalancer.ts';
import { rebalanceRuleOf, runNodesOf } from '../../core/rebalance/view.ts';
import type { Rng } from '../../core/rng.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Client } from './client.ts';
import type { Crowd } from './crowd.ts';
import type { Fleet } from './fleet.ts';
import type { Placement } from './placement.ts';

/** What a leveller works on. */
export interface LevelledPool {
  readonly fleet: Fleet;
  readonly crowd: Crowd;
  readonly placement: Placement;
  readonly policy: Policy;
}

/** Ticked once a step. */
export class Leveller {
  readonly #pool: LevelledPool;
  readonly #rng: Rng;
  #state = restingRebalancer;

  constructor(pool: LevelledPool, rng: Rng) {
    this.#pool = pool;
    this.#rng = rng;
  }

  tick(nowMs: number): void {
    const { crowd, placement, policy } = this.#pool;
    const assessment = placement.assessment(nowMs);
    const view = {
      nowMs,
      nodes: runNodesOf(assessment, { slowStartMs: policy.place.slowStartMs, leavingOf: () => 0 }),
      placedTotal: placement.placedTotal,
      failedTotal: 0,
      connectionsOf: (node: RebalanceNode) => this.#listOf(node.id, assessment).movable,
    };
    const ratePerSecond = policy.rebalance.ratePerSecond * crowd.counts.open;
    const options = { rule: rebalanceRuleOf(policy, ratePerSecond), rng: this.#rng };
    const { state, sheds, shedding } = tickRebalancer(this.#state, view, options);
    this.#state = state;
    placement.shedding = shedding;
    if (sheds.length > 0) placement.movedAtMs = nowMs;
    const leaving = sheds.flatMap(({ node, rows }) => {
      const { clients } = this.#listOf(node.id, assessment);
      return rows.flatMap((row) => clients[row] ?? []);
    });
    for (const client of leaving) crowd.disconnect(client, 'moved');
  }

  #listOf(id: string, { snapshot, costs }: Assessment): { clients: Client[]; movable: MovableConnections } {
    const { fleet, policy } = this.#pool;
    const nowMs = snapshot.atMs;
    const all = fleet.nodes.find((each) => each.id === id)?.clients ?? [];
    const rates = all.map(({ expectedPerSecond }) => expectedPerSecond);
    const utilization = snapshot.nodes.find((each) => each.id === id)?.load?.utilization ?? 0;
    const parts = apportion(
      { messagesPerSecond: rates, bytesPerSecond: [] },
      { utilization, intercept: costs.intercept },
    );
    const isFree = ({ mayBeBack, openedAtMs }: Client) =>
      !mayBeBack || nowMs - openedAtMs >= policy.rebalance.cooldownMs;
    const rows = all.flatMap((client, row) => (isFree(client) ? [row] : []));
    const clients = rows.flatMap((row) => all[row] ?? []);
    return {
      clients,
      movable: {
        size: rows.length,
        id: rows,
        utilization: rows.map((row) => parts[row] ?? 0),
        ageMs: clients.map(({ openedAtMs }) => nowMs - openedAtMs),
      },
    };
  }
}
