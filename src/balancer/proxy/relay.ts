// Moves bytes between a client's wire and a node's until both are closed, and settles the lease. Dialling and
// handshakes are over before; who may be relayed where is decided elsewhere.
import type { Clock } from '../../core/clock.ts';
import { FrameCursor } from '../../protocol/websocket.ts';
import type { Lease } from '../state/ports.ts';
import type { Wire, WireReader } from './wire.ts';

/**
 * Why a relay ended, by what came first. `client`, `node`: that side ended in order. `clientReset`, `nodeReset`:
 * its connection broke. `idle`: no byte either way for the timeout. `halfClosed`: one side ended and the other
 * did not follow in time. `stopped`: we ended it.
 */
export const relayEnds = [
  'client',
  'node',
  'clientReset',
  'nodeReset',
  'idle',
  'halfClosed',
  'stopped',
] as const;
export type RelayEnd = (typeof relayEnds)[number];

/** What went through one relay; messages are 0 where frames were not read. */
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
  /** The bytes are WebSocket frames: count messages. */
  readonly isFramed: boolean;
  /** More than 0; Infinity: never. Seen at the next tick of the owner. */
  readonly idleTimeoutMs: number;
  /** How long the second half may stay open after the first has ended, busy or not; more than 0. */
  readonly halfClosedTimeoutMs: number;
  /** Called exactly once, after the lease is released; before `open` returns when a wire is closed already. */
  readonly onEnd: (reason: RelayEnd, totals: RelayTotals) => void;
}

export class Relay {
  readonly #options: RelayOptions;
  readonly #clock: Clock;
  readonly #removed: (relay: Relay) => void;
  readonly #toNode: Flow;
  readonly #toClient: Flow;
  readonly #startedMs: number;
  #lastActiveMs: number;
  #halfClosedMs: number | undefined;
  #firstEnd: RelayEnd | undefined;
  #hasEnded = false;

  /** `removed` is called once, when the relay has ended. Nothing moves before `start`. */
  constructor(options: RelayOptions, clock: Clock, removed: (relay: Relay) => void) {
    const { downstream, upstream, lease, isFramed } = options;
    this.#options = options;
    this.#clock = clock;
    this.#removed = removed;
    this.#startedMs = clock.nowMs();
    this.#lastActiveMs = this.#startedMs;
    this.#toNode = new Flow(this, downstream, upstream, lease, true, isFramed);
    this.#toClient = new Flow(this, upstream, downstream, lease, false, isFramed);
  }

  /** Takes both wires over and moves what was left over. */
  start(): void {
    const { downstream, upstream, fromClient, fromNode } = this.#options;
    downstream.reader = this.#toNode;
    upstream.reader = this.#toClient;
    // A wire that closed under its former reader tells us nothing any more.
    if (downstream.isClosed) return this.#finish('clientReset');
    if (upstream.isClosed) return this.#finish('nodeReset');
    downstream.useSharedBuffer();
    upstream.useSharedBuffer();
    downstream.resume();
    upstream.resume();
    if (fromClient.length > 0) this.#toNode.bytes(fromClient, 0, fromClient.length);
    if (fromNode.length > 0) this.#toClient.bytes(fromNode, 0, fromNode.length);
    if (downstream.sawEnd) this.#toNode.ended();
    if (upstream.sawEnd) this.#toClient.ended();
  }

  /** Ends the relay at once; does nothing when it has ended. */
  stop(): void {
    this.#finish('stopped');
  }

  /** Called by the owner at regular times: finds idle and half-closed relays. */
  tick(nowMs: number): void {
    const { idleTimeoutMs, halfClosedTimeoutMs } = this.#options;
    const toNode = this.#toNode.takeActivity();
    const toClient = this.#toClient.takeActivity();
    if (toNode || toClient) this.#lastActiveMs = nowMs;
    if (this.#halfClosedMs !== undefined && nowMs - this.#halfClosedMs >= halfClosedTimeoutMs)
      return this.#finish('halfClosed');
    if (nowMs - this.#lastActiveMs >= idleTimeoutMs) this.#finish('idle');
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
    const { downstream, upstream, lease, onEnd } = this.#options;
    // Who did not break the connection learns that it broke, instead of taking it for an end in order.
    const reset = reason === 'clientReset' || reason === 'nodeReset';
    downstream.destroy({ reset });
    upstream.destroy({ reset });
    this.#removed(this);
    lease.release();
    onEnd(reason, this.#totals());
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

/** One direction: the reader of its source. Nothing here allocates for a message. */
class Flow implements WireReader {
  readonly sink: Wire;
  byteCount = 0;
  messageCount = 0;
  readonly #relay: Relay;
  readonly #source: Wire;
  readonly #lease: Lease;
  readonly #isToNode: boolean;
  readonly #cursor: FrameCursor | undefined;
  #wasActive = false;

  constructor(relay: Relay, source: Wire, sink: Wire, lease: Lease, isToNode: boolean, isFramed: boolean) {
    this.#relay = relay;
    this.#source = source;
    this.sink = sink;
    this.#lease = lease;
    this.#isToNode = isToNode;
    this.#cursor = isFramed ? new FrameCursor() : undefined;
  }

  bytes(buffer: Buffer, start: number, end: number): void {
    const messages = this.#cursor === undefined ? 0 : this.#cursor.scan(buffer, start, end);
    this.#wasActive = true;
    this.byteCount += end - start;
    this.messageCount += messages;
    if (this.#isToNode) this.#lease.toNode(messages, end - start);
    else this.#lease.toClient(messages, end - start);
    if (!this.sink.send(buffer, start, end)) this.#source.pause();
  }

  ended(): void {
    this.#relay.flowEnded(this);
  }

  /** The source takes bytes again: whoever feeds it may go on. */
  drained(): void {
    this.sink.resume();
  }

  closed(error: NodeJS.ErrnoException | undefined): void {
    this.#relay.sourceClosed(this, error);
  }

  /** Whether bytes have passed since the last call. */
  takeActivity(): boolean {
    const wasActive = this.#wasActive;
    this.#wasActive = false;
    return wasActive;
  }
}
