// One direction of a relay: reads a wire, counts, writes the other wire, and keeps the pace of the slower.
import { FrameCursor } from '../../protocol/websocket.ts';
import type { Lease } from '../state/ports.ts';
import type { Wire, WireReader } from './wire.ts';

/** Who hears how a direction ends. */
export interface FlowOwner {
  /** The source has ended its half. */
  flowEnded(flow: Flow): void;
  /** `bytes` of it wait for its sink. */
  sinkWaits(flow: Flow, bytes: number): void;
  /** The source, as the other direction's sink, has taken all that waited for it. */
  sourceDrained(flow: Flow): void;
  /** The source is gone. */
  sourceClosed(flow: Flow, error: NodeJS.ErrnoException | undefined): void;
}

/** What a flow is made of; not kept. */
export interface FlowOptions {
  readonly owner: FlowOwner;
  readonly source: Wire;
  readonly sink: Wire;
  readonly lease: Lease;
  /** Which of the lease's two counts it feeds. */
  readonly isToNode: boolean;
  readonly isFramed: boolean;
}

/** One direction: the reader of its source. Nothing here allocates for a message. */
export class Flow implements WireReader {
  readonly sink: Wire;
  /** Where the frames that `sink` was given stand, kept back or not; undefined where frames are not read. */
  readonly cursor: FrameCursor | undefined;
  byteCount = 0;
  messageCount = 0;
  readonly #owner: FlowOwner;
  readonly #source: Wire;
  readonly #lease: Lease;
  readonly #isToNode: boolean;
  #wasActive = false;

  constructor(options: FlowOptions) {
    this.#owner = options.owner;
    this.#source = options.source;
    this.sink = options.sink;
    this.#lease = options.lease;
    this.#isToNode = options.isToNode;
    this.cursor = options.isFramed ? new FrameCursor() : undefined;
  }

  /** Reads as a tunnel does, what was left over first. */
  start(leftOver: Buffer): void {
    this.#source.useSharedBuffer();
    this.#source.resume();
    if (leftOver.length > 0) this.bytes(leftOver, 0, leftOver.length);
    if (this.#source.sawEnd) this.ended();
  }

  bytes(buffer: Buffer, start: number, end: number): void {
    // Without frames a read is the nearest thing to a message: what wakes the node costs it about the same.
    const messages = this.cursor === undefined ? 1 : this.cursor.scan(buffer, start, end);
    this.#wasActive = true;
    this.byteCount += end - start;
    this.messageCount += messages;
    if (this.#isToNode) this.#lease.toNode(messages, end - start);
    else this.#lease.toClient(messages, end - start);
    if (this.sink.send(buffer, start, end)) return;
    this.#source.pause();
    this.#owner.sinkWaits(this, end - start);
  }

  ended(): void {
    this.#owner.flowEnded(this);
  }

  /** The source takes bytes again: whoever feeds it may go on. */
  drained(): void {
    this.sink.resume();
    this.#owner.sourceDrained(this);
  }

  closed(error: NodeJS.ErrnoException | undefined): void {
    this.#owner.sourceClosed(this, error);
  }

  /** Whether bytes have passed since the last call. */
  takeActivity(): boolean {
    const wasActive = this.#wasActive;
    this.#wasActive = false;
    return wasActive;
  }
}
