// Brings reports to one balancer: one in flight, the newest replaces what is not sent, failures back off.
import type { Clock, Timer } from '../core/clock.ts';
import type { Rng } from '../core/rng.ts';
import { encodeReport } from '../protocol/report.ts';
import { reportFields } from '../protocol/report-fields.ts';
import type { ShedWish } from './options.ts';
import type { AdminState, ReportFailure } from './event.ts';
import { failureOf, judgeReply } from './reply.ts';
import type { ReportSender } from './report-sender.ts';
import type { Sample } from './sampler.ts';

/** What a reporter knows of its balancer. */
export interface BalancerStatus {
  readonly balancer: string;
  /** `idle` before the first answer or failure. */
  readonly state: 'idle' | 'ok' | 'failing';
  /** Epoch milliseconds of the last report taken, undefined before the first. */
  readonly lastOkAtMs: number | undefined;
  /** Epoch milliseconds of the first failure since a report was taken, undefined unless failing. */
  readonly failingSinceMs: number | undefined;
  /** The last failure, kept after recovery; undefined when there was none. */
  readonly lastFailure: ReportFailure | undefined;
  /** What this balancer last wished, undefined before its first answer. */
  readonly adminState: AdminState | undefined;
}

/** What a reporter is made of. */
export interface ReporterParts {
  readonly balancer: string;
  readonly sender: ReportSender;
  readonly clock: Clock;
  readonly rng: Rng;
  /** The balancer wants connections to go elsewhere. */
  readonly onShed?: (wish: ShedWish) => void;
  /** A report was taken. */
  readonly onOk: () => void;
  readonly onFailure: (failure: ReportFailure) => void;
}

interface Outgoing {
  readonly sample: Sample;
  /** The balancer may have got this one already. */
  readonly isResent: boolean;
}

/** Time for one whole exchange. Two intervals of the usual length: a later answer tells an old load. */
export const exchangeTimeoutMs = 2000;
/** How long `leave` waits for the report in flight, and then for the last one; one second in all. */
const leaveFlightMs = 300;
const leaveExchangeMs = 700;
/** Doubles with each failure up to the cap; the first retry comes within this. */
const firstBackoffMs = 100;
export const maxBackoffMs = 10_000;

export class Reporter {
  readonly #parts: ReporterParts;
  #unsent: Outgoing | undefined;
  #flight: Promise<void> | undefined;
  #abort: AbortController | undefined;
  #retry: Timer | undefined;
  #isLeaving = false;
  #hasSent = false;
  #failures = 0;
  #status: BalancerStatus;

  constructor(parts: ReporterParts) {
    this.#parts = parts;
    this.#status = {
      balancer: parts.balancer,
      state: 'idle',
      lastOkAtMs: undefined,
      failingSinceMs: undefined,
      lastFailure: undefined,
      adminState: undefined,
    };
  }

  get status(): BalancerStatus {
    return this.#status;
  }

  /** Sends the sample as soon as nothing is in flight and no backoff runs; a newer one replaces it until then. */
  offer(sample: Sample): void {
    if (this.#isLeaving) return;
    this.#unsent = { sample, isResent: false };
    this.#sendNext();
  }

  /** Sends the last report unless the balancer has never got one, and closes the connection; within a second. */
  async leave(farewell: Sample): Promise<void> {
    this.#isLeaving = true;
    this.#retry?.cancel();
    this.#unsent = undefined;
    const { clock, sender } = this.#parts;
    // Not side by side with the last one: overtaken by a report of the same node it would bring the node back.
    const bound = clock.schedule(leaveFlightMs, () => this.#abort?.abort());
    await this.#flight;
    bound.cancel();
    if (this.#hasSent) await this.#exchange({ sample: farewell, isResent: false }, leaveExchangeMs);
    await sender.close();
  }

  #sendNext(): void {
    if (this.#flight !== undefined || this.#retry !== undefined || this.#isLeaving) return;
    const next = this.#unsent;
    this.#unsent = undefined;
    if (next === undefined || this.#ageMs(next.sample) > reportFields.ageMs.max) return;
    this.#flight = this.#deliver(next);
  }

  async #deliver(outgoing: Outgoing): Promise<void> {
    const outcome = await this.#exchange(outgoing, exchangeTimeoutMs);
    this.#flight = undefined;
    if (outcome === 'lost' && !this.#isLeaving) this.#unsent ??= { ...outgoing, isResent: true };
    if (outcome !== 'taken') this.#backOff();
    this.#sendNext();
  }

  /** `lost` may be sent again; `refused` would be refused again. Never rejects. */
  async #exchange({ sample, isResent }: Outgoing, timeoutMs: number): Promise<'taken' | 'refused' | 'lost'> {
    const { clock, sender } = this.#parts;
    const abort = new AbortController();
    const timeout = clock.schedule(timeoutMs, () => abort.abort());
    this.#abort = abort;
    this.#hasSent = true;
    try {
      const ageMs = this.#ageMs(sample);
      const body = JSON.stringify(encodeReport({ ...sample.report, ageMs }));
      const { status, body: reply } = await sender.post(body, abort.signal);
      const verdict = judgeReply(status, reply);
      if (verdict.isTaken) {
        const { adminState, shed } = verdict.answer.directives;
        if (shed !== undefined && !this.#isLeaving)
          this.#parts.onShed?.({ count: shed.count, deadlineMs: shed.byMs });
        return this.#taken(adminState);
      }
      // The first copy had arrived, only its answer had not.
      if (isResent && verdict.failure.code === 'HERALD_REPORT_STALE')
        return this.#taken(this.#status.adminState);
      this.#failed(verdict.failure);
      return status >= 400 && status < 500 ? 'refused' : 'lost';
    } catch (error) {
      this.#failed(failureOf(error, abort.signal.aborted));
      return 'lost';
    } finally {
      timeout.cancel();
    }
  }

  #taken(adminState: AdminState | undefined): 'taken' {
    const lastOkAtMs = this.#parts.clock.wallMs();
    this.#failures = 0;
    this.#status = { ...this.#status, state: 'ok', lastOkAtMs, failingSinceMs: undefined, adminState };
    this.#parts.onOk();
    return 'taken';
  }

  #failed(failure: ReportFailure): void {
    const failingSinceMs = this.#status.failingSinceMs ?? this.#parts.clock.wallMs();
    this.#failures += 1;
    this.#status = { ...this.#status, state: 'failing', failingSinceMs, lastFailure: failure };
    this.#parts.onFailure(failure);
  }

  /**
   * Full jitter (Brooker, "Exponential Backoff And Jitter", 2015): when a balancer returns, its agents must
   * not all come in the same instant.
   */
  #backOff(): void {
    if (this.#isLeaving) return;
    const ceilingMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(this.#failures - 1, 10));
    this.#retry = this.#parts.clock.schedule(this.#parts.rng.next() * ceilingMs, () => {
      this.#retry = undefined;
      this.#sendNext();
    });
  }

  #ageMs(sample: Sample): number {
    return Math.max(0, Math.round((this.#parts.clock.nowMs() - sample.takenAtMs) * 10) / 10);
  }
}
