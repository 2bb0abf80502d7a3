// The old process's half of a takeover, as a state machine: it starts the new one, hands over, lets go, or goes on as
// if nothing had happened. Processes and sockets are behind ports.
import type { Clock, Timer } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import { readMessage, type Serving, type ToPredecessor, type ToSuccessor } from './messages.ts';

/** The new process, as the old one sees it. */
export interface Successor {
  readonly pid: number;
  /** Does nothing when it is gone. */
  send(message: ToSuccessor): void;
  /** Ends it at once. Idempotent. */
  kill(): void;
  /** Lets go of the channel: this process has ended its work. Idempotent. */
  disconnect(): void;
}

/** What a new process does. */
export interface SuccessorEvents {
  heard(message: unknown): void;
  /** It has ended, or could not be started; `how` ends a sentence that begins with it. Called once at most. */
  ended(how: string): void;
}

/** What a handover acts on. */
export interface HandoverParts {
  readonly clock: Clock;
  /** Starts the new process with every listening socket. Throws when it cannot even try. */
  spawn(events: SuccessorEvents): Successor;
  /** Stops changing and saving; the state of now. */
  handState(): Promise<ToSuccessor & { type: 'state' }>;
  /** Goes on as before: the new one has failed after `handState`. */
  takeBack(): void;
  /** Stops accepting and acting; by what the new one says it does. */
  release(serving: Serving): Promise<void>;
  /** Hears every message of a successor that has taken over. */
  heard(message: unknown): void;
  /** A successor that had taken over has ended. */
  successorEnded(how: string): void;
  readonly began: (by: string) => void;
  readonly ended: (outcome: HandoverOutcome, by: string) => void;
}

/** What came of a handover. */
export type HandoverOutcome =
  | { readonly done: true; readonly pid: number; readonly tookMs: number }
  | { readonly done: false; readonly reason: string };

/** Reading a configuration, a probe and a few binds take well under a second; a machine that swaps takes longer. */
const startWithinMs = 30_000;

/** One process's handovers: any number that fail, and at most one that does not. */
export class Handover {
  readonly #parts: HandoverParts;
  #phase: 'idle' | 'starting' | 'handing' | 'over' = 'idle';
  #successor: Successor | undefined;
  #timer: Timer | undefined;
  #outcome: Promise<HandoverOutcome> | undefined;
  #settle: ((outcome: HandoverOutcome) => void) | undefined;
  #startedMs = 0;

  constructor(parts: HandoverParts) {
    this.#parts = parts;
  }

  get isUnderWay(): boolean {
    return this.#phase === 'starting' || this.#phase === 'handing';
  }

  /** Another process serves. */
  get isOver(): boolean {
    return this.#phase === 'over';
  }

  /**
   * Begins, or joins what is under way; never rejects once it has begun. HERALD_TAKEOVER_FAILED when this process has
   * been replaced already.
   */
  begin(by: string): Promise<HandoverOutcome> {
    if (this.#phase === 'over')
      throw new HeraldError(
        'HERALD_TAKEOVER_FAILED',
        `this process has been replaced by ${this.#successor?.pid} already: ask that one`,
      );
    if (this.#outcome === undefined || !this.isUnderWay) this.#outcome = this.#begin(by);
    return this.#outcome;
  }

  /** Ends a handover under way: the new process is killed. Nothing happens otherwise. */
  abort(reason: string): void {
    if (this.isUnderWay) this.#fail(reason);
  }

  async #begin(by: string): Promise<HandoverOutcome> {
    const { clock, began, ended } = this.#parts;
    this.#startedMs = clock.nowMs();
    this.#phase = 'starting';
    const outcome = new Promise<HandoverOutcome>((resolve) => (this.#settle = resolve));
    this.#timer = clock.schedule(startWithinMs, () =>
      this.#fail(`the new process did not serve within ${startWithinMs / 1000} s`),
    );
    began(by);
    this.#spawn();
    const came = await outcome;
    ended(came, by);
    return came;
  }

  #spawn(): void {
    // A process that was given up may still speak: only the newest one is listened to.
    let own: Successor | undefined;
    const isCurrent = () => own !== undefined && own === this.#successor;
    try {
      own = this.#parts.spawn({
        heard: (message) => void (isCurrent() && this.#heard(message)),
        ended: (how) => void (isCurrent() && this.#ended(how)),
      });
      this.#successor = own;
    } catch (error) {
      this.#fail(`the new process cannot be started: ${messageOf(error)}`);
    }
  }

  #ended(how: string): void {
    if (this.#phase === 'over') this.#parts.successorEnded(how);
    else this.#fail(`the new process ${how}`);
  }

  #heard(message: unknown): void {
    if (this.#phase === 'over') return this.#parts.heard(message);
    const failed = readMessage<ToPredecessor & { type: 'failed' }>(message, 'failed');
    if (failed !== undefined) return this.#fail(`the new process cannot serve: ${failed.reason}`);
    if (this.#phase === 'starting' && readMessage(message, 'prepared') !== undefined) void this.#hand();
    const serving = readMessage<Serving>(message, 'serving');
    if (this.#phase === 'handing' && serving !== undefined) void this.#release(serving);
  }

  async #hand(): Promise<void> {
    this.#phase = 'handing';
    const to = this.#successor;
    try {
      const state = await this.#parts.handState();
      if (this.#phase === 'handing' && to === this.#successor) to?.send(state);
    } catch (error) {
      if (to === this.#successor) this.#fail(`the state cannot be handed over: ${messageOf(error)}`);
    }
  }

  async #release(serving: Serving): Promise<void> {
    const successor = this.#successor;
    if (successor === undefined) return;
    this.#phase = 'over';
    this.#timer?.cancel();
    const tookMs = this.#parts.clock.nowMs() - this.#startedMs;
    // Before letting go: whoever waits for the answer is answered while the way to him is open.
    this.#settle?.({ done: true, pid: successor.pid, tookMs });
    await this.#parts.release(serving);
    successor.send({ type: 'released' });
  }

  #fail(reason: string): void {
    if (!this.isUnderWay) return;
    const hadHanded = this.#phase === 'handing';
    this.#phase = 'idle';
    this.#timer?.cancel();
    const successor = this.#successor;
    this.#successor = undefined;
    successor?.kill();
    if (hadHanded) this.#parts.takeBack();
    this.#settle?.({ done: false, reason });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
