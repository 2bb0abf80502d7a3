// One place for a worker: a process that is started, served with what it needs, and replaced when it ends. Processes
// are behind a port; what is said and heard is crew.ts.
import type { Clock, Timer } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import type { StopReport } from '../state/ports.ts';
import type { FromWorker, ToWorker } from './messages.ts';

/** A worker, as the main process sees it. */
export interface WorkerProcess {
  readonly pid: number;
  /** Does nothing when it is gone. */
  send(message: ToWorker): void;
  /** Ends it at once. Idempotent. */
  kill(): void;
}

/** What a worker's process does. */
export interface WorkerEvents {
  heard(message: FromWorker): void;
  /** It has ended, or could not be started; `how` ends a sentence that begins with it. Called once at most. */
  ended(how: string): void;
}

/** What a seat acts on. */
export interface SeatParts {
  /** 1 or more. */
  readonly worker: number;
  readonly clock: Clock;
  readonly spawn: (worker: number, events: WorkerEvents) => WorkerProcess;
  /** What a process that begins has to know, as of now. */
  readonly briefing: () => ToWorker & { type: 'begin' };
  readonly heard: (worker: number, message: FromWorker) => void;
  /** The process has ended without having been asked to. */
  readonly lost: (
    worker: number,
    lost: { readonly pid: number; readonly how: string; readonly againInMs: number },
  ) => void;
  readonly began: (worker: number, pid: number) => void;
}

/** How a seat is, for whoever looks. */
export type SeatState = 'starting' | 'serving' | 'waiting' | 'ended';

// A process that lived for so long was no failure of starting: the next one may begin at once.
const soundLifeMs = 10_000;
const firstPauseMs = 500;
const longestPauseMs = 30_000;
// Reading a configuration and binding takes well under a second; a machine that swaps takes longer.
const startWithinMs = 30_000;
// After its grace: what it says last, and its end.
const endWithinMs = 5000;

/** A worker's place with a lifetime: `start`, then `stop`. */
export class Seat {
  readonly worker: number;
  readonly #parts: SeatParts;
  #worker: WorkerProcess | undefined;
  #state: SeatState = 'starting';
  #beganAtMs = 0;
  #heardAtMs = 0;
  #pauseMs = 0;
  #timer: Timer | undefined;
  #restarts = 0;
  #settleStart: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  #report: StopReport | undefined;
  #hearEnd: (() => void) | undefined;
  #hasBegun = false;
  /** What the process has said of its end, or what it was ended for; '' for nothing. */
  #failure = '';
  #isStopping = false;
  #isRetired = false;

  constructor(parts: SeatParts) {
    this.worker = parts.worker;
    this.#parts = parts;
  }

  get state(): SeatState {
    return this.#state;
  }

  /** 0 while there is no process. */
  get pid(): number {
    return this.#worker?.pid ?? 0;
  }

  /** Times that a process had to be replaced. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Since it was last heard, ms; 0 while it starts. */
  silentMs(nowMs: number): number {
    return this.#state === 'serving' ? nowMs - this.#heardAtMs : 0;
  }

  /** How long this process serves, ms; 0 while it does not. */
  ageMs(nowMs: number): number {
    return this.#state === 'serving' ? nowMs - this.#beganAtMs : 0;
  }

  /** Starts the first process; resolves when it serves. Rejects with why it cannot. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settleStart = { resolve, reject };
      this.#begin();
    });
  }

  /** It has been told everything, and wants to hear of changes. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Does nothing before a process has begun: it is told everything then. */
  send(message: ToWorker): void {
    if (this.#hasBegun) this.#worker?.send(message);
  }

  /** Ends the process at once; it is replaced. */
  kill(): void {
    this.#worker?.kill();
  }

  /** Nothing is accepted any more, and a process that ends is not replaced. */
  retire(): void {
    this.#isRetired = true;
    this.send({ type: 'retire' });
  }

  /** Has everybody asked to leave, and the process end. Resolves with what came of it; bounded in time. */
  async stop(graceMs: number, openCount: () => number): Promise<StopReport> {
    this.#isStopping = true;
    this.#timer?.cancel();
    const nothing = { closed: 0, refusedByPeer: 0, cut: 0 };
    if (this.#worker === undefined) return nothing;
    const cut = openCount();
    const ended = new Promise<void>((resolve) => (this.#hearEnd = resolve));
    const timer = this.#parts.clock.schedule(graceMs + endWithinMs, () => this.#worker?.kill());
    if (this.#state === 'serving') this.#worker.send({ type: 'stop', graceMs });
    else this.#worker.kill();
    await ended;
    timer.cancel();
    return this.#report ?? { ...nothing, cut };
  }

  #begin(): void {
    this.#state = 'starting';
    const { clock, spawn, worker } = this.#parts;
    this.#beganAtMs = clock.nowMs();
    // What a process that was replaced still says belongs to nobody.
    const own: { started?: WorkerProcess } = {};
    const isCurrent = () => own.started !== undefined && own.started === this.#worker;
    own.started = spawn(worker, {
      heard: (message) => void (isCurrent() && this.#heard(message)),
      ended: (how) => void (isCurrent() && this.#ended(how)),
    });
    this.#worker = own.started;
    this.#timer = clock.schedule(startWithinMs, () => {
      this.#failure = `it did not serve within ${startWithinMs / 1000} s`;
      this.kill();
    });
  }

  #heard(message: FromWorker): void {
    const { clock, worker, began, heard, briefing } = this.#parts;
    this.#heardAtMs = clock.nowMs();
    if (message.type === 'ready') {
      this.#worker?.send(briefing());
      this.#hasBegun = true;
    }
    if (message.type === 'failed') {
      this.#failure = message.reason;
      this.#startFailed(new HeraldError(message.code, message.reason));
    }
    if (message.type === 'stopped') this.#report = message.report;
    if (message.type === 'serving') {
      this.#timer?.cancel();
      this.#state = 'serving';
      this.#beganAtMs = clock.nowMs();
      began(worker, this.pid);
      this.#started();
      if (this.#isRetired) this.retire();
    }
    heard(worker, message);
  }

  #ended(how: string): void {
    const { clock, worker, lost } = this.#parts;
    const pid = this.pid;
    const livedMs = clock.nowMs() - this.#beganAtMs;
    const hadServed = this.#state === 'serving';
    this.#worker = undefined;
    this.#state = 'ended';
    this.#hasBegun = false;
    this.#timer?.cancel();
    const why = this.#failure === '' ? how : `${how} (${this.#failure})`;
    this.#failure = '';
    this.#startFailed(new HeraldError('HERALD_LISTEN_FAILED', `worker ${worker} ${why}`));
    this.#hearEnd?.();
    const isReplaced = !this.#isStopping && !this.#isRetired;
    this.#pauseMs = hadServed && livedMs >= soundLifeMs ? 0 : Math.max(firstPauseMs, this.#pauseMs * 2);
    const againInMs = Math.min(longestPauseMs, this.#pauseMs);
    if (this.#isStopping) return;
    lost(worker, { pid, how: why, againInMs });
    if (!isReplaced) return;
    this.#restarts += 1;
    this.#state = 'waiting';
    this.#timer = clock.schedule(againInMs, () => this.#begin());
  }

  #started(): void {
    this.#settleStart?.resolve();
    this.#settleStart = undefined;
  }

  /** Only the first start can fail for good: later ones are tried again. */
  #startFailed(error: HeraldError): void {
    if (this.#settleStart === undefined) return;
    this.#isStopping = true;
    this.#settleStart.reject(error);
    this.#settleStart = undefined;
  }
}
