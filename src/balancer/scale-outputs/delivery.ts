// One webhook's deliveries: at least once, in order within a pool, tried again with growing pauses, given up in the
// end. How an event is posted is webhooks-post.ts's work.
import type { Clock, Timer } from '../../core/clock.ts';
import type { Rng } from '../../core/rng.ts';
import { isoTime } from '../../protocol/iso-time.ts';
import { endOf, retryDelayMs } from './delivery-backoff.ts';
import { DeadLetters, type DeadEvent } from './delivery-dead.ts';
import type { DeliveryNote, DeliveryRule, LostNote, Send, SendOutcome } from './delivery-ports.ts';
import { DeliveryQueue, type Lane, type QueueBounds, type QueuedEvent } from './delivery-queue.ts';

/** What deliveries are made with. */
export interface DeliveryDeps {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly send: Send;
  readonly rule: DeliveryRule;
  readonly bounds: QueueBounds;
  readonly note: (note: DeliveryNote) => void;
}

// Lanes that are sent to the same receiver at once.
const maxSending = 8;
/** Dead letters are for people to look at: half of what may wait. */
const deadPart = 0.5;

/** Deliveries with a lifetime: `start` after what was saved has been restored, then `stop`. */
export class Delivery {
  readonly #clock: Clock;
  readonly #rng: Rng;
  readonly #note: (note: DeliveryNote) => void;
  readonly #queue = new DeliveryQueue();
  readonly #dead = new DeadLetters();
  readonly #aborts = new Set<AbortController>();
  #settings: Pick<DeliveryDeps, 'send' | 'rule' | 'bounds'>;
  #phase: 'waiting' | 'running' | 'flushing' | 'stopped' = 'waiting';
  #timer: Timer | undefined;
  #flushed: (() => void) | undefined;
  #revision = 0;

  constructor({ clock, rng, note, ...settings }: DeliveryDeps) {
    this.#clock = clock;
    this.#rng = rng;
    this.#note = note;
    this.#settings = settings;
  }

  get queue(): Pick<DeliveryQueue, 'size' | 'events' | 'oldestAtMs'> {
    return this.#queue;
  }

  /** The newest last. */
  get deadLetters(): readonly DeadEvent[] {
    return this.#dead.all;
  }

  /** Another number whenever an event has come or gone. */
  get revision(): number {
    return this.#revision;
  }

  /** From the next attempt on. */
  configure(settings: Pick<DeliveryDeps, 'send' | 'rule' | 'bounds'>): void {
    this.#settings = settings;
    this.#shrink();
    this.#pump();
  }

  start(): void {
    this.#phase = 'running';
    this.#pump();
  }

  /** Queues an event. What has no room any more is given up, the longest waiting first. */
  offer(event: QueuedEvent): void {
    this.#queue.add(event);
    this.#revision += 1;
    this.#shrink();
    this.#pump();
  }

  /** Keeps what was a dead letter before a restart. */
  restoreDead(letter: DeadEvent): void {
    this.#keepDead(letter);
  }

