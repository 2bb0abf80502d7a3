// One client's way from its request head to a running relay: place, dial, shake hands, again on failure.
// Until a node has answered nothing reaches the client, so every failure before that stays unseen.
import { Buffer } from 'node:buffer';
import type { DialFailure, Lease, Refusal, Wait, Waiter } from '../state/ports.ts';
import type { Problem } from '../../protocol/problem.ts';
import { refusedSwitchText, switchText, type AnswerHead } from './answer-head.ts';
import type { AffinityRule } from '../../policy/policy.ts';
import type { AccessStory } from './access.ts';
import type { AffinityRequest } from './affinity.ts';
import { arrivalOf } from './arrival.ts';
import { dialNode, type Stage } from './dial.ts';
import { EarlyBytes } from './early-bytes.ts';
import { isIdempotent } from './failure.ts';
import { shakeHands } from './handshake.ts';
import { lingerClose } from './linger.ts';
import { requestIdFields, type Marks } from './marks.ts';
import type { Ending } from './open.ts';
import type { ProxyDeps } from './ports.ts';
import { refusalOf, unreachable, type LastFailure } from './problems.ts';
import { upgradeRefusal } from './refuse.ts';
import { passRefusedSwitch } from './refused-switch.ts';
import { isWebSocket, type ProtocolSwitch } from './protocol-switch.ts';
import { nodeFields, upgradeRequestText } from './request-fields.ts';
import type { RequestHead } from './request-head.ts';
import { startTunnel } from './tunnel.ts';
import type { Wire, WireReader } from './wire.ts';

/** One upgrade to carry out. */
export interface UpgradeRequest {
  /** The client's wire. */
  readonly client: Wire;
  readonly head: RequestHead;
  readonly pool: string;
  readonly asked: ProtocolSwitch;
  /** What came behind the request head, often empty. */
  readonly early: Buffer;
}

// Frames that a client sends before its 101. Past this it waits: reading stops until a node has answered.
const maxEarlyBytes = 64 * 1024;
// While it waits for a place a client has even less to say: thousands of them wait at a time.
const maxWaitingBytes = 4 * 1024;

/** The state of one upgrade. Ends by handing its wires on, or by `destroy`. */
export class Upgrade implements WireReader, Ending, Waiter {
  readonly #deps: ProxyDeps;
  readonly #client: Wire;
  readonly #head: RequestHead;
  readonly #pool: string;
  readonly #asked: ProtocolSwitch;
  readonly #affinityRequest: AffinityRequest;
  readonly #marks: Marks;
  readonly #story: AccessStory | undefined;
  readonly #requestBytes: Buffer;
  readonly #excluded = new Set<string>();
  readonly #early: EarlyBytes;
  #attempts = 0;
  #isSent = false;
  #lastFailure: LastFailure | undefined;
  #lease: Lease | undefined;
  #stage: Stage | undefined;
  #wait: Wait | undefined;
  /** What a node has answered in place of 101 with 5xx; its wire is ours, paused. */
  #refusal: Answered | undefined;
  #isOver = false;

  constructor(deps: ProxyDeps, request: UpgradeRequest) {
    this.#deps = deps;
    this.#client = request.client;
    this.#head = request.head;
    this.#pool = request.pool;
    this.#asked = request.asked;
    this.#early = new EarlyBytes(request.early);
    const { client, head, pool, asked } = request;
    const origin = { address: client.remoteAddress, isEncrypted: client.isEncrypted };
    const arrival = arrivalOf(deps, { connection: client, origin, head, method: asked.method, pool });
    this.#affinityRequest = arrival.affinityRequest;
    this.#marks = arrival.marks;
    this.#story = arrival.story;
    const fields = nodeFields(head, arrival.client, arrival.marks);
    const text = upgradeRequestText(asked, head.target, fields);
    this.#requestBytes = Buffer.from(text, 'latin1');
  }

  /** Takes the client over and begins. Called once. */
  start(): void {
    this.#deps.open.add(this);
    this.#client.reader = this;
    this.#client.resume();
    this.#place();
  }

