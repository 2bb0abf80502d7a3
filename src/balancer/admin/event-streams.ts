// Events on their way to readers, as server-sent events. Nothing is queued for a reader: each has a place in the feed,
// which keeps the newest events anyway, and goes on from there whenever its socket takes more.
import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import type { EventRecord } from '../../protocol/operations.ts';
import type { EventFeed } from '../control/ports.ts';

/** How many readers there may be, and how slow. */
export interface StreamLimits {
  readonly maxStreams: number;
  /** Of one caller. */
  readonly maxPerCaller: number;
  /** Between two comments that keep proxies from closing the stream. */
  readonly heartbeatMs: number;
  /** A reader whose socket takes nothing for so long is ended. */
  readonly stallMs: number;
  /** What is left for a reader to take its last event. */
  readonly farewellMs: number;
}

/** Heartbeats within the 30 s that HAProxy and nginx like to give a silent connection. */
export const defaultStreamLimits: StreamLimits = {
  maxStreams: 64,
  maxPerCaller: 16,
  heartbeatMs: 15_000,
  stallMs: 30_000,
  farewellMs: 5000,
};

/** What a reader wants. */
export interface StreamWish {
  readonly by: string;
  readonly wants: (event: EventRecord) => boolean;
  /** What the reader has heard last; undefined: it wants new events only. */
  readonly lastEventId: string | undefined;
}

interface Stream {
  readonly response: ServerResponse;
  readonly wish: StreamWish;
  /** Id of the last event that was sent or passed over. */
  at: number;
  /** Since when the socket takes nothing; undefined while it does. */
  stalledAtMs: number | undefined;
}

const retryMs = 2000;

/** The streams of one listener. */
export class EventStreams {
  readonly #feed: EventFeed;
  readonly #clock: Clock;
  readonly #limits: StreamLimits;
  readonly #streams = new Set<Stream>();
  readonly #farewells = new Map<ServerResponse, Timer>();
  /** Ids begin anew with each process: this tells whose they are. */
  readonly #process: string;
  #stopListening: (() => void) | undefined;
  #heartbeat: Timer | undefined;

  constructor(deps: { feed: EventFeed; clock: Clock; limits: StreamLimits }) {
    this.#feed = deps.feed;
    this.#clock = deps.clock;
    this.#limits = deps.limits;
    this.#process = Math.floor(deps.clock.wallMs()).toString(36);
  }

  /** Streams that are open. */
  get count(): number {
    return this.#streams.size;
  }

  /** Begins a stream on this response, which it owns from now on. HERALD_TOO_MANY_STREAMS. */
  open(response: ServerResponse, wish: StreamWish): void {
    this.#refuseTooMany(wish.by);
    const from = this.#placeOf(wish.lastEventId);
    const stream: Stream = { response, wish, at: from ?? this.#lastId(), stalledAtMs: undefined };
    response.on('error', () => undefined);
    response.on('close', () => this.#forget(stream));
    response.on('drain', () => this.#pump(stream));
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
      // Nothing comes after a stream: its end is the end of the connection, too.
      Connection: 'close',
    });
    response.write(`retry: ${retryMs}\n\n`);
    this.#streams.add(stream);
    this.#stopListening ??= this.#feed.listen(() => this.#pumpAll());
    this.#heartbeat ??= this.#clock.repeat(this.#limits.heartbeatMs, () => this.#beat());
    this.#pump(stream);
  }

  /** Ends every stream with a last event that says why. */
  stop(): void {
    for (const stream of this.#streams) this.#end(stream, 'the balancer stops');
    this.#stopListening?.();
    this.#heartbeat?.cancel();
  }

  /** Ends the streams of callers that may be others now; their clients come back as who they are. */
  endOf(isMeant: (by: string) => boolean, reason: string): void {
    for (const stream of this.#streams) if (isMeant(stream.wish.by)) this.#end(stream, reason);
  }

  #refuseTooMany(by: string): void {
    const { maxStreams, maxPerCaller } = this.#limits;
    const own = [...this.#streams].filter(({ wish }) => wish.by === by).length;
    if (this.#streams.size < maxStreams && own < maxPerCaller) return;
    const message =
      own < maxPerCaller ? `${maxStreams} event streams are open` : `'${by}' has ${own} event streams open`;
    throw new HeraldError('HERALD_TOO_MANY_STREAMS', message, { retryAfterMs: 10_000 });
  }

  #lastId(): number {
    return this.#feed.since(0).events.at(-1)?.id ?? 0;
  }

  /** Where to go on; NaN for what another process gave, which no event of ours follows. Undefined: at the end. */
  #placeOf(lastEventId: string | undefined): number | undefined {
    if (lastEventId === undefined || lastEventId === '') return undefined;
    const [, process, id] = /^(?:([0-9a-z]+)\.)?(\d{1,15})$/.exec(lastEventId) ?? [];
    return id === undefined || (process ?? this.#process) !== this.#process ? Number.NaN : Number(id);
  }

  #pumpAll(): void {
    for (const stream of this.#streams) this.#pump(stream);
  }

  #pump(stream: Stream): void {
    const { response, wish } = stream;
    if (response.writableNeedDrain || response.writableEnded) return;
    stream.stalledAtMs = undefined;
    const { events, isWhole } = this.#feed.since(stream.at);
    if (!isWhole) this.#tellGap(stream, events[0]);
    for (const event of events) {
      stream.at = event.id;
      if (!wish.wants(event)) continue;
      const hasRoom = response.write(`id: ${this.#process}.${event.id}\ndata: ${JSON.stringify(event)}\n\n`);
      if (!hasRoom) break;
    }
    if (response.writableNeedDrain) stream.stalledAtMs = this.#clock.nowMs();
  }

  #tellGap(stream: Stream, first: EventRecord | undefined): void {
    stream.at = (first?.id ?? this.#lastId() + 1) - 1;
    const message = 'Events before these are not kept any more, or are those of another process.';
    stream.response.write(`event: gap\ndata: ${JSON.stringify({ message })}\n\n`);
  }

  /** A comment for who reads; its id keeps the reader's place near, although its filter passes over what happens. */
  #beat(): void {
    const nowMs = this.#clock.nowMs();
    for (const stream of this.#streams) {
      const { response, at } = stream;
      if (!response.writableNeedDrain) response.write(`: alive\nid: ${this.#process}.${at}\n\n`);
      // A heartbeat, too, can be what the socket does not take any more.
      stream.stalledAtMs = response.writableNeedDrain ? (stream.stalledAtMs ?? nowMs) : undefined;
      if (stream.stalledAtMs === undefined || nowMs - stream.stalledAtMs < this.#limits.stallMs) continue;
      this.#end(stream, 'too slow: nothing was read');
    }
  }

  /** The last event waits behind what was not read; who never reads it is cut off. */
  #end(stream: Stream, reason: string): void {
    const { response } = stream;
    this.#forget(stream);
    response.end(`event: end\ndata: ${JSON.stringify({ reason })}\n\n`);
    const timer = this.#clock.schedule(this.#limits.farewellMs, () => response.destroy());
    this.#farewells.set(response, timer);
    response.on('close', () => {
      timer.cancel();
      this.#farewells.delete(response);
    });
  }

  #forget(stream: Stream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#heartbeat?.cancel();
    this.#heartbeat = undefined;
  }
}
