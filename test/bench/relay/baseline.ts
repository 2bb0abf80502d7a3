// The npm proxies that the relay is compared with, each as its README shows it.
// Usage: baseline http-proxy|httpxy --listen PORT --backend 127.0.0.1:PORT
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { parseArgs } from 'node:util';
import { createProxyServer } from 'httpxy';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { listen: { type: 'string' }, backend: { type: 'string' } },
});
const target = `http://${values.backend ?? ''}`;
const options = { target, ws: true, xfwd: true };

/** What both have, as far as it is used here. */
interface Proxy {
  ws(request: IncomingMessage, socket: Duplex, head: Buffer): unknown;
  on(event: 'error', listener: () => void): unknown;
}

async function createProxy(name: string): Promise<Proxy> {
  if (name === 'httpxy') {
    const proxy = createProxyServer(options);
    return {
      // node:http gives a net.Socket for every upgrade of a plain server.
      ws: (request, socket, head) => proxy.ws(request, socket as Socket, {}, head),
      on: (event, listener) => proxy.on(event, listener),
    };
  }
  // The package has no types and is loaded for its one function.
  const packageName: string = 'http-proxy';
  const library = (await import(packageName)) as { default: { createProxyServer(o: object): Proxy } };
  return library.default.createProxyServer(options);
}

const proxy = await createProxy(positionals[0] ?? '');
proxy.on('error', () => {});
const server = createServer((_request, response) => response.writeHead(502).end());
server.on('upgrade', (request, socket: Duplex, head) => {
  socket.on('error', () => socket.destroy());
  proxy.ws(request, socket, head);
});
server.listen({ port: Number(values.listen), host: '127.0.0.1', backlog: 4096 });
process.on('SIGTERM', () => process.exit(0));
