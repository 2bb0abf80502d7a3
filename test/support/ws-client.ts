// A `ws` client that keeps what it hears, with bounded waits.
import { onTestFinished } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import { until } from './until.ts';

/** One message. */
export interface Heard {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** A client that keeps everything. */
export interface WsClient {
  readonly socket: WebSocket;
  readonly messages: readonly Heard[];
  /** Undefined while it is not closed. */
  readonly closed: { readonly code: number; readonly reason: string } | undefined;
  /** Waits for the message number `count` (from 1) and gives it. */
  message(count: number): Promise<Heard>;
  /** Waits for the close. */
  close(): Promise<{ readonly code: number; readonly reason: string }>;
}

/** Connects; resolves when it is open, and rejects with the error otherwise. The test ends it. */
export async function connectWs(
  port: number,
  {
    path = '/',
    protocols,
    url = `ws://127.0.0.1:${port}${path}`,
    ...options
  }: ClientOptions & { path?: string; url?: string; protocols?: readonly string[] } = {},
): Promise<WsClient> {
  const messages: Heard[] = [];
  let closed: { code: number; reason: string } | undefined;
  const socket = new WebSocket(url, [...(protocols ?? [])], {
    handshakeTimeout: 20_000,
    ...options,
  });
  onTestFinished(() => socket.terminate());
  // Proof of `as`: the default binaryType gives Buffers.
  socket.on('message', (data, isBinary) => void messages.push({ data: data as Buffer, isBinary }));
  socket.on('close', (code, reason) => (closed = { code, reason: reason.toString() }));
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => {
    // 'close' follows and is what tests look at.
  });
  return {
    socket,
    messages,
    get closed() {
      return closed;
    },
    async message(count) {
      await until(
        () => messages.length >= count || closed !== undefined,
        () => `${messages.length} of ${count} messages`,
        20_000,
      );
      const found = messages[count - 1];
      if (found === undefined) throw new Error(`closed by ${closed?.code} after ${messages.length} messages`);
      return found;
    },
    async close() {
      await until(
        () => closed !== undefined,
        () => 'not closed',
        20_000,
      );
      return closed ?? { code: 0, reason: '' };
    },
  };
}
