// What an executor is asked: how many nodes, and under which id. When it is asked is pool-scaler.ts.
import type { Clock } from '../../core/clock.ts';
import type { Rng } from '../../core/rng.ts';
import type { Scaling } from '../../protocol/scaling.ts';
import type { Act } from './scale-step.ts';
import { keptOutCount, type VictimDeps, type VictimDrain } from './scale-victims.ts';

/** What acts are made with. */
export interface ScaleActDeps extends VictimDeps {
  readonly clock: Clock;
  readonly rng: Rng;
}

/** Makes the acts of one pool. */
export class ScaleActs {
  readonly #pool: string;
  readonly #deps: ScaleActDeps;
  /** Nodes that counted when the load was last known; 0 before. */
  #knownNodes = 0;

  constructor(pool: string, deps: ScaleActDeps) {
    this.#pool = pool;
    this.#deps = deps;
  }

  /** Remembers what is known of the pool. */
  note({ state, nodes }: Scaling): void {
    if (state === 'known') this.#knownNodes = nodes;
  }

  /** The act for what is recommended now. */
  actOf(step: { readonly action: 'out' | 'in'; readonly drain?: VictimDrain }, scaling: Scaling): Act {
    const { action, drain } = step;
    const target = this.#targetOf(step, scaling);
    const wish = {
      // By the operation, so that a wish that is repeated after a restart is the same one.
      id: drain === undefined ? this.#newId(action) : `in-${drain.operation}`,
      pool: this.#pool,
      desired: target + keptOutCount(this.#deps, this.#pool),
      action,
      victims: drain?.victims ?? [],
      reason: drain?.reason ?? scaling.reason,
    };
    return { wish, target, drain };
  }

  #targetOf({ action, drain }: { action: 'out' | 'in'; drain?: VictimDrain }, scaling: Scaling): number {
    const { state, nodes, desiredNodes, max } = scaling;
    // A recommendation may have gone on while these were drained: what it says now is not about them.
    if (drain !== undefined) return Math.max(drain.desired, nodes);
    if (action === 'in' || state === 'known') return desiredNodes;
    // Nodes that cannot be heard may be there all the same: to ask for the least would have them stopped.
    return Math.max(desiredNodes, Math.min(this.#knownNodes, max));
  }

  #newId(action: 'out' | 'in'): string {
    const { clock, rng } = this.#deps;
    const chance = Math.floor(rng.next() * 36 ** 4).toString(36);
    return `${action}-${Math.floor(clock.wallMs()).toString(36)}-${chance.padStart(4, '0')}`;
  }
}
