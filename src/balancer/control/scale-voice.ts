// What a driver tells of one pool.
import type { Scaling } from '../../protocol/scaling.ts';
import type { EventFeed, ScaleWish } from './ports.ts';
import type { VictimDrain } from './scale-victims.ts';

/** How an attempt went wrong. */
export interface Failure {
  readonly executor: string;
  readonly error: string;
  /** 1 or more. */
  readonly attempt: number;
  readonly retryMs: number;
}

/** Events of one pool's driver. */
export class ScaleVoice {
  readonly #pool: string;
  readonly #tell: EventFeed['tell'];
  #hasToldFrozen = false;

  constructor(pool: string, tell: EventFeed['tell']) {
    this.#pool = pool;
    this.#tell = tell;
  }

  /** The platform has taken the wish. */
  acted(wish: ScaleWish, { executor, attempt }: { executor: string; attempt: number }): void {
    const message = `scale-${wish.action}: ${executor} was asked for ${wishWords(wish)}`;
    this.#say('scale.acted', message, { ...factsOf(wish), executor, attempt });
  }

  /** It has not, or the drain before it was refused. */
  failed(wish: ScaleWish, { executor, error, attempt, retryMs }: Failure): void {
    const again = `again in ${Math.round(retryMs / 1000)} s`;
    const message = `scale-${wish.action} to ${wishWords(wish)} failed: ${error}; ${again}`;
    this.#say('scale.failed', message, { ...factsOf(wish), executor, error, attempt, retryMs });
  }

  /** A wish that was refused so far is no longer wished. */
  dropped(wish: ScaleWish, why: string): void {
    this.#say(
      'scale.cancelled',
      `scale-${wish.action} to ${wishWords(wish)} given up: ${why}`,
      factsOf(wish),
    );
  }

  /** A scale-in is taken back before anybody was asked to stop a node. */
  cancelled({ victims, operation }: VictimDrain, why: string): void {
    const names = victims.map(({ id }) => id).join(', ');
    this.#say('scale.cancelled', `scale-in of ${names} given up: ${why}`, { operation, victims: names });
  }

  /** Something would be done, but the pool is frozen: said once a freeze. */
  frozen({ action, desiredNodes, nodes }: Scaling): void {
    if (this.#hasToldFrozen) return;
    this.#hasToldFrozen = true;
    const message = `scale-${action} from ${nodes} to ${desiredNodes} nodes waits: the pool is frozen`;
    this.#say('scale.frozen', message, { action, desired: desiredNodes, nodes });
  }

  /** The freeze is over. */
  thawed(): void {
    this.#hasToldFrozen = false;
  }

  #say(type: string, message: string, facts: Parameters<EventFeed['tell']>[0]['facts']): void {
    const node =
      typeof facts['victims'] === 'string' && !facts['victims'].includes(',') ? facts['victims'] : '';
    this.#tell({ type, pool: this.#pool, node, by: 'auto', why: '', message, facts });
  }
}

function factsOf({ id, action, desired, victims }: ScaleWish) {
  return { id, action, desired, victims: victims.map((victim) => victim.id).join(', ') };
}

function wishWords({ desired, victims }: ScaleWish): string {
  const without = victims.length === 0 ? '' : ` without ${victims.map(({ id }) => id).join(', ')}`;
  return `${desired} node${desired === 1 ? '' : 's'}${without}`;
}
