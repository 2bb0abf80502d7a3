// A node that answers HTTP with what it was told of the client (without end at /endless), and echoes WebSocket messages;
// over TLS, and behind PROXY headers, where the test wants it.
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';

/** A listening node. */
export interface PublicNode {
  /** `host:port`. */
  readonly address: string;
  readonly port: number;
  /** Requests and upgrades so far. */
  readonly requests: readonly IncomingMessage[];
}

/** Starts a node for one test, which ends it. `tls`: the options of its server. */
export async function aPublicNode({
  tls,
  host = '127.0.0.1',
}: { tls?: ServerOptions; host?: string } = {}): Promise<PublicNode> {
  const requests: IncomingMessage[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    requests.push(request);
    if (request.url === '/endless') flood(response);
    else response.end(JSON.stringify(request.headers));
  };
  const server = tls === undefined ? createHttpServer(answer) : createHttpsServer(tls, answer);
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on('connection', (socket, request) => {
    requests.push(request);
    socket.on('error', () => {});
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
    server.closeAllConnections();
  });
  // Proof of `as`: bound to a TCP port.
  const { port } = server.address() as AddressInfo;
  return { address: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`, port, requests };
}

function flood(response: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024);
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
}