  /** Sends a dead letter once more, behind what waits for its pool; false when there is none of this id. */
  redeliver(id: string): boolean {
    const letter = this.#dead.take(id);
    if (letter === undefined) return false;
    this.offer({ ...letter.event, queuedAtMs: this.#clock.nowMs(), attempts: 0, reason: '' });
    return true;
  }

  /**
   * Tries everything that waits once more, pauses or not, for at most `withinMs`; a lane whose head fails waits for the
   * next process. What is left stays in the queue, to be saved. Idempotent.
   */
  async stop(withinMs: number): Promise<void> {
    if (this.#phase === 'running' && withinMs > 0) await this.#flush(withinMs);
    this.#phase = 'stopped';
    this.#timer?.cancel();
    this.#flushed?.();
    for (const abort of this.#aborts) abort.abort();
  }

  #flush(withinMs: number): Promise<void> {
    this.#phase = 'flushing';
    for (const lane of this.#queue.lanes) lane.dueAtMs = -Infinity;
    return new Promise((resolve) => {
      const late = this.#clock.schedule(withinMs, resolve);
      this.#flushed = () => {
        late.cancel();
        resolve();
      };
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#phase !== 'running' && this.#phase !== 'flushing') return;
    const nowMs = this.#clock.nowMs();
    let nextAtMs = Infinity;
    const idle = [...this.#queue.lanes].filter(({ isSending }) => !isSending);
    for (const lane of idle) {
      if (lane.dueAtMs > nowMs) nextAtMs = Math.min(nextAtMs, lane.dueAtMs);
      else if (this.#aborts.size < maxSending) void this.#attempt(lane);
    }
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#phase === 'flushing') return this.#aborts.size === 0 ? this.#flushed?.() : undefined;
    if (nextAtMs < Infinity) this.#timer = this.#clock.schedule(nextAtMs - nowMs, () => this.#pump());
  }

  async #attempt(lane: Lane): Promise<void> {
    const [event] = lane.events;
    if (event === undefined) return;
    lane.isSending = true;
    event.attempts += 1;
    this.#queue.stepBack(lane);
    const abort = new AbortController();
    this.#aborts.add(abort);
    const outcome = await this.#settings.send(event, abort.signal);
    this.#aborts.delete(abort);
    lane.isSending = false;
    // Whether an aborted one has arrived nobody knows: it stays, and comes once more.
    if (this.#phase === 'stopped') return;
    this.#settle(lane, event, outcome);
    this.#pump();
  }

  #settle(lane: Lane, event: QueuedEvent, outcome: SendOutcome): void {
    if (outcome.kind === 'delivered') {
      lane.failures = 0;
      lane.dueAtMs = -Infinity;
      this.#take(lane, event);
      this.#note({ kind: 'delivered', event });
      return;
    }
    lane.failures += 1;
    event.reason = outcome.reason;
    if (outcome.kind === 'refused') {
      // An answer like any other to the next event: no pause.
      lane.failures = 0;
      this.#bury(lane, event, outcome.reason);
      return;
    }
    const pauseMs = retryDelayMs(lane.failures, this.#rng, outcome.wishMs);
    lane.dueAtMs = this.#phase === 'flushing' ? Infinity : this.#clock.nowMs() + pauseMs;
    const end =
      this.#phase === 'flushing'
        ? undefined
        : endOf(event, this.#settings.rule, this.#clock.nowMs() + pauseMs);
    if (end === undefined) this.#note({ kind: 'retried', event, reason: outcome.reason });
    else this.#bury(lane, event, `${end}: ${outcome.reason}`);
  }

  #take(lane: Lane, event: QueuedEvent): void {
    this.#queue.remove(lane, event);
    this.#revision += 1;
  }

  #bury(lane: Lane, event: QueuedEvent, reason: string): void {
    this.#take(lane, event);
    this.#die(event, { reason, wasTried: true });
  }

  #shrink(): void {
    for (const event of this.#queue.takeOverflow(this.#settings.bounds)) {
      const last = event.reason === '' ? '' : `: ${event.reason}`;
      this.#die(event, { reason: `pushed out by newer events: too many wait${last}`, wasTried: false });
    }
  }

  #die(event: QueuedEvent, { reason, wasTried }: Pick<LostNote, 'reason' | 'wasTried'>): void {
    this.#note({ kind: 'dead', event, reason, wasTried });
    this.#keepDead({ event, reason, diedAt: isoTime(this.#clock.wallMs()) });
  }

  #keepDead(letter: DeadEvent): void {
    this.#revision += 1;
    const { maxEvents, maxBytes } = this.#settings.bounds;
    const bounds = { maxEvents: Math.ceil(maxEvents * deadPart), maxBytes: maxBytes * deadPart };
    for (const { event, reason } of this.#dead.add(letter, bounds))
      this.#note({ kind: 'forgotten', event, reason, wasTried: false });
  }
}
