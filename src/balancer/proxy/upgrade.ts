// One client's way from its request head to a running relay: place, dial, shake hands, again on failure.
// Until a node has answered nothing reaches the client, so every failure before that stays unseen.
import { Buffer } from 'node:buffer';
import type { DialFailure, Lease, Refusal, Wait, Waiter } from '../state/ports.ts';
import type { Problem } from '../../protocol/problem.ts';
import { refusedSwitchText, switchText, type AnswerHead } from './answer-head.ts';
import { dialNode, type Stage } from './dial.ts';
import { shakeHands } from './handshake.ts';
import { lingerClose } from './linger.ts';
import type { Ending } from './open.ts';
import type { ProxyDeps } from './ports.ts';
import { refusalOf, unreachable } from './problems.ts';
import { upgradeRefusal } from './refuse.ts';
import { passRefusedSwitch } from './refused-switch.ts';
import { upgradeRequestText } from './request-fields.ts';
import type { RequestHead } from './request-head.ts';
import { startTunnel } from './tunnel.ts';
import type { Wire, WireReader } from './wire.ts';

/** One upgrade to carry out. */
export interface UpgradeRequest {
  /** The client's wire. */
  readonly client: Wire;
  readonly head: RequestHead;
  readonly pool: string;
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
  readonly #requestBytes: Buffer;
  readonly #excluded = new Set<string>();
  #early: Buffer[];
  #earlyBytes: number;
  #attempts = 0;
  #lastFailure: DialFailure | undefined;
  #lease: Lease | undefined;
  #stage: Stage | undefined;
  #wait: Wait | undefined;
  #isOver = false;

  constructor(deps: ProxyDeps, request: UpgradeRequest) {
    this.#deps = deps;
    this.#client = request.client;
    this.#head = request.head;
    this.#pool = request.pool;
    this.#early = request.early.length === 0 ? [] : [request.early];
    this.#earlyBytes = request.early.length;
    const { remoteAddress: address, isEncrypted } = request.client;
    const source = { address, isTrusted: deps.trusted(address), isEncrypted };
    const text = upgradeRequestText(request.head, source);
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
    this.#early.push(Buffer.from(buffer.subarray(start, end)));
    this.#earlyBytes += end - start;
    if (this.#earlyBytes >= this.#earlyLimit) this.#client.pause();
  }

  ended(): void {
    // A client that ends its half before the 101 cannot say the closing handshake: it has given up.
    this.destroy();
  }

  drained(): void {
    // Nothing has been sent to the client.
  }

  closed(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#leave();
    this.#wait?.cancel();
    this.#stage?.abort();
    this.#lease?.release();
    this.#client.destroy();
  }

  #place(): void {
    const { placement, affinity } = this.#deps;
    const rule = placement.policyOf(this.#pool)?.affinity ?? { kind: 'none' };
    const affinityNode = affinity.nodeOf(this.#pool, rule, this.#head.fields);
    const result = placement.place({ pool: this.#pool, affinityNode, excluded: this.#excluded }, this);
    if (result.placed) this.placed(result.lease);
    else if (result.wait === undefined) this.refused(result.refusal);
    else this.#wait = result.wait;
  }

  /** There is a node to dial. */
  placed(lease: Lease): void {
    if (this.#wait !== undefined && this.#earlyBytes < maxEarlyBytes) this.#client.resume();
    this.#wait = undefined;
    this.#lease = lease;
    this.#attempts++;
    const target = { ...lease.node, link: this.#deps.linkOf(this.#pool), ends: this.#client.ends };
    this.#stage = dialNode(this.#deps, target, {
      connected: (node) => this.#shakeHands(lease, node),
      failed: (reason, error) => this.#failed(lease, reason, error),
    });
  }

  #shakeHands(lease: Lease, node: Wire): void {
    this.#stage = shakeHands(this.#deps, node, this.#requestBytes, {
      answered: (answer, rest) => {
        if (answer.status === 101) this.#open({ lease, node, answer, rest });
        else this.#passRefusal({ lease, node, answer, rest });
      },
      failed: (reason, error) => this.#failed(lease, reason, error),
    });
  }

  #failed(lease: Lease, reason: DialFailure, error: unknown): void {
    lease.failed(reason);
    this.#deps.events.nodeFailed(this.#pool, lease.node.id, reason, error);
    this.#excluded.add(lease.node.id);
    this.#lastFailure = reason;
    const attempts = this.#deps.placement.policyOf(this.#pool)?.place.attempts ?? 1;
    if (this.#attempts < attempts) this.#place();
    else this.#refuse(unreachable(reason, this.#attempts));
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
    if (this.#lastFailure !== undefined) return unreachable(this.#lastFailure, this.#attempts);
    return refusalOf(refusal, this.#deps.rng);
  }

  #refuse(problem: Problem): void {
    this.#leave();
    this.#deps.events.refused(this.#pool, problem.code);
    const form = this.#deps.placement.policyOf(this.#pool)?.admit.refuse;
    const answer = upgradeRefusal(problem, this.#head.fields, form);
    this.#client.send(answer, 0, answer.length);
    lingerClose(this.#client, this.#deps);
  }

  #open({ lease, node, answer, rest }: Answered): void {
    this.#leave();
    lease.opened();
    const { placement, affinity, timeouts } = this.#deps;
    const rule = placement.policyOf(this.#pool)?.affinity ?? { kind: 'none' };
    const cookie = affinity.setCookie({ pool: this.#pool, nodeId: lease.node.id }, rule, this.#head.fields);
    this.#send(switchText(answer, cookie));
    startTunnel(this.#deps, {
      pool: this.#pool,
      downstream: this.#client,
      upstream: node,
      fromNode: rest,
      fromClient: Buffer.concat(this.#early),
      lease,
      isFramed: true,
      idleTimeoutMs: timeouts.tunnelIdleMs,
    });
    this.#early = [];
  }

  // The lease ends without `opened`. An answer such as 401 is the application's and no fault of the node; one of
  // 5xx is passed on all the same but counts against it: a node that fails at once has no load, and would be
  // given everybody.
  #passRefusal({ lease, node, answer, rest }: Answered): void {
    this.#leave();
    this.#send(refusedSwitchText(answer));
    if (answer.status >= 500) {
      lease.failed('status');
      this.#deps.events.nodeFailed(this.#pool, lease.node.id, 'status', undefined);
    }
    const passed = { client: this.#client, node, answer, onEnd: () => lease.release() };
    passRefusedSwitch(this.#deps, passed, rest);
  }

  #send(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.#client.send(bytes, 0, bytes.length);
  }

  #leave(): void {
    this.#isOver = true;
    this.#deps.open.remove(this);
  }
}

type Answered = Readonly<{ lease: Lease; node: Wire; answer: AnswerHead; rest: Buffer }>;
