// The answer of one forwarded request on its way to the client: its head, its bytes at the client's pace, its end.
import { Buffer } from 'node:buffer';
import type { ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import type { ConnectionKind } from '../state/ports.ts';
import { AnswerCounter, answerFields, trailerFields, type RawFields } from './forwarded-answer.ts';
import { passInterim } from './interim.ts';
import type { Marks } from './marks.ts';
import type { ProxyDeps } from './ports.ts';
import { Stall } from './stall.ts';

/** Whom the answer is for. */
interface AnswerClient {
  readonly response: ServerResponse;
  readonly marks: Marks;
  /** Called when the client has taken nothing for too long. */
  readonly stalled: () => void;
}

/** A head as the node sent it. */
export interface NodeHead {
  readonly status: number;
  readonly reason: string;
  readonly raw: RawFields;
}

const nothing = Buffer.alloc(0);
const bodiless: ReadonlySet<number> = new Set([204, 304]);

export class ExchangeAnswer {
  readonly #response: ServerResponse;
  readonly #marks: Marks;
  readonly #stall: Stall;
  #source: Dispatcher.DispatchController | undefined;
  #counter: AnswerCounter | undefined;

  constructor({ clock, timeouts }: Pick<ProxyDeps, 'clock' | 'timeouts'>, client: AnswerClient) {
    const { response, marks, stalled } = client;
    this.#response = response;
    this.#marks = marks;
    this.#stall = new Stall(clock, timeouts.stallMs, stalled);
    response.on('close', () => this.#stall.end());
    response.on('drain', () => {
      this.#stall.end();
      this.#source?.resume();
    });
  }

  /** What of the answer is counted; undefined before its head. */
  get counter(): AnswerCounter | undefined {
    return this.#counter;
  }

  /** What the exchange is, as far as its answer shows. */
  get kind(): ConnectionKind {
    if (this.#counter === undefined) return 'longPoll';
    return this.#counter.isEventStream ? 'sse' : 'http';
  }

  /** Passes an answer below 200 on. */
  interim(head: NodeHead): void {
    passInterim(this.#response, { ...head, marks: this.#marks });
  }

  /** Sends the head. `source` stands still while the client does; `setCookie` is '' for no such field. */
  begin(
    source: Dispatcher.DispatchController,
    { status, reason, raw }: NodeHead,
    setCookie: string,
  ): AnswerCounter {
    const mayTrail = this.#takesChunks(status);
    const fields = answerFields({ status, raw, setCookie, mayTrail }, this.#marks);
    this.#source = source;
    this.#counter = new AnswerCounter(fields);
    this.#response.writeHead(status, reason, fields);
    // Sends the head at once: the first event of a stream may come much later. Not flushHeaders, which writes
    // fields as UTF-8 and so doubles every byte above 127.
    this.#response.write(nothing);
    return this.#counter;
  }

  write(chunk: Buffer): void {
    if (this.#response.write(chunk)) return;
    this.#stall.begin();
    this.#source?.pause();
  }

  /** The node has said everything. */
  end({ rawTrailers }: Dispatcher.DispatchController): void {
    const trailers = trailerFields(rawTrailers, this.#marks);
    if (trailers.length > 0) this.#response.addTrailers(trailers);
    this.#response.end();
  }

  #takesChunks(status: number): boolean {
    const { method, httpVersion } = this.#response.req;
    return httpVersion === '1.1' && method !== 'HEAD' && !bodiless.has(status);
  }

  /** A 204 and a 304 are whole with their heads: undici 7 misses the body that a length describes. */
  get isWhole(): boolean {
    return bodiless.has(this.#response.statusCode);
  }

  /** The node has broken off. The client must not take what it has for the whole answer. */
  breakOff(): void {
    if (this.isWhole) this.#response.end();
    else this.#response.destroy();
  }
}
