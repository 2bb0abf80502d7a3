// Acts on the recommendations of one pool: asks for nodes, or drains victims and lets them go. What is next is decided
// in scale-step.ts.
import type { Scaling } from '../../protocol/scaling.ts';
import type { EventFeed, ScaleExecutor } from './ports.ts';
import { ScaleActs, type ScaleActDeps } from './scale-acts.ts';
import { requestScale, retryAfterMs, type ScaleOutcome } from './scale-request.ts';
import { nextStep, type Act, type Facts, type Phase, type Step } from './scale-step.ts';
import { beginDrain, drainState, findDrain, releaseDrain, remaining } from './scale-victims.ts';
import type { VictimDrain } from './scale-victims.ts';
import { ScaleVoice } from './scale-voice.ts';

/** What a scaler is made with. */
export interface PoolScalerDeps extends ScaleActDeps {
  readonly tell: EventFeed['tell'];
  /** Instant of the clock before which nothing is asked: until then not every node may have been heard of. */
  readonly actsFromMs: number;
}

const idle: Phase = { kind: 'idle' };
// A policy may say that nodes start at once; a platform still needs a moment to stop one.
const leastSettleMs = 30_000;

/** Hears each recommendation of its pool; `stop` when the pool or the process ends. */
export class PoolScaler {
  readonly #pool: string;
  readonly #deps: PoolScalerDeps;
  readonly #voice: ScaleVoice;
  readonly #acts: ScaleActs;
  #phase: Phase = idle;
  /** In a row. */
  #failures = 0;
  #noInUntilMs = -Infinity;
  /** The drain whose victims the platform was last asked to stop, and how long it has for it. */
  #taken = { operation: '', untilMs: -Infinity };

  constructor(pool: string, deps: PoolScalerDeps) {
    this.#pool = pool;
    this.#deps = deps;
    this.#voice = new ScaleVoice(pool, deps.tell);
    this.#acts = new ScaleActs(pool, deps);
  }

  /** Does what is next, at most one thing. */
  hear(scaling: Scaling, executor: ScaleExecutor): void {
    this.#acts.note(scaling);
    if (!scaling.isFrozen) this.#voice.thawed();
    this.#do(nextStep(this.#phase, scaling, this.#facts()), { scaling, executor });
    if (scaling.isFrozen && scaling.action !== 'hold') this.#voice.frozen(scaling);
  }

  /** Takes back what the platform has not taken yet: nobody acts on this pool any more. */
  giveUp(why: string): void {
    const phase = this.#phase;
    if (phase.kind === 'draining') this.#giveUp(phase, why);
    else if (phase.kind === 'failed') this.#giveUp(phase.act, why);
    this.stop();
  }

  /** Asks nobody any more; what is drained stays so, for the next process to go on with. */
  stop(): void {
    if (this.#phase.kind === 'asking') this.#phase.cancel();
    this.#phase = idle;
  }

  get #nowMs(): number {
    return this.#deps.clock.nowMs();
  }

  #facts(): Facts {
    const nowMs = this.#nowMs;
    return {
      nowMs,
      knowsNodes: nowMs >= this.#deps.actsFromMs,
      noInUntilMs: this.#noInUntilMs,
      stateOf: (drain) => drainState(this.#deps, drain),
      isGone: (drain) => remaining(this.#deps, this.#pool, drain).length === 0,
      isPlatformsChoice: this.#scale?.victims === 'external',
      leftover: () => {
        const drain = findDrain(this.#deps, this.#pool);
        const isTaken = drain?.operation === this.#taken.operation && nowMs < this.#taken.untilMs;
        return isTaken ? undefined : drain;
      },
    };
  }

  #do(step: Step, { scaling, executor }: { scaling: Scaling; executor: ScaleExecutor }): void {
    switch (step.kind) {
      case 'stay':
        return;
      case 'rest':
        this.#phase = idle;
        return;
      case 'adopt':
        this.#phase = { kind: 'draining', drain: step.drain };
        return;
      case 'drain':
        return this.#drain(scaling, executor);
      case 'ask':
        return this.#ask(this.#acts.actOf(step, scaling), executor);
      case 'repeat':
        return this.#ask(step.act, executor);
      case 'giveUp':
        return this.#giveUp(step.act, step.why);
      case 'overruled':
        return this.#overruled(step.drain, step.why);
    }
  }

  #drain(scaling: Scaling, { name }: ScaleExecutor): void {
    this.#phase = idle;
    try {
      const drain = beginDrain(this.#deps, scaling);
      if (drain !== undefined) this.#phase = { kind: 'draining', drain };
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      const retryMs = retryAfterMs(this.#failures);
      this.#noInUntilMs = this.#nowMs + retryMs;
      const words = error instanceof Error ? error.message : String(error);
      const { wish } = this.#acts.actOf({ action: 'in' }, scaling);
      this.#voice.failed(wish, { executor: name, error: words, retryMs, attempt: this.#failures });
    }
  }

  #ask(act: Act, executor: ScaleExecutor): void {
    const { clock } = this.#deps;
    const cancel = requestScale({ executor, wish: act.wish, clock }, (outcome) =>
      this.#settled(act, outcome, executor),
    );
    this.#phase = { kind: 'asking', act, cancel };
  }

  #settled(act: Act, outcome: ScaleOutcome, { name: executor }: ScaleExecutor): void {
    const attempt = this.#failures + 1;
    if (!outcome.ok) {
      this.#failures = attempt;
      const retryMs = retryAfterMs(attempt);
      this.#phase = { kind: 'failed', act, retryAtMs: this.#nowMs + retryMs };
      return this.#voice.failed(act.wish, { executor, error: outcome.error, retryMs, attempt });
    }
    this.#failures = 0;
    const untilMs = this.#nowMs + Math.max(leastSettleMs, 2 * (this.#scale?.startTimeMs ?? 0));
    if (act.drain !== undefined) this.#taken = { operation: act.drain.operation, untilMs };
    this.#phase = { kind: 'settling', act, untilMs };
    this.#voice.acted(act.wish, { executor, attempt });
  }

  #giveUp(act: Act | { readonly drain: VictimDrain }, why: string): void {
    this.#phase = idle;
    this.#failures = 0;
    const { drain } = act;
    if (drain !== undefined) {
      releaseDrain(this.#deps, { pool: this.#pool, drain, why: `scale-in given up: ${why}` });
      this.#voice.cancelled(drain, why);
    } else if ('wish' in act) this.#voice.dropped(act.wish, why);
  }

  /** Somebody wants these nodes to stay: not again before fewer nodes have sufficed anew. */
  #overruled(drain: VictimDrain, why: string): void {
    this.#phase = idle;
    this.#noInUntilMs = this.#nowMs + Math.max(leastSettleMs, this.#scale?.down.afterMs ?? 0);
    this.#voice.cancelled(drain, why);
  }

  get #scale() {
    return this.#deps.registry.pools.get(this.#pool)?.policy.scale;
  }
}
