// A node made of node:http, for what needs real answers: streams, polls, trailers, Socket.IO.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RawNode } from './raw-node.ts';

/** A listening HTTP node; `received` holds `METHOD target` of each request. */
export interface HttpNode extends RawNode {
  readonly server: Server;
}

/** Starts a node. */
export async function startHttpNode(id: string, handle: RequestListener): Promise<HttpNode> {
  const received: string[] = [];
  let openSockets = 0;
  const server = createServer((request, response) => {
    received.push(`${request.method} ${request.url}`);
    handle(request, response);
  });
  server.on('connection', (socket) => {
    openSockets++;
    socket.on('close', () => openSockets--);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Proof of `as`: bound to a TCP port.
  const { port } = server.address() as AddressInfo;
  return {
    placed: { id, host: '127.0.0.1', port },
    received,
    server,
    get openSockets() {
      return openSockets;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
