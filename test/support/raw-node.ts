// A node made of a bare TCP server: what it does with each connection is the test's.
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { PlacedNode } from '../../src/balancer/state/ports.ts';

/** A listening node. */
export interface RawNode {
  readonly placed: PlacedNode;
  /** Connections that have not closed. */
  readonly openSockets: number;
  /** Everything received on each connection, latin1, in order of arrival. */
  readonly received: string[];
  close(): Promise<void>;
}

/** Hears of each piece; `text` is everything received on this connection so far. */
export type NodeBehaviour = (socket: Socket, text: string) => void;

/** Starts a node. `accepted` hears of each connection before its first byte. */
export async function startRawNode(
  id: string,
  behave: NodeBehaviour,
  accepted: (socket: Socket) => void = () => {},
): Promise<RawNode> {
  const sockets = new Set<Socket>();
  const received: string[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const index = received.push('') - 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    socket.on('data', (chunk) => {
      received[index] += chunk.toString('latin1');
      behave(socket, received[index] ?? '');
    });
    accepted(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Proof of `as`: bound to a TCP port.
  const { port } = server.address() as AddressInfo;
  return {
    placed: { id, host: '127.0.0.1', port },
    received,
    get openSockets() {
      return sockets.size;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** Answers `answer` to the first whole head of a connection, then echoes what follows it. */
export function answering(answer: string): NodeBehaviour {
  const answered = new WeakSet<Socket>();
  return (socket, text) => {
    const at = text.indexOf('\r\n\r\n');
    if (at === -1) return;
    if (answered.has(socket)) {
      socket.write(Buffer.from(`echo:${text.slice(at + 4)};`, 'latin1'));
      return;
    }
    answered.add(socket);
    socket.write(Buffer.from(answer, 'latin1'));
    if (text.length > at + 4) socket.write(Buffer.from(`echo:${text.slice(at + 4)};`, 'latin1'));
  };
}

/** The 101 of the sample key of RFC 6455. */
export const switching =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';
