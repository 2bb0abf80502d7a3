// Nodes that tell what they were asked, for tests of what Herald makes of a request.
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';

/** A node that tells its id, the target and the headers of each request, over HTTP and WebSocket alike. */
export async function aTellingNode(id: string): Promise<{ id: string; address: string }> {
  const tell = (url: string | undefined, headers: IncomingHttpHeaders) =>
    JSON.stringify({ id, url, headers });
  const server = createServer(({ url, headers }, response) => void response.end(tell(url, headers)));
  new WebSocketServer({ server }).on('connection', (socket, { url, headers }) =>
    socket.send(tell(url, headers)),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  // Proof of `as`: bound to a TCP port.
  return { id, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}
