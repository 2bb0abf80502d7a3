// Nodes that echo, and clients that come back: what a drain meets.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

/** Starts a node without an agent for one test, which ends it; its port. */
export async function anEchoNode(): Promise<number> {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('message', (data) => socket.send(data));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  // Proof of `as`: bound to a TCP port.
  return (server.address() as AddressInfo).port;
}

/** Clients that are there for one test; close codes in the order they came. */
export interface Clients {
  readonly codes: readonly number[];
}

/**
 * Connects clients that come back a moment after each close. Resolves when all are open. `greet` gets each new
 * connection with the number of its client, from 0.
 */
export async function someClients(
  port: number,
  {
    count,
    path,
    greet,
  }: { count: number; path: string; greet?: (socket: WebSocket, client: number) => void },
): Promise<Clients> {
  const codes: number[] = [];
  const sockets = new Set<WebSocket>();
  let isOver = false;
  const connect = (client: number, opened: () => void) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
    sockets.add(socket);
    socket.on('open', () => {
      greet?.(socket, client);
      opened();
    });
    socket.on('error', () => undefined);
    socket.on('close', (code) => {
      sockets.delete(socket);
      if (isOver) return;
      codes.push(code);
      setTimeout(() => isOver || connect(client, () => undefined), 50);
    });
  };
  onTestFinished(() => {
    isOver = true;
    for (const socket of sockets) socket.terminate();
  });
  await Promise.all(
    Array.from({ length: count }, (_, client) => new Promise<void>((opened) => connect(client, opened))),
  );
  return { codes };
}
