// A goodbye from our Close on: nothing to the client behind it, the client's answer on to the node, then the ends
// (RFC 6455, sections 5.5.1 and 7.1.1). A tunnel without frames gets a half-close instead of a Close.
import type { Buffer } from 'node:buffer';
import type { Clock, Timer } from '../../core/clock.ts';
import { goodbyeReason } from '../../protocol/goodbye-reason.ts';
import { encodeClose } from '../../protocol/websocket.ts';
import type { Goodbye, GoodbyeOutcome } from '../state/ports.ts';
import type { LeavingRelay } from './relay-goodbye.ts';
import type { WireReader } from './wire.ts';

/** What is to be said; `left` is called at most once, when the client has left. */
interface HandshakeOptions {
  readonly goodbye: Goodbye;
  readonly clock: Clock;
  readonly left: (outcome: GoodbyeOutcome) => void;
}

// Who has not answered a Close by now does not run, or does not read. Never beyond the deadline.
const maxAnswerMs = 10_000;

export class ClosingHandshake {
  readonly #relay: LeavingRelay;
  readonly #options: HandshakeOptions;
  /** The kernel has our Close, whole. */
  #isTaken = false;
  /** The client has answered, or has ended its half. */
  #hasLeft = false;
  #timer: Timer | undefined;

  constructor(relay: LeavingRelay, options: HandshakeOptions) {
    this.#relay = relay;
    this.#options = options;
  }

  /**
   * Tells the client. Everything that its wire was given before ends at a boundary, whether the kernel has it or it
   * is still queued: ours goes behind it.
   */
  start(): void {
    const { downstream, upstream, toClient } = this.#relay;
    const { code, reason, retryAfterMs } = this.#options.goodbye;
    const isFramed = toClient.cursor !== undefined;
    downstream.reader = this.#clientReader();
    upstream.reader = this.#nodeReader();
    this.#limit(isFramed ? maxAnswerMs : Infinity);
    if (isFramed) {
      const close = encodeClose({ code, reason: goodbyeReason(reason, retryAfterMs) });
      this.#isTaken = downstream.send(close, 0, close.length) && !downstream.isClosed;
    } else {
      this.#isTaken = true;
      downstream.end();
    }
    // Each side may have kept the other back: the node's bytes are thrown away now, the client's answer is awaited.
    upstream.resume();
    if (upstream.isClosed) downstream.resume();
  }

  /** Makes no further call. */
  stop(): void {
    this.#timer?.cancel();
  }

  /** What it amounts to when it ends here, without the client having left. */
  get outcomeSoFar(): GoodbyeOutcome {
    return this.#isTaken ? 'refusedByPeer' : 'cut';
  }

  #clientReader(): WireReader {
    const { upstream, finish } = this.#relay;
    return {
      bytes: (buffer, start, end) => this.#clientBytes(buffer, start, end),
      ended: () => {
        this.#left();
        upstream.end();
      },
      drained: () => {
        this.#isTaken = true;
        upstream.resume();
      },
      closed: (error) => {
        this.#left();
        if (error !== undefined) return finish('goodbye');
        upstream.end();
        this.#finishIfClosed();
      },
    };
  }

  #nodeReader(): WireReader {
    const { upstream, downstream } = this.#relay;
    return {
      // Read, so that the node can end, and thrown away: its Close, too.
      bytes: () => {},
      ended: () => {
        if (this.#hasLeft) upstream.end();
      },
      drained: () => downstream.resume(),
      closed: () => {
        downstream.resume();
        this.#finishIfClosed();
      },
    };
  }

  #clientBytes(buffer: Buffer, start: number, end: number): void {
    if (this.#hasLeft) return;
    const { toNode } = this.#relay;
    const boundary = toNode.cursor?.boundaryIn(buffer, start, end, 'close') ?? -1;
    toNode.bytes(buffer, start, boundary === -1 ? end : boundary);
    if (boundary !== -1) this.#left();
  }

  /** The client leaves. It has been told before, unless our Close is still queued: then it goes by itself. */
  #left(): void {
    if (this.#hasLeft) return;
    const { downstream, upstream } = this.#relay;
    this.#hasLeft = true;
    this.#limit(maxAnswerMs);
    // The server closes first, so that the client is not left with TIME_WAIT.
    downstream.end();
    // A slow node may have kept it back; its end is all that still matters.
    downstream.resume();
    if (upstream.sawEnd) upstream.end();
    this.#options.left(this.#isTaken ? 'closed' : 'alreadyGone');
  }

  #limit(maxMs: number): void {
    const leftMs = Math.max(0, this.#options.goodbye.byMs - this.#options.clock.nowMs());
    this.#timer?.cancel();
    this.#timer = this.#options.clock.schedule(Math.min(maxMs, leftMs), () => this.#relay.finish('goodbye'));
  }

  #finishIfClosed(): void {
    const { downstream, upstream, finish } = this.#relay;
    if (downstream.isClosed && upstream.isClosed) finish('goodbye');
  }
}
