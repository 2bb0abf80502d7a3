// Counts the connections and WebSocket messages of an HTTP server whose application handles 'upgrade' itself.
import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { FrameCursor } from '../../protocol/websocket.ts';
import { IncomingMessage as HttpRequest } from '../node-http.ts';
import { AnswerHead } from './answer-head.ts';
import { createMembers } from './members.ts';
import type { Unobserve, UpgradeServer } from './observable.ts';
import { shadowMethod } from './shadow-method.ts';
import type { Traffic } from './traffic.ts';

/** Starts counting. Adds the sockets to `watched`, so that an observed ws behind this server does not count again. */
export function observeUpgrades(
  server: UpgradeServer,
  traffic: Traffic,
  watched: WeakSet<object>,
): Unobserve {
  const ends = new Set<() => void>();
  const members = createMembers<Duplex>(traffic, () => () => {});
  // Not a listener of our own: with one, Node would take upgrade requests that the application never handles.
  const restore = shadowMethod(
    server,
    'emit',
    (original) =>
      function emit(this: unknown, event: string, ...values: unknown[]): boolean {
        const [request, socket, head] = values;
        if (event === 'upgrade' && request instanceof HttpRequest && socket instanceof Duplex) {
          watchOnce(socket, request, head);
        }
        return Reflect.apply(original, this, [event, ...values]);
      },
  );

  function watchOnce(socket: Duplex, request: IncomingMessage, head: unknown): void {
    if (watched.has(socket)) return;
    watched.add(socket);
    // Other protocols can be upgraded to as well: their connections count, their bytes mean nothing to us.
    const hasMessages = request.headers.upgrade?.toLowerCase() === 'websocket';
    const unwatch = watchSocket(socket, { traffic, hasMessages, accepted: () => members.join(socket) });
    if (Buffer.isBuffer(head)) unwatch.received(head);
    const end = () => {
      ends.delete(end);
      watched.delete(socket);
      socket.off('close', end);
      unwatch.end();
      members.leave(socket);
    };
    socket.on('close', end);
    ends.add(end);
  }

  return () => {
    restore();
    for (const end of ends) end();
  };
}

interface Watch {
  /** Counts bytes that came from the client. */
  received(bytes: Buffer): void;
  end(): void;
}

interface Watched {
  readonly traffic: Traffic;
  /** False: the upgraded protocol is not WebSocket. */
  readonly hasMessages: boolean;
  /** Called for every write once the application has accepted the upgrade. */
  readonly accepted: () => void;
}

function watchSocket(socket: Duplex, { traffic, hasMessages, accepted }: Watched): Watch {
  const answer = new AnswerHead();
  const incoming = new FrameCursor();
  const outgoing = new FrameCursor();
  let isCounting = true;

  const received = (bytes: Buffer) => {
    // Before the answer, too: some clients send at once, and the bytes must not be lost to the counter.
    if (!isCounting || !hasMessages || answer.verdict === 'refused') return;
    traffic.messagesIn += incoming.scan(bytes, 0, bytes.length);
  };
  const sent = (chunk: unknown, encoding: unknown) => {
    if (!isCounting || answer.verdict === 'refused') return;
    if (answer.verdict === 'accepted' && !hasMessages) return;
    const bytes = toBytes(chunk, encoding);
    if (bytes.length === 0) return;
    const frames = answer.verdict === 'accepted' ? bytes : answer.read(bytes);
    if (answer.verdict !== 'accepted') return;
    accepted();
    if (hasMessages) traffic.messagesOut += outgoing.scan(frames, 0, frames.length);
  };
  const restores = shadowSocket(socket, received, sent);
  return {
    received,
    end() {
      isCounting = false;
      for (const restore of restores) restore();
    },
  };
}

/** Every byte that arrives goes through `push`, every byte that leaves through `write` or `end`. */
function shadowSocket(
  socket: Duplex,
  received: (bytes: Buffer) => void,
  sent: (chunk: unknown, encoding: unknown) => void,
): (() => void)[] {
  return [
    shadowMethod(socket, 'push', (original) => {
      return function push(this: unknown, chunk: unknown, ...rest: unknown[]): boolean {
        if (Buffer.isBuffer(chunk)) received(chunk);
        return Reflect.apply(original, this, [chunk, ...rest] as Parameters<typeof original>);
      };
    }),
    shadowMethod(socket, 'write', (original) => {
      return function write(this: unknown, ...values: unknown[]): boolean {
        sent(values[0], values[1]);
        return Reflect.apply(original, this, values as Parameters<typeof original>);
      };
    }),
    shadowMethod(socket, 'end', (original) => {
      return function end(this: unknown, ...values: unknown[]): Duplex {
        sent(values[0], values[1]);
        return Reflect.apply(original, this, values as Parameters<typeof original>);
      };
    }),
  ];
}

function toBytes(chunk: unknown, encoding: unknown): Buffer {
  if (Buffer.isBuffer(chunk)) return chunk;
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (typeof chunk !== 'string') return nothing;
  const known = typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : 'utf8';
  return Buffer.from(chunk, known);
}

const nothing = Buffer.alloc(0);
