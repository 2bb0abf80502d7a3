// One exchange's goodbye: an event stream ends behind a whole event, with the time to come back; everything else comes
// to its own end, and its client's connection with it.
import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../core/clock.ts';
import { retryField } from '../../protocol/event-stream.ts';
import type { Goodbye, GoodbyeOutcome } from '../state/ports.ts';
import type { AnswerCounter } from './forwarded-answer.ts';
import type { Ending, Open } from './open.ts';

/** What a goodbye needs of its exchange. */
export interface LeavingExchange {
  readonly response: ServerResponse;
  /** Writes to the client, at the client's pace. */
  write(chunk: Buffer): void;
  /** Lets go of the node and settles the lease; the response is left alone. */
  letGo(): void;
}

/** What is to be said, and who hears what came of it. */
interface GoodbyeOptions {
  readonly goodbye: Goodbye;
  readonly settled: (outcome: GoodbyeOutcome) => void;
  readonly clock: Clock;
  readonly open: Open;
}

export class ExchangeGoodbye implements Ending {
  readonly #exchange: LeavingExchange;
  readonly #goodbye: Goodbye;
  readonly #open: Open;
  readonly #timer: Timer;
  #settled: ((outcome: GoodbyeOutcome) => void) | undefined;
  /** The answer, once it has turned out to be an event stream. */
  #stream: AnswerCounter | undefined;
  #isEnding = false;

  constructor(exchange: LeavingExchange, { goodbye, settled, clock, open }: GoodbyeOptions) {
    this.#exchange = exchange;
    this.#goodbye = goodbye;
    this.#settled = settled;
    this.#open = open;
    this.#timer = clock.schedule(Math.max(0, goodbye.byMs - clock.nowMs()), () => this.#expire());
    // Says `Connection: close` in an answer whose head has not gone out; afterwards it changes nothing.
    exchange.response.shouldKeepAlive = false;
  }

  /** Whether chunks of the answer go through `data`. */
  get takesData(): boolean {
    return this.#stream !== undefined;
  }

  /** The answer's head has gone out. */
  answered(answer: AnswerCounter): void {
    if (!answer.isEventStream) return;
    this.#stream = answer;
    if (answer.atEventBoundary) this.#end(answer);
  }

  /** A chunk of the event stream. */
  data(chunk: Buffer): void {
    const stream = this.#stream;
    if (stream === undefined || this.#isEnding) return;
    const boundary = stream.toEventBoundary(chunk);
    this.#exchange.write(boundary === -1 ? chunk : chunk.subarray(0, boundary));
    if (boundary !== -1) this.#end(stream);
  }

  /** The exchange has ended otherwise. */
  over(outcome: GoodbyeOutcome): void {
    if (!this.#isEnding) this.#settle(outcome);
  }

  destroy(): void {
    this.#settle('cut');
    this.#exchange.response.destroy();
  }

  #end({ hasLength, isEncoded }: AnswerCounter): void {
    const { response, letGo } = this.#exchange;
    this.#isEnding = true;
    letGo();
    // A body of announced length can neither take a field of ours nor end early: it breaks off behind its event.
    if (hasLength) {
      response.socket?.destroySoon();
      return this.#settle('cut');
    }
    this.#open.add(this);
    response.once('finish', () => this.#settle('closed'));
    response.once('close', () => this.#settle('alreadyGone'));
    // Nothing can be written into compressed bytes: the client comes back after the time that it has.
    response.end(isEncoded ? '' : retryField(this.#goodbye.retryAfterMs));
  }

  // The stream ends within an event all the same: the client drops a last event without its blank line, and asks for
  // it again by Last-Event-ID. Any other exchange breaks off, so that nobody takes its part for the whole.
  #expire(): void {
    const { response, letGo } = this.#exchange;
    const isWithinEvent = this.#stream?.hasLength === false && !this.#isEnding;
    this.#isEnding = true;
    letGo();
    if (isWithinEvent) response.end();
    else response.destroy();
    this.#settle('cut');
  }

  #settle(outcome: GoodbyeOutcome): void {
    this.#timer.cancel();
    this.#open.remove(this);
    const settled = this.#settled;
    this.#settled = undefined;
    settled?.(outcome);
  }
}
