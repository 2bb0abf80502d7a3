// The state of one forwarded request: place, send, relay the answer; again elsewhere while that is safe.
import type { Buffer } from 'node:buffer';
import type { ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import type { AffinityRule } from '../../policy/policy.ts';
import { statusOf } from '../../protocol/http-error.ts';
import type { Problem } from '../../protocol/problem.ts';
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
import { arrivalOf } from './arrival.ts';
import { Attempts } from './attempts.ts';
import { ExchangeAnswer, type NodeHead } from './exchange-answer.ts';
import { ExchangeGoodbye } from './exchange-goodbye.ts';
import { ExchangeUpload } from './exchange-upload.ts';
import { failureOf } from './failure.ts';
import type { ForwardedRequest } from './forward.ts';
import { isReadable } from './forwarded-answer.ts';
import { takesTrailers } from './hop-by-hop.ts';
import { requestIdFields, type Marks } from './marks.ts';
import type { NodePools } from './node-pools.ts';
import type { Ending } from './open.ts';
import type { ProxyDeps } from './ports.ts';
import { refusalOf } from './problems.ts';
import { nodeFields } from './request-fields.ts';
import { isEventSource } from './refuse.ts';
import { resetSocket } from './reset-socket.ts';
import { respondProblem } from './respond.ts';
import type { WireEnds } from './wire.ts';

type Controller = Dispatcher.DispatchController;

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
  readonly #ends: WireEnds;
  readonly #upload: ExchangeUpload;
  readonly #answer: ExchangeAnswer;
  #lease: Lease | undefined;
  #wait: Wait | undefined;
  #controller: Controller | undefined;
  #goodbye: ExchangeGoodbye | undefined;
  #isOver = false;

  constructor(deps: ProxyDeps, pools: NodePools, forwarded: ForwardedRequest) {
    this.#deps = deps;
    this.#pools = pools;
    this.#forwarded = forwarded;
    this.#response = forwarded.response;
    const { head, pool, request } = forwarded;
    const { ends, isEncrypted } = deps.originOf(request.socket);
    this.#ends = ends;
    const origin = { address: ends.address, isEncrypted };
    const method = request.method ?? 'GET';
    const arrival = arrivalOf(deps, { connection: request.socket, origin, head, method, pool });
    this.#affinityRequest = arrival.affinityRequest;
    this.#marks = arrival.marks;
    this.#story = arrival.story;
    this.#fields = nodeFields(head, arrival.client, arrival.marks);
    // HTTP/1.0 has no chunks, and so no trailers.
    if (request.httpVersion === '1.1' && takesTrailers(head.fields)) this.#fields.push('TE', 'trailers');
    this.#upload = new ExchangeUpload(deps, forwarded, (problem) => this.fail(problem));
    const stalled = () => this.#stalled();
    this.#answer = new ExchangeAnswer(deps, { response: this.#response, marks: this.#marks, stalled });
  }

  /** Begins. Called once. */
  start(): void {
    this.#deps.open.add(this);
    this.#upload.watch();
    this.#response.on('close', () => this.#clientClosed());
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

  /** The client has broken a rule in the middle of its request. */
  fail(problem: Problem): void {
    if (this.#isOver) return;
    if (this.#response.headersSent) return this.destroy();
    this.#story?.refused(problem.code, 'http', statusOf(problem));
    this.#letGo();
    // What is left of the request cannot be told from the next one.
    this.#response.shouldKeepAlive = false;
    this.#refuse(problem);
  }

  get nodeId(): string {
    return this.#lease?.node.id ?? '';
  }

  get kind(): ConnectionKind {
    return this.#answer.kind;
  }

  leave(goodbye: Goodbye, settled: (outcome: GoodbyeOutcome) => void): void {
    if (this.#isOver) return settled('alreadyGone');
    if (this.#goodbye !== undefined) return settled('alreadyLeaving');
    const exchange = {
      response: this.#response,
      write: (chunk: Buffer) => this.#answer.write(chunk),
      letGo: () => this.#letGo(),
    };
    const { clock, open } = this.#deps;
    this.#goodbye = new ExchangeGoodbye(exchange, { goodbye, settled, clock, open });
    const { counter } = this.#answer;
    if (counter !== undefined) this.#goodbye.answered(counter);
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
    const body = this.#upload.begin((bytes) => lease.toNode(0, bytes));
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: (controller) => this.#started(lease, controller),
      onResponseStart: (controller, status, _headers, reason) =>
        this.#answered(lease, controller, { status, reason: reason ?? '', raw: controller.rawHeaders }),
      onResponseData: (_controller, chunk) => this.#data(lease, chunk),
      onResponseEnd: (controller) => this.#ended(controller),
      onResponseError: (_controller, error) => this.#failed(lease, error),
    };
    // The type knows the usual methods only; undici takes every token, and node:http has checked that it is one.
    const method = (request.method ?? 'GET') as Dispatcher.HttpMethod;
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

  #answered(lease: Lease, controller: Controller, head: NodeHead): void {
    if (this.#isOver) return;
    if (head.status < 200) return this.#answer.interim(head);
    if (!isReadable(head.raw)) return controller.abort(unreadable());
    const { affinity } = this.#deps;
    const cookie = affinity.setCookie(this.#affinityRequest, this.#affinityRule(), lease.node.id);
    this.#story?.answered(head.status);
    const counter = this.#answer.begin(controller, head, cookie);
    lease.toClient(counter.messagesAtStart, 0);
    this.#goodbye?.answered(counter);
  }

  #data(lease: Lease, chunk: Buffer): void {
    if (this.#isOver) return;
    if (this.#goodbye?.takesData === true) {
      lease.toClient(0, chunk.length);
      return this.#goodbye.data(chunk);
    }
    lease.toClient(this.#answer.counter?.messagesIn(chunk) ?? 0, chunk.length);
    this.#answer.write(chunk);
  }

  #ended(controller: Controller): void {
    if (this.#isOver) return;
    this.#story?.ended(this.#goodbye === undefined ? 'done' : 'goodbye', this.kind);
    this.#goodbye?.over('closed');
    this.#leave();
    this.#lease?.release();
    this.#answer.end(controller);
  }

  #failed(lease: Lease, error: unknown): void {
    if (this.#isOver) return;
    if (this.#response.headersSent) return this.#brokeOff(lease);
    const reason = this.#upload.isAwaited ? 'local' : failureOf(error);
    lease.failed(reason);
    // From the node that it was to leave it has gone.
    this.#goodbye?.over('alreadyGone');
    this.#goodbye = undefined;
    this.#deps.events.nodeFailed(this.#forwarded.pool, lease.node.id, reason, error);
    const problem = this.#attempts.fail(lease.node.id, { reason, error }, this.#deps.rng);
    const limit = this.#deps.placement.policyOf(this.#forwarded.pool)?.place.attempts ?? 1;
    if (!this.#upload.isBegun && this.#attempts.mayGoOn(limit, this.#forwarded.request.method ?? '', error))
      this.#place();
    else this.#refuse(problem);
  }

  // The node did take the exchange, so its end is no failed dial.
  #brokeOff(lease: Lease): void {
    this.#story?.ended(this.#answer.isWhole ? 'done' : 'nodeReset', this.kind);
    this.#leave();
    lease.release();
    this.#answer.breakOff();
  }

  #refuse(problem: Problem): void {
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
    this.#upload.destroy();
  }

  // Asked for each time: a policy may change while a request waits.
  #affinityRule(): AffinityRule {
    return this.#deps.placement.policyOf(this.#forwarded.pool)?.affinity ?? { kind: 'none' };
  }

  // Its socket takes nothing, so there is nothing that it could be told.
  #stalled(): void {
    if (!this.#response.destroyed) this.#deps.events.clientStalled(this.#forwarded.pool);
    this.#story?.ended('stalled', this.kind);
    const { socket } = this.#response;
    if (socket !== null) resetSocket(socket);
    this.destroy();
  }

  #leave(): void {
    this.#isOver = true;
    this.#upload.unwatch();
    this.#goodbye?.over('alreadyGone');
    this.#deps.open.remove(this);
  }
}

function unreadable(): Error {
  return new Error('the answer has a Transfer-Encoding other than chunked');
}