  bytes(buffer: Buffer, start: number, end: number): void {
    this.#early.add(buffer, start, end);
    if (this.#early.length >= this.#earlyLimit) this.#client.pause();
  }

  ended(): void {
    // A client that ends its half before the 101 cannot say the closing handshake: it has given up.
    this.#givenUp();
  }

  drained(): void {
    // Nothing has been sent to the client.
  }

  closed(): void {
    this.#givenUp();
  }

  #givenUp(): void {
    if (!this.#isOver) this.#story?.ended('client', this.#kind);
    this.destroy();
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#leave();
    this.#wait?.cancel();
    this.#stage?.abort();
    this.#refusal?.node.destroy();
    this.#lease?.release();
    this.#client.destroy();
    this.#story?.ended('stopped', this.#kind);
  }

  #place(): void {
    const { placement, affinity } = this.#deps;
    const wish = affinity.wishOf(this.#affinityRequest, this.#affinityRule);
    const result = placement.place({ pool: this.#pool, ...wish, excluded: this.#excluded }, this);
    if (result.placed) this.placed(result.lease);
    else if (result.wait === undefined) this.refused(result.refusal);
    else if (this.#refusal === undefined) this.#wait = result.wait;
    else {
      // Nobody else has a place now, and there is an answer to pass on.
      result.wait.cancel();
      this.#refuse(this.#problemOf({ code: 'HERALD_NO_NODE', message: '' }));
    }
  }

  /** There is a node to dial. */
  placed(lease: Lease): void {
    if (this.#wait !== undefined && this.#early.length < maxEarlyBytes) this.#client.resume();
    this.#wait = undefined;
    this.#lease = lease;
    this.#story?.placed(lease);
    this.#attempts++;
    const target = { ...lease.node, link: this.#deps.linkOf(this.#pool), client: this.#client };
    this.#stage = dialNode(this.#deps, target, {
      connected: (node) => this.#shakeHands(lease, node),
      failed: (reason, error) => this.#failed(lease, reason, error),
    });
  }

  #shakeHands(lease: Lease, node: Wire): void {
    this.#isSent = true;
    this.#story?.dialled();
    this.#stage = shakeHands(
      this.#deps,
      node,
      { request: this.#requestBytes, protocol: this.#asked.protocol },
      {
        answered: (answer, rest) => this.#answered({ lease, node, answer, rest }),
        failed: (reason, error) => this.#failed(lease, reason, error),
      },
    );
  }

  // An answer such as 401 is the application's word: passed on, and no fault of the node; the lease ends without `opened`.
  // One of 5xx counts against it, since a node that fails at once has no load and would be given everybody; and another
  // node may do better, so it is kept until there is none to ask.
  #answered(answered: Answered): void {
    const { lease, answer } = answered;
    if (answer.status === 101) return this.#open(answered);
    if (answer.status < 500) return this.#passRefusal(answered);
    lease.failed('status');
    this.#deps.events.nodeFailed(this.#pool, lease.node.id, 'status', undefined);
    this.#refusal?.node.destroy();
    this.#refusal = answered;
    this.#excluded.add(lease.node.id);
    this.#lastFailure = { reason: 'status', error: undefined, attempts: this.#attempts };
    if (this.#mayTryAgain) this.#place();
    else this.#refuse(unreachable(this.#lastFailure, this.#deps.rng));
  }

  // What a node has seen may go to another one where doing it twice is harmless, as a WebSocket's GET is.
  get #mayTryAgain(): boolean {
    if (this.#isSent && !isIdempotent(this.#asked.method)) return false;
    return this.#attempts < (this.#deps.placement.policyOf(this.#pool)?.place.attempts ?? 1);
  }

  #failed(lease: Lease, reason: DialFailure, error: unknown): void {
    lease.failed(reason);
    this.#deps.events.nodeFailed(this.#pool, lease.node.id, reason, error);
    this.#excluded.add(lease.node.id);
    this.#lastFailure = { reason, error, attempts: this.#attempts };
    if (this.#mayTryAgain) this.#place();
    else this.#refuse(unreachable(this.#lastFailure, this.#deps.rng));
  }

  /** There is no node to dial. */
  refused(refusal: Refusal): void {
    this.#wait = undefined;
    this.#refuse(this.#problemOf(refusal));
  }

  get #earlyLimit(): number {
    return this.#wait === undefined ? maxEarlyBytes : maxWaitingBytes;
  }

  // After a failed attempt the nodes that failed are the story: that no other is left adds nothing.
  #problemOf(refusal: Refusal): Problem {
    if (this.#lastFailure !== undefined) return unreachable(this.#lastFailure, this.#deps.rng);
    return refusalOf(refusal, this.#deps.rng);
  }

  // What a node has said itself tells the client more than we can. It may have closed while others were asked.
  #refuse(problem: Problem): void {
    const said = this.#refusal;
    if (said !== undefined && !said.node.isClosed) return this.#passRefusal(said);
    this.#leave();
    this.#deps.events.refused(this.#pool, problem.code);
    this.#story?.refused(problem.code, this.#kind);
    const form = this.#deps.placement.policyOf(this.#pool)?.admit.refuse;
    const answer = upgradeRefusal(problem, this.#head.fields, { form, more: requestIdFields(this.#marks) });
    this.#client.send(answer, 0, answer.length);
    lingerClose(this.#client, this.#deps);
  }

  #open({ lease, node, answer, rest }: Answered): void {
    this.#leave();
    this.#refusal?.node.destroy();
    lease.opened();
    this.#story?.answered(101);
    const { affinity, timeouts } = this.#deps;
    const setCookie = affinity.setCookie(this.#affinityRequest, this.#affinityRule, lease.node.id);
    this.#send(switchText(this.#asked.protocol, answer, { setCookie, marks: this.#marks }));
    // Not `this`: what is kept from here on is kept for days.
    const story = this.#story;
    const kind = this.#kind;
    startTunnel(this.#deps, {
      pool: this.#pool,
      downstream: this.#client,
      upstream: node,
      fromNode: rest,
      fromClient: this.#early.take(),
      lease,
      isFramed: kind === 'websocket',
      idleTimeoutMs: timeouts.tunnelIdleMs,
      stallTimeoutMs: timeouts.stallMs,
      onEnd: (reason, totals) => story?.ended(reason, kind, totals),
    });
  }

  #passRefusal({ lease, node, answer, rest }: Answered): void {
    this.#leave();
    this.#story?.answered(answer.status);
    this.#send(refusedSwitchText(answer, this.#marks));
    const onEnd = () => {
      lease.release();
      this.#story?.ended('done', 'http');
    };
    const passed = { client: this.#client, node, answer, onEnd };
    passRefusedSwitch(this.#deps, passed, rest);
  }

  // Asked for each time: a policy may change while a client waits.
  get #affinityRule(): AffinityRule {
    return this.#deps.placement.policyOf(this.#pool)?.affinity ?? { kind: 'none' };
  }

  #send(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.#client.send(bytes, 0, bytes.length);
  }

  // What is behind any other switch is bytes to us, as behind a TCP listener.
  get #kind(): 'websocket' | 'tcp' {
    return isWebSocket(this.#asked) ? 'websocket' : 'tcp';
  }

  #leave(): void {
    this.#isOver = true;
    this.#deps.open.remove(this);
  }
}

type Answered = Readonly<{ lease: Lease; node: Wire; answer: AnswerHead; rest: Buffer }>;
