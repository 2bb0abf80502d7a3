// The body of one forwarded request on its way to nodes: how long it may get, and how slowly it may come.
import type { Readable } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import type { Timer } from '../../core/clock.ts';
import type { Problem } from '../../protocol/problem.ts';
import type { ForwardedRequest } from './forward.ts';
import type { ProxyDeps } from './ports.ts';
import { bodyTooLarge } from './problems.ts';
import { requestBody, type RequestBody } from './request-body.ts';
import { announcesBody } from './request-head.ts';
import { watchBody } from './stall.ts';

type UploadDeps = Pick<ProxyDeps, 'clock' | 'timeouts' | 'limits'>;

/** The body of one request; one that has none is never late. */
export class ExchangeUpload {
  readonly #deps: UploadDeps;
  readonly #request: IncomingMessage;
  readonly #hasBody: boolean;
  readonly #wrong: (problem: Problem) => void;
  #watch: Timer | undefined;
  #body: RequestBody | undefined;
  #bytes = 0;

  /** `wrong` hears that the client breaks a limit. */
  constructor(
    deps: UploadDeps,
    { request, head }: Pick<ForwardedRequest, 'request' | 'head'>,
    wrong: (problem: Problem) => void,
  ) {
    this.#deps = deps;
    this.#request = request;
    this.#hasBody = announcesBody(head.fields);
    this.#wrong = wrong;
  }

  /** Watches from now on how fast the body comes. */
  watch(): void {
    if (!this.#hasBody) return;
    const { clock, timeouts } = this.#deps;
    const late = () => this.#wrong({ code: 'HERALD_REQUEST_TIMEOUT', message: 'the body comes too slowly' });
    this.#watch = watchBody(this.#request, { clock, spanMs: timeouts.requestIdleMs / 2, late });
  }

  /** The body for the next node, null where there is none; `taken` hears of each piece, in bytes. */
  begin(taken: (bytes: number) => void): Readable | null {
    if (!this.#hasBody) return null;
    this.#body = requestBody(this.#request, (bytes) => this.#count(bytes, taken));
    return this.#body.stream;
  }

  /** Whether a node has begun to read: from then on the request cannot be sent a second time. */
  get isBegun(): boolean {
    return this.#body?.isStarted === true;
  }

  /**
   * Whether a node waits for the rest of it: one that gives up on half a body has its reason in the client, and blaming
   * it would let slow clients eject nodes.
   */
  get isAwaited(): boolean {
    return this.isBegun && !this.#request.complete;
  }

  /** Nobody watches any more. */
  unwatch(): void {
    this.#watch?.cancel();
  }

  /** Nobody reads any more. */
  destroy(): void {
    this.#body?.stream.destroy();
  }

  #count(bytes: number, taken: (bytes: number) => void): void {
    taken(bytes);
    this.#bytes += bytes;
    const { bodyBytes } = this.#deps.limits;
    if (this.#bytes > bodyBytes) this.#wrong(bodyTooLarge(bodyBytes));
  }
}
