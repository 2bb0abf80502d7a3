// One tunnel's goodbye up to the moment when the client can be told: between two messages, else between two frames.
// What follows is closing-handshake.ts. Whoever is closing by itself meanwhile is left alone.
import type { Buffer } from 'node:buffer';
import type { Clock, Timer } from '../../core/clock.ts';
import type { Goodbye, GoodbyeOutcome } from '../state/ports.ts';
import { ClosingHandshake } from './closing-handshake.ts';
import type { Flow } from './flow.ts';
import type { RelayEnd } from './relay.ts';
import type { Wire, WireReader } from './wire.ts';

/** What a goodbye needs of its relay. */
export interface LeavingRelay {
  readonly downstream: Wire;
  readonly upstream: Wire;
  readonly toNode: Flow;
  readonly toClient: Flow;
  /** One side has ended its half: what follows is its business. */
  readonly isEnding: boolean;
  /** Ends the relay, which calls `relayEnded`. */
  finish(reason: RelayEnd): void;
}

/** What is to be said, and who hears what came of it. */
interface GoodbyeOptions {
  readonly goodbye: Goodbye;
  readonly settled: (outcome: GoodbyeOutcome) => void;
  readonly clock: Clock;
}

// A message that has not ended by then is a stream of fragments, or its node has stalled: between two of its frames
// a Close is allowed, too, and costs the client this message.
const maxMessageWaitMs = 2_000;

export class RelayGoodbye {
  readonly #relay: LeavingRelay;
  readonly #options: GoodbyeOptions;
  #settled: ((outcome: GoodbyeOutcome) => void) | undefined;
  #boundary: 'message' | 'frame' = 'message';
  #handshake: ClosingHandshake | undefined;
  #timer: Timer | undefined;

  constructor(relay: LeavingRelay, options: GoodbyeOptions) {
    this.#relay = relay;
    this.#options = options;
    this.#settled = options.settled;
  }

  /** Begins. Called once. */
  start(): void {
    const { downstream, upstream, toNode, toClient, isEnding } = this.#relay;
    if (isEnding || toNode.cursor?.sawClose === true || toClient.cursor?.sawClose === true)
      return this.#standBack();
    if (toClient.cursor?.atMessageBoundary !== false) return this.#tell();
    // Taken over from the flows, so that a connection that nobody asks to leave pays nothing for goodbyes.
    downstream.reader = this.#clientReader();
    upstream.reader = this.#nodeReader();
    this.#schedule(Math.min(maxMessageWaitMs, this.#leftMs() / 2), () => this.#settleForFrame());
  }

  /** The relay has ended, whoever ended it. */
  relayEnded(reason: RelayEnd): void {
    this.#timer?.cancel();
    this.#handshake?.stop();
    // What the wires still say is nobody's business.
    this.#giveBack();
    if (this.#handshake !== undefined) return this.#settle(this.#handshake.outcomeSoFar);
    const isOurs = reason === 'cut' || reason === 'stopped' || reason === 'idle' || reason === 'halfClosed';
    this.#settle(isOurs ? 'cut' : 'alreadyGone');
  }

  #clientReader(): WireReader {
    const { toNode } = this.#relay;
    return {
      bytes: (buffer, start, end) => {
        toNode.bytes(buffer, start, end);
        if (toNode.cursor?.sawClose === true) this.#standBack();
      },
      ended: () => {
        this.#standBack();
        toNode.ended();
      },
      drained: () => toNode.drained(),
      closed: (error) => toNode.closed(error),
    };
  }

  #nodeReader(): WireReader {
    const { toClient } = this.#relay;
    return {
      bytes: (buffer, start, end) => this.#nodeBytes(buffer, start, end),
      // Nothing more will complete the message; where its last frame is whole, the client can still be told.
      ended: () => {
        if (toClient.cursor?.atFrameBoundary === true) return this.#tell();
        this.#standBack();
        toClient.ended();
      },
      drained: () => toClient.drained(),
      closed: (error) => {
        if (toClient.cursor?.atFrameBoundary === true) this.#tell();
        else toClient.closed(error);
      },
    };
  }

  #nodeBytes(buffer: Buffer, start: number, end: number): void {
    const { toClient } = this.#relay;
    const boundary = toClient.cursor?.boundaryIn(buffer, start, end, this.#boundary) ?? -1;
    toClient.bytes(buffer, start, boundary === -1 ? end : boundary);
    if (toClient.cursor?.sawClose === true) {
      this.#standBack();
      if (boundary !== -1) toClient.bytes(buffer, boundary, end);
      return;
    }
    // What came behind the boundary is dropped, as everything is from now on.
    if (boundary !== -1) this.#tell();
  }

  /** Leaves the relay to those who are ending it, up to the deadline. */
  #standBack(): void {
    this.#giveBack();
    this.#schedule(this.#leftMs(), () => this.#relay.finish('cut'));
  }

  #giveBack(): void {
    const { downstream, upstream, toNode, toClient } = this.#relay;
    downstream.reader = toNode;
    upstream.reader = toClient;
  }

  #settleForFrame(): void {
    if (this.#relay.toClient.cursor?.atFrameBoundary === true) return this.#tell();
    this.#boundary = 'frame';
    this.#schedule(this.#leftMs(), () => this.#relay.finish('cut'));
  }

  #tell(): void {
    const { goodbye, clock } = this.#options;
    this.#timer?.cancel();
    this.#handshake = new ClosingHandshake(this.#relay, {
      goodbye,
      clock,
      left: (outcome) => this.#settle(outcome),
    });
    this.#handshake.start();
  }

  #leftMs(): number {
    return Math.max(0, this.#options.goodbye.byMs - this.#options.clock.nowMs());
  }

  #schedule(delayMs: number, callback: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.schedule(delayMs, callback);
  }

  #settle(outcome: GoodbyeOutcome): void {
    const settled = this.#settled;
    this.#settled = undefined;
    settled?.(outcome);
  }
}
