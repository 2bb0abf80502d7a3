// Moves bytes between a client's wire and a node's until both are closed, and settles the lease. Dialling and
// handshakes are over before; who may be relayed where is decided elsewhere.
import type { Clock } from '../../core/clock.ts';
import type { Carrier, ConnectionKind, Goodbye, GoodbyeOutcome, Lease } from '../state/ports.ts';
import { Flow } from './flow.ts';
import type { FlowOwner } from './flow.ts';
import { RelayGoodbye } from './relay-goodbye.ts';
import type { Member } from './roster.ts';
import type { Wire } from './wire.ts';

/**
 * Why a relay ended, by what came first. `client`, `node`: that side ended in order. `clientReset`, `nodeReset`:
 * its connection broke. `idle`: no byte either way for the timeout. `halfClosed`: one side ended and the other
 * did not follow in time. `stopped`: we ended it. `goodbye`: it was asked to leave, and left or ran out of time. `cut`: it
 * was to leave, and ran out of time before it could be told. `stalled`: its client took nothing of what waited for it for
 * the timeout, or had kept too much waiting for longest when all relays together held too much.
 */
export type RelayEnd =
  | 'client'
  | 'node'
  | 'clientReset'
  | 'nodeReset'
  | 'idle'
  | 'halfClosed'
  | 'stopped'
  | 'goodbye'
  | 'cut'
  | 'stalled';

/** What went through one relay; reads count as messages where there are no frames. */
export interface RelayTotals {
  readonly toNodeBytes: number;
  readonly toNodeMessages: number;
  readonly toClientBytes: number;
  readonly toClientMessages: number;
  readonly durationMs: number;
}

/** One connection, ready to be relayed. From here on both wires belong to the relay. */
export interface RelayOptions {
  readonly downstream: Wire;
  readonly upstream: Wire;
  /** Bytes of the client behind its request head, not yet sent to the node; may be empty. Copied or sent at once. */
  readonly fromClient: Buffer;
  /** Bytes of the node behind its answer's head, not yet sent to the client; may be empty. */
  readonly fromNode: Buffer;
  readonly lease: Lease;
  /** The bytes are WebSocket frames: count messages. Otherwise each read counts as one. */
  readonly isFramed: boolean;
  /** More than 0; Infinity: never. Seen at the next tick of the owner. */
  readonly idleTimeoutMs: number;
  /** How long a client may take nothing of what waits for it, more than 0; absent: for ever. */
  readonly stallTimeoutMs?: number | undefined;
  /** How long the second half may stay open after the first has ended, busy or not; more than 0. */
  readonly halfClosedTimeoutMs: number;
  /** Called exactly once, after the lease is released; before `open` returns when a wire is closed already. */
  readonly onEnd: (reason: RelayEnd, totals: RelayTotals) => void;
}

/** Who owns relays. */
export interface RelayOwner {
  /** Called once, when the relay has ended. */
  removed(relay: Relay): void;
  /** So many bytes more (below 0: fewer) wait for the relay's client. */
  waiting(bytes: number): void;
}

export class Relay implements FlowOwner, Carrier, Member {
  /** In the roster of its owner. */
  place = -1;
  readonly #downstream: Wire;
  readonly #upstream: Wire;
  readonly #lease: Lease;
  readonly #idleTimeoutMs: number;
  readonly #halfClosedTimeoutMs: number;
  readonly #onEnd: RelayOptions['onEnd'];
  readonly #clock: Clock;
  readonly #owner: RelayOwner;
  readonly #stallTimeoutMs: number;
  #waitingBytes = 0;
  #waitsSinceMs = Infinity;
  readonly #toNode: Flow;
  readonly #toClient: Flow;
  readonly #startedMs: number;
  #lastActiveMs: number;
  #halfClosedMs: number | undefined;
  #firstEnd: RelayEnd | undefined;
  #hasEnded = false;
  #goodbye: RelayGoodbye | undefined;

