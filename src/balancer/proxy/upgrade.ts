// One client's way from its request head to a running relay: place, dial, shake hands, again on failure.
// Until a node has answered nothing reaches the client, so every failure before that stays unseen. How it ends for the
// client is upgrade-outcome.ts.
import type { Buffer } from 'node:buffer';
import type { Problem } from '../../protocol/problem.ts';
import type { DialFailure, Lease, Refusal, Wait, Waiter } from '../state/ports.ts';
import { dialNode, type Stage } from './dial.ts';
import { EarlyBytes } from './early-bytes.ts';
import { isIdempotent } from './failure.ts';
import { shakeHands } from './handshake.ts';
import type { Ending } from './open.ts';
import type { ProxyDeps } from './ports.ts';
import { refusalOf, unreachable, type LastFailure } from './problems.ts';
import {
  affinityRuleOf,
  knowUpgrade,
  openTunnel,
  passRefusal,
  refuseUpgrade,
  type Answered,
  type KnownUpgrade,
  type UpgradeRequest,
} from './upgrade-outcome.ts';
import type { Wire, WireReader } from './wire.ts';

// Frames that a client sends before its 101. Past this it waits: reading stops until a node has answered.
const maxEarlyBytes = 64 * 1024;
// While it waits for a place a client has even less to say: thousands of them wait at a time.
const maxWaitingBytes = 4 * 1024;

/** The state of one upgrade. Ends by handing its wires on, or by `destroy`. */
export class Upgrade implements WireReader, Ending, Waiter {
  readonly #deps: ProxyDeps;
  readonly #upgrade: KnownUpgrade;
  readonly #client: Wire;
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

  /** `early` is what came behind the request head, often empty. */
  constructor(deps: ProxyDeps, request: UpgradeRequest, early: Buffer) {
    this.#deps = deps;
    this.#client = request.client;
    this.#early = new EarlyBytes(early);
    this.#upgrade = knowUpgrade(deps, request);
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
    const { story, kind } = this.#upgrade;
    if (!this.#isOver) story?.ended('client', kind);
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
    this.#upgrade.story?.ended('stopped', this.#upgrade.kind);
  }

  #place(): void {
    const { placement, affinity } = this.#deps;
    const { pool, affinityRequest } = this.#upgrade;
    const wish = affinity.wishOf(affinityRequest, affinityRuleOf(this.#deps, this.#upgrade));
    const result = placement.place(
      { pool, affinityNode: wish.affinityNode, affinityKey: wish.affinityKey, excluded: this.#excluded },
      this,
    );
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
    this.#upgrade.story?.placed(lease);
    this.#attempts++;
    const { host, port } = lease.node;
    const target = { host, port, link: this.#deps.linkOf(this.#upgrade.pool), client: this.#client };
    this.#stage = dialNode(this.#deps, target, {
      connected: (node) => this.#shakeHands(lease, node),
      failed: (reason, error) => this.#failed(lease, reason, error),
    });
  }

  #shakeHands(lease: Lease, node: Wire): void {
    const { requestBytes, asked } = this.#upgrade;
    this.#isSent = true;
    this.#upgrade.story?.dialled();
    this.#stage = shakeHands(
      this.#deps,
      node,
      { request: requestBytes, protocol: asked.protocol },
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
    answered.node.pause();
    if (answer.status < 500) return this.#passRefusal(answered);
    lease.failed('status');
    this.#deps.events.nodeFailed(this.#upgrade.pool, lease.node.id, 'status', undefined);
    this.#refusal?.node.destroy();
    this.#refusal = answered;
    this.#excluded.add(lease.node.id);
    this.#lastFailure = { reason: 'status', error: undefined, attempts: this.#attempts };
    if (this.#mayTryAgain) this.#place();
    else this.#refuse(unreachable(this.#lastFailure, this.#deps.rng));
  }

  // What a node has seen may go to another one where doing it twice is harmless, as a WebSocket's GET is.
  get #mayTryAgain(): boolean {
    if (this.#isSent && !isIdempotent(this.#upgrade.asked.method)) return false;
    return this.#attempts < (this.#deps.placement.policyOf(this.#upgrade.pool)?.place.attempts ?? 1);
  }

  #failed(lease: Lease, reason: DialFailure, error: unknown): void {
    lease.failed(reason);
    this.#deps.events.nodeFailed(this.#upgrade.pool, lease.node.id, reason, error);
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
    refuseUpgrade(this.#deps, this.#upgrade, problem);
  }

  #open(answered: Answered): void {
    this.#leave();
    this.#refusal?.node.destroy();
    openTunnel(this.#deps, this.#upgrade, { answered, fromClient: this.#early.take() });
  }

  #passRefusal(answered: Answered): void {
    this.#leave();
    passRefusal(this.#deps, this.#upgrade, answered);
  }

  #leave(): void {
    this.#isOver = true;
    this.#deps.open.remove(this);
  }
}
