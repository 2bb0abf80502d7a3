// Drains of a run: the nodes on their way out whose connections are asked to leave, at the pace that core/ plans.
import { roomFor } from '../../core/drain-room.ts';
import { answerTimeMs, planDrain } from '../../core/plan-drain.ts';
import type { Client } from './client.ts';
import type { FleetNode } from './fleet.ts';
import type { LevelledPool } from './leveller.ts';
import { scaleStepMs } from './scale-scenario.ts';

/** Ticked once a step. */
export class Drainage {
  readonly #pool: LevelledPool;
  /** Parts of connections that are still to be asked, by node. */
  readonly #owed = new WeakMap<FleetNode, number>();

  constructor(pool: LevelledPool) {
    this.#pool = pool;
  }

  tick(nowMs: number): void {
    const { fleet, crowd } = this.#pool;
    const draining = fleet.nodes.filter(({ phase, isDrained }) => phase === 'leaving' && isDrained);
    for (const node of draining) {
      for (const client of this.#ask(node, draining.length, nowMs)) crowd.disconnect(client, 'drained');
    }
  }

  /** Whom to ask now: anybody, all have to go. */
  #ask(node: FleetNode, nodesDraining: number, nowMs: number): Client[] {
    const { placement, policy, crowd } = this.#pool;
    const room = roomFor(placement.assessment(nowMs), node.id, placement.arrivalsPerSecond);
    const count = planDrain({
      waiting: node.clients.length,
      askWithinMs: node.endsAtMs - nowMs - answerTimeMs(policy.drain.deadlineMs),
      elapsedMs: scaleStepMs,
      ratePerSecond: node.drainRate,
      room: {
        connections: room.connections - crowd.away,
        connectsPerSecond: room.connectsPerSecond / nodesDraining,
        feedbackMs: policy.reports.intervalMs + policy.score.smoothingMs,
        leaving: Infinity,
      },
    });
    const owed = (this.#owed.get(node) ?? 0) + count;
    const asked = Math.floor(owed);
    this.#owed.set(node, owed - asked);
    return node.clients.slice(Math.max(0, node.clients.length - asked));
  }
}