  /** Nothing moves before `start`. */
  constructor(options: RelayOptions, clock: Clock, owner: RelayOwner) {
    const { downstream, upstream, lease, isFramed } = options;
    // Not the options themselves: a relay lives for days, and they hold the bytes left over.
    this.#downstream = downstream;
    this.#upstream = upstream;
    this.#lease = lease;
    this.#idleTimeoutMs = options.idleTimeoutMs;
    this.#halfClosedTimeoutMs = options.halfClosedTimeoutMs;
    this.#onEnd = options.onEnd;
    this.#clock = clock;
    this.#owner = owner;
    this.#stallTimeoutMs = options.stallTimeoutMs ?? Infinity;
    this.#startedMs = clock.nowMs();
    this.#lastActiveMs = this.#startedMs;
    // Written out, here and wherever each upgrade comes by: spreading objects takes V8 microseconds.
    this.#toNode = new Flow({
      owner: this,
      lease,
      isFramed,
      source: downstream,
      sink: upstream,
      isToNode: true,
    });
    this.#toClient = new Flow({
      owner: this,
      lease,
      isFramed,
      source: upstream,
      sink: downstream,
      isToNode: false,
    });
  }

  /** Takes both wires over and moves what was left over. */
  start(fromClient: Buffer, fromNode: Buffer): void {
    this.#downstream.reader = this.#toNode;
    this.#upstream.reader = this.#toClient;
    // A wire that closed under its former reader tells us nothing any more.
    if (this.#downstream.isClosed) return this.#finish('clientReset');
    if (this.#upstream.isClosed) return this.#finish('nodeReset');
    this.#toNode.start(fromClient);
    this.#toClient.start(fromNode);
    this.#lease.carriedBy(this);
  }

  get nodeId(): string {
    return this.#lease.node.id;
  }

  get kind(): ConnectionKind {
    return this.#toClient.cursor === undefined ? 'tcp' : 'websocket';
  }

  leave(goodbye: Goodbye, settled: (outcome: GoodbyeOutcome) => void): void {
    if (this.#hasEnded) return settled('alreadyGone');
    if (this.#goodbye !== undefined) return settled('alreadyLeaving');
    const relay = {
      downstream: this.#downstream,
      upstream: this.#upstream,
      toNode: this.#toNode,
      toClient: this.#toClient,
      isEnding: this.#firstEnd !== undefined,
      finish: (reason: RelayEnd) => this.#finish(reason),
    };
    this.#goodbye = new RelayGoodbye(relay, { goodbye, settled, clock: this.#clock });
    this.#goodbye.start();
  }

  /** Ends the relay at once; does nothing when it has ended. */
  stop(): void {
    this.#finish('stopped');
  }

  /** Called by the owner at regular times: finds idle and half-closed relays. */
  tick(nowMs: number): void {
    const toNode = this.#toNode.takeActivity();
    const toClient = this.#toClient.takeActivity();
    if (toNode || toClient) this.#lastActiveMs = nowMs;
    if (this.#halfClosedMs !== undefined && nowMs - this.#halfClosedMs >= this.#halfClosedTimeoutMs)
      return this.#finish('halfClosed');
    if (nowMs - this.#waitsSinceMs >= this.#stallTimeoutMs) return this.#finish('stalled');
    if (nowMs - this.#lastActiveMs >= this.#idleTimeoutMs) this.#finish('idle');
  }

  /** Since when bytes wait for the client; Infinity while none do. */
  get waitsSinceMs(): number {
    return this.#waitsSinceMs;
  }

  /** Ends the relay for what it keeps waiting. */
  giveUpWaiting(): void {
    this.#finish('stalled');
  }

  /** A node that is slow keeps its own client waiting, and nobody else: only what waits for clients is counted. */
  sinkWaits(flow: Flow, bytes: number): void {
    if (flow !== this.#toClient || this.#hasEnded) return;
    if (this.#waitsSinceMs === Infinity) this.#waitsSinceMs = this.#clock.nowMs();
    this.#waitingBytes += bytes;
    this.#owner.waiting(bytes);
  }

  sourceDrained(flow: Flow): void {
    if (flow === this.#toNode) this.#waited();
  }

  #waited(): void {
    if (this.#waitingBytes > 0) this.#owner.waiting(-this.#waitingBytes);
    this.#waitingBytes = 0;
    this.#waitsSinceMs = Infinity;
  }

  /** The source of `flow` has ended its half: its sink's half follows behind the bytes queued. */
  flowEnded(flow: Flow): void {
    if (this.#hasEnded) return;
    this.#firstEnd ??= flow === this.#toNode ? 'client' : 'node';
    this.#halfClosedMs ??= this.#clock.nowMs();
    flow.sink.end();
  }

  /** The source of `flow` is gone. */
  sourceClosed(flow: Flow, error: NodeJS.ErrnoException | undefined): void {
    const broken = flow === this.#toNode ? 'clientReset' : 'nodeReset';
    if (error !== undefined) return this.#finish(this.#firstEnd ?? broken);
    // In order: both halves of this wire are done, and the sink may still have bytes of ours to write.
    if (flow.sink.isClosed) return this.#finish(this.#firstEnd ?? broken);
    this.flowEnded(flow);
  }

  #finish(reason: RelayEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    // Who did not break the connection learns that it broke, instead of taking it for an end in order.
    const reset = reason === 'clientReset' || reason === 'nodeReset' || reason === 'stalled';
    this.#downstream.destroy({ reset });
    this.#upstream.destroy({ reset });
    this.#waited();
    this.#owner.removed(this);
    this.#lease.release();
    this.#goodbye?.relayEnded(reason);
    this.#onEnd(reason, this.#totals());
  }

  #totals(): RelayTotals {
    return {
      toNodeBytes: this.#toNode.byteCount,
      toNodeMessages: this.#toNode.messageCount,
      toClientBytes: this.#toClient.byteCount,
      toClientMessages: this.#toClient.messageCount,
      durationMs: this.#clock.nowMs() - this.#startedMs,
    };
  }
}
