// The state of one forwarded request: place, send, relay the answer; again elsewhere while that is safe.
import { Buffer } from 'node:buffer';
import type { ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import type { AffinityRule } from '../../policy/policy.ts';
import type {
  Carrier,
  ConnectionKind,
  Goodbye,
  GoodbyeOutcome,
  Lease,
  PlaceRequest,
  Refusal,
  Wait,
  Waiter,
} from '../state/ports.ts';
import type { AccessStory } from './access.ts';
import type { AffinityRequest } from './affinity.ts';
import { statusOf } from '../../protocol/http-error.ts';
import { Attempts } from './attempts.ts';
import { clientOf } from './client.ts';
import { ExchangeGoodbye } from './exchange-goodbye.ts';
import { failureOf } from './failure.ts';
import type { ForwardedRequest } from './forward.ts';
import { marksOf, requestIdFields, type Marks } from './marks.ts';
import type { NodePools } from './node-pools.ts';
import type { Ending } from './open.ts';
import type { ProxyDeps } from './ports.ts';
import { refusalOf } from './problems.ts';
import { requestBody, type RequestBody } from './request-body.ts';
import { nodeFields } from './request-fields.ts';
import { announcesBody } from './request-head.ts';
import { isEventSource } from './refuse.ts';
import { respondProblem } from './respond.ts';
import type { WireEnds } from './wire.ts';
import { AnswerCounter, answerFields, trailerFields } from './forwarded-answer.ts';

type Controller = Dispatcher.DispatchController;

const nothing = Buffer.alloc(0);

/** One exchange. Ends by itself, or by `destroy`. */
export class Exchange implements Ending, Carrier, Waiter {
  readonly #deps: ProxyDeps;
  readonly #pools: NodePools;
  readonly #forwarded: ForwardedRequest;
  readonly #response: ServerResponse;
  readonly #affinityRequest: AffinityRequest;
  readonly #marks: Marks;
  readonly #story: AccessStory | undefined;
  readonly #fields: string[];
  readonly #attempts = new Attempts();
  readonly #hasBody: boolean;
  readonly #ends: WireEnds;
  #body: RequestBody | undefined;
  #lease: Lease | undefined;
  #wait: Wait | undefined;
  #controller: Controller | undefined;
  #counter: AnswerCounter | undefined;
  #goodbye: ExchangeGoodbye | undefined;
  #isOver = false;

  constructor(deps: ProxyDeps, pools: NodePools, forwarded: ForwardedRequest) {
    this.#deps = deps;
    this.#pools = pools;
    this.#forwarded = forwarded;
    this.#response = forwarded.response;
    this.#hasBody = announcesBody(forwarded.head.fields);
    const { head, pool, request } = forwarded;
    const { ends, isEncrypted } = deps.originOf(request.socket);
    this.#ends = ends;
    const client = clientOf(deps, { address: ends.address, isEncrypted }, head.fields);
    this.#affinityRequest = { pool, head, client };
    this.#marks = marksOf(deps, head.fields, client);
    const { requestId } = this.#marks;
    const method = request.method ?? 'GET';
    this.#story = deps.access?.({ connection: request.socket, client, head, method, pool, requestId });
    this.#fields = nodeFields(head, client, this.#marks);
  }

  /** Begins. Called once. */
  start(): void {
    this.#deps.open.add(this);
    this.#response.on('close', () => this.#clientClosed());
    this.#response.on('drain', () => this.#controller?.resume());
    // A client's reset shows as 'close' as well; without a listener it would end the process.
    this.#response.on('error', () => this.#clientClosed());
    this.#forwarded.request.on('error', () => this.#clientClosed());
    this.#place();
  }

  destroy(): void {
    this.#story?.ended(this.#goodbye === undefined ? 'stopped' : 'cut', this.kind);
    this.#goodbye?.over('cut');
    this.#response.destroy();
    this.#clientClosed();
  }

  get nodeId(): string {
    return this.#lease?.node.id ?? '';
  }

  get kind(): ConnectionKind {
    if (this.#counter === undefined) return 'longPoll';
    return this.#counter.isEventStream ? 'sse' : 'http';
  }

  leave(goodbye: Goodbye, settled: (outcome: GoodbyeOutcome) => void): void {
    if (this.#isOver) return settled('alreadyGone');
    if (this.#goodbye !== undefined) return settled('alreadyLeaving');
    const exchange = {
      response: this.#response,
      write: (chunk: Buffer) => this.#write(chunk),
      letGo: () => this.#letGo(),
    };
    const { clock, open } = this.#deps;
    this.#goodbye = new ExchangeGoodbye(exchange, { goodbye, settled, clock, open });
    if (this.#counter !== undefined) this.#goodbye.answered(this.#counter);
  }

  #place(): void {
    const { pool, head } = this.#forwarded;
    const { placement, affinity } = this.#deps;
    const wish = affinity.wishOf(this.#affinityRequest, this.#affinityRule());
    const kind: PlaceRequest['kind'] = isEventSource(head.fields) ? 'connection' : 'request';
    const result = placement.place({ pool, ...wish, excluded: this.#attempts.failedNodes, kind }, this);
    if (result.placed) this.placed(result.lease);
    else if (result.wait === undefined) this.refused(result.refusal);
    else this.#wait = result.wait;
  }

  /** There is a node to ask. */
  placed(lease: Lease): void {
    this.#wait = undefined;
    this.#send(this.#story?.watched(lease) ?? lease);
  }

  /** There is no node to ask. */
  refused(refusal: Refusal): void {
    this.#wait = undefined;
    this.#refuse(this.#attempts.problem ?? refusalOf(refusal, this.#deps.rng));
  }

  #send(lease: Lease): void {
    const { request, head } = this.#forwarded;
    this.#lease = lease;
    this.#attempts.begin();
    this.#controller = undefined;
    this.#body = this.#hasBody ? requestBody(request, (bytes) => lease.toNode(0, bytes)) : undefined;
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: (controller) => this.#started(lease, controller),
      onResponseStart: (controller, status, _headers, reason) =>
        this.#answered({ lease, controller, status, reason: reason ?? '' }),
      onResponseData: (_controller, chunk) => this.#data(lease, chunk),
      onResponseEnd: (controller) => this.#ended(controller),
      onResponseError: (_controller, error) => this.#failed(lease, error),
    };
    // The type knows the usual methods only; undici takes every token, and node:http has checked that it is one.
    const method = (request.method ?? 'GET') as Dispatcher.HttpMethod;
    const body = this.#body?.stream ?? null;
    try {
      this.#pools
        .poolOf(lease.node, { link: this.#deps.linkOf(this.#forwarded.pool), ends: this.#ends })
        .dispatch({ path: head.target, method, headers: this.#fields, body }, handler);
    } catch (error) {
      this.#failed(lease, error);
    }
  }

  // Opened when the request goes out on a live connection, not when the answer starts: a long poll is open
  // all the time that the node keeps it waiting, and would otherwise count as dialling for half a minute.
  #started(lease: Lease, controller: Controller): void {
    if (this.#isOver) return controller.abort(new Error('the client has gone'));
    this.#controller = controller;
    this.#story?.dialled();
    lease.opened();
    lease.carriedBy(this);
    lease.toNode(1, 0);
  }

  #answered({ lease, controller, status, reason }: Answer): void {
    // 1xx before the answer: 100 is answered here, and nothing else of the kind concerns a client of a proxy.
    if (status < 200 || this.#isOver) return;
    const { affinity } = this.#deps;
    const cookie = affinity.setCookie(this.#affinityRequest, this.#affinityRule(), lease.node.id);
    const fields = answerFields(controller.rawHeaders, cookie, this.#marks);
    this.#story?.answered(status);
    this.#counter = new AnswerCounter(fields);
    lease.toClient(this.#counter.messagesAtStart, 0);
    this.#response.writeHead(status, reason, fields);
    // Sends the head at once: the first event of a stream may come much later. Not flushHeaders, which writes
    // fields as UTF-8 and so doubles every byte above 127.
    this.#response.write(nothing);
    this.#goodbye?.answered(this.#counter);
  }

  #data(lease: Lease, chunk: Buffer): void {
    if (this.#isOver) return;
    if (this.#goodbye?.takesData === true) {
      lease.toClient(0, chunk.length);
      return this.#goodbye.data(chunk);
    }
    lease.toClient(this.#counter?.messagesIn(chunk) ?? 0, chunk.length);
    this.#write(chunk);
  }

  #write(chunk: Buffer): void {
    if (!this.#response.write(chunk)) this.#controller?.pause();
  }

  #ended(controller: Controller): void {
    if (this.#isOver) return;
    this.#story?.ended(this.#goodbye === undefined ? 'done' : 'goodbye', this.kind);
    this.#goodbye?.over('closed');
    this.#leave();
    this.#lease?.release();
    const trailers = trailerFields(controller.rawTrailers);
    if (trailers.length > 0) this.#response.addTrailers(trailers);
    this.#response.end();
  }

  #failed(lease: Lease, error: unknown): void {
    if (this.#isOver) return;
    if (this.#response.headersSent) return this.#brokeOff(lease);
    const reason = this.#isClientLate() ? 'local' : failureOf(error);
    lease.failed(reason);
    // From the node that it was to leave it has gone.
    this.#goodbye?.over('alreadyGone');
    this.#goodbye = undefined;
    this.#deps.events.nodeFailed(this.#forwarded.pool, lease.node.id, reason, error);
    const problem = this.#attempts.fail(lease.node.id, reason);
    const limit = this.#deps.placement.policyOf(this.#forwarded.pool)?.place.attempts ?? 1;
    const isBegun = this.#body?.isStarted === true;
    if (!isBegun && this.#attempts.mayGoOn(limit, this.#forwarded.request.method ?? '', error)) this.#place();
    else this.#refuse(problem);
  }

  // A node that gives up on half a body has its reason in the client; blaming it would let slow clients eject
  // nodes.
  #isClientLate(): boolean {
    return this.#body?.isStarted === true && !this.#forwarded.request.complete;
  }

  // The client must not take what it has for the whole answer. The node did take the exchange, so its end is
  // no failed dial. A 304 is whole with its head: undici 7 misses the body that its Content-Length describes.
  #brokeOff(lease: Lease): void {
    this.#story?.ended(this.#response.statusCode === 304 ? 'done' : 'nodeReset', this.kind);
    this.#leave();
    lease.release();
    if (this.#response.statusCode === 304) this.#response.end();
    else this.#response.destroy();
  }

  #refuse(problem: Parameters<typeof respondProblem>[1]): void {
    this.#story?.refused(problem.code, 'http', statusOf(problem));
    this.#leave();
    const { pool } = this.#forwarded;
    const more = requestIdFields(this.#marks);
    respondProblem({ deps: this.#deps, response: this.#response, pool, more }, problem);
  }

  #clientClosed(): void {
    if (!this.#isOver) this.#letGo();
  }

  /** Ends the node's part. */
  #letGo(): void {
    this.#story?.ended(this.#goodbye === undefined ? 'client' : 'goodbye', this.kind);
    this.#leave();
    this.#wait?.cancel();
    this.#lease?.release();
    this.#controller?.abort(new Error('the client has gone'));
    this.#body?.stream.destroy();
  }

  // Asked for each time: a policy may change while a request waits.
  #affinityRule(): AffinityRule {
    return this.#deps.placement.policyOf(this.#forwarded.pool)?.affinity ?? { kind: 'none' };
  }

  #leave(): void {
    this.#isOver = true;
    this.#goodbye?.over('alreadyGone');
    this.#deps.open.remove(this);
  }
}

type Answer = Readonly<{ lease: Lease; controller: Controller; status: number; reason: string }>;
