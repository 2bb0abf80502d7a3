// Keeps one connection to Redis: opens it, prepares it, gives it up when it is of no use, and opens another after a
// pause. What is said over it is not known here.
import type { LinkState } from '../balancer/state/shared-store.ts';
import type { Clock, Timer } from '../core/clock.ts';
import { HeraldError } from '../core/error.ts';
import type { Rng } from '../core/rng.ts';
import { pauseMs } from './backoff.ts';
import type { Fault } from './fault.ts';
import type { Limits } from './limits.ts';
import type { Opening } from './redis-client.ts';
import { answerWithin, RedisSession, type Meter } from './redis-session.ts';
import type { RedisClient } from './redis-client.ts';
import { loadScripts, type Scripts } from './scripts.ts';

/** What a link stands on, and whom it tells. */
export interface LinkParts {
  /** Where Redis is, for people; no secret in it. */
  readonly address: string;
  readonly open: () => Opening;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly limits: Limits;
  readonly meter: Meter;
  /** Makes a fresh connection ready for use. A fault that is not `limited` gives it up. */
  readonly prepare: (session: RedisSession) => Promise<Fault | undefined>;
  readonly tell: (state: LinkState, reason: string) => void;
}

/** A link with a lifetime. */
export class RedisLink {
  readonly #parts: LinkParts;
  #scripts: Scripts | undefined;
  #session: RedisSession | undefined;
  #opening: Opening | undefined;
  #timer: Timer | undefined;
  #failures = 0;
  #isReady = false;
  #hasStarted = false;
  #isStopped = false;

  constructor(parts: LinkParts) {
    this.#parts = parts;
  }

  /** The connection, when it is ready for use. */
  get session(): RedisSession | undefined {
    return this.#isReady ? this.#session : undefined;
  }

  /** Resolves after the first attempt. Rejects with HERALD_STATE_REFUSED, and tries no more, where waiting does not help. */
  async start(): Promise<void> {
    const { address, tell } = this.#parts;
    tell('connecting', '');
    this.#scripts = await loadScripts();
    if (this.#isStopped) return;
    const fault = await this.#connect();
    this.#hasStarted = true;
    if (fault?.kind !== 'refused') return;
    this.stop();
    const message = `cannot share state over ${address}: ${fault.reason}`;
    throw new HeraldError('HERALD_STATE_REFUSED', message, { address, reason: fault.reason });
  }

  /** The server answers, but not as it should (undefined: it does again). The connection stays. */
  limit(fault: Fault | undefined): void {
    if (!this.#isReady) return;
    this.#parts.tell(
      fault === undefined ? 'connected' : 'degraded',
      fault === undefined ? '' : this.#shown(fault),
    );
  }

  /** Ends the connection and every attempt. Idempotent. */
  stop(): void {
    this.#isStopped = true;
    this.#isReady = false;
    this.#timer?.cancel();
    this.#opening?.abandon();
    this.#session?.end();
    this.#session = undefined;
  }

  async #connect(): Promise<Fault | undefined> {
    const { open, clock, limits } = this.#parts;
    const opening = open();
    this.#opening = opening;
    const answer = await answerWithin(opening.client, clock, limits.connectTimeoutMs);
    this.#opening = undefined;
    if (this.#isStopped || 'fault' in answer) {
      opening.abandon();
      return this.#lost(answer);
    }
    // Proof of `as`: the value of `opening.client`.
    return this.#use(answer.value as RedisClient);
  }

  async #use(client: RedisClient): Promise<Fault | undefined> {
    const { clock, limits, meter, prepare, tell } = this.#parts;
    const scripts = this.#scripts;
    if (scripts === undefined) return undefined;
    let lost: Fault | undefined;
    const session: RedisSession = new RedisSession({
      client,
      scripts,
      clock,
      limits,
      meter,
      onLost: (fault) => {
        lost = fault;
        if (this.#isReady && this.#session === session) this.#lost({ fault });
      },
    });
    this.#session = session;
    const fault = await prepare(session);
    if (this.#isStopped) return undefined;
    if (lost !== undefined) return this.#lost({ fault: lost });
    if (fault !== undefined && fault.kind !== 'limited') {
      session.end();
      return this.#lost({ fault });
    }
    this.#isReady = true;
    this.#failures = 0;
    if (fault === undefined) tell('connected', '');
    else this.limit(fault);
    return fault;
  }

  /** Gives up what there is, and tries again after a pause. Hands the fault on. */
  #lost(answer: object & { readonly fault?: Fault }): Fault | undefined {
    this.#isReady = false;
    this.#session = undefined;
    const { fault } = answer;
    if (this.#isStopped || fault === undefined) return undefined;
    const { clock, rng, limits, tell } = this.#parts;
    this.#failures += 1;
    if (!this.#hasStarted && fault.kind === 'refused') {
      tell('degraded', `${this.#parts.address}: ${fault.reason}`);
      return fault;
    }
    tell('degraded', this.#shown(fault));
    const bounds = { firstMs: limits.backoffMs, maxMs: limits.maxBackoffMs };
    this.#timer = clock.schedule(pauseMs(this.#failures, bounds, rng), () => void this.#connect());
    return fault;
  }

  #shown({ reason, kind }: Fault): string {
    return `${this.#parts.address}: ${reason}${kind === 'limited' ? '' : '; trying again'}`;
  }
}
