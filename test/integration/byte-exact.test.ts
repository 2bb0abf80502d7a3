// Not a byte is lost, doubled or moved on any way through the relay: random bytes both ways at once between readers that
// stall, half-closed where the way has halves, and tunnels that are reset in the middle.
import { once } from 'node:events';
import {
  createServer as createHttpServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Balancer } from '../../src/balancer/balancer.ts';
import { proxyHeader } from '../../src/protocol/proxy-protocol.ts';
import { anAuthority } from '../support/authority.ts';
import { exchangeBytes, receiveAll, sendAll, type Exchanged } from '../support/byte-exchange.ts';
import { aConfig, aPolicy } from '../support/herald-setup.ts';
import { aBalancer } from '../support/in-process.ts';
import { until } from '../support/until.ts';

/** One way from a client to a node. */
interface Way {
  readonly name: string;
  /** The protocol that the client asks for; undefined: raw TCP. */
  readonly upgrade: string | undefined;
  readonly tlsInFront?: boolean;
  readonly tlsToNodes?: boolean;
  readonly overFile?: boolean;
  readonly proxyProtocol?: boolean;
}

const ways: readonly Way[] = [
  { name: 'WebSocket', upgrade: 'websocket' },
  { name: 'another upgrade', upgrade: 'tcp' },
  { name: 'raw TCP', upgrade: undefined },
  { name: 'a UNIX socket', upgrade: 'websocket', overFile: true },
  { name: 'PROXY headers in and out', upgrade: 'websocket', proxyProtocol: true },
  { name: 'TLS in front', upgrade: 'websocket', tlsInFront: true },
  { name: 'TLS to the node', upgrade: 'websocket', tlsToNodes: true },
  { name: 'TLS on both sides', upgrade: 'websocket', tlsInFront: true, tlsToNodes: true },
  { name: 'raw TCP with TLS to the node', upgrade: undefined, tlsToNodes: true },
  { name: 'raw TCP with TLS in front', upgrade: undefined, tlsInFront: true },
];
const forms = ['fast', 'plain'] as const;
const bytes = 5_000_000;
const endless = Number.MAX_SAFE_INTEGER;
const headEnd = '\r\n\r\n';

interface Street {
  readonly balancer: Balancer;
  /** Of the node's side, one for each connection. */
  readonly atNode: Promise<Exchanged>[];
  /** Connections that the node has now. */
  openAtNode(): number;
  /** A client that is through to the node; `reset` breaks its connection. */
  connect(): Promise<{ socket: Socket; early: Buffer; reset(): void }>;
}

/** A balancer before one node, which exchanges bytes on every connection, and clients for it. */
async function aStreet(way: Way, form: string, bytes: number): Promise<Street> {
  const authority = anAuthority();
  const issued = authority.issue('local', ['DNS:localhost', 'IP:127.0.0.1']);
  const folder = mkdtempSync(join(tmpdir(), 'hb-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'public.sock');
  const atNode: Promise<Exchanged>[] = [];
  const open = new Set<Socket>();
  const take = (socket: Socket): void => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => {});
    if (!hasHalves(way)) socket.on('end', () => socket.end());
    const exchanged = receiveHead(socket, way).then((early) =>
      exchangeBytes(socket, { seed: 2, bytes, halfCloses: hasHalves(way), early }),
    );
    // A test that resets does not ask.
    exchanged.catch(() => {});
    atNode.push(exchanged);
  };
  const tls = { cert: issued.certPem, key: issued.keyPem };
  const node =
    way.tlsToNodes === true
      ? createTlsServer({ ...tls, allowHalfOpen: true }, take)
      : createServer({ allowHalfOpen: true }, take);
  await new Promise<void>((resolve) => node.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    node.close();
  });
  // Proof of `as`: bound to a TCP port.
  const address = `127.0.0.1:${(node.address() as AddressInfo).port}`;
  const balancer = await aBalancer({
    config: aConfig({
      relay: { form },
      listeners: [
        {
          name: 'public',
          bind: way.overFile === true ? `unix:${path}` : '127.0.0.1:0',
          ...(way.tlsInFront === true && {
            tls: { certificates: [{ cert: issued.cert, key: issued.key }] },
          }),
          ...(way.proxyProtocol === true && { proxyProtocol: 'required', trusted: ['127.0.0.1'] }),
          ...(way.upgrade === undefined && { protocol: 'tcp', pool: 'chat' }),
        },
      ],
    }),
    pools: {
      chat: {
        policy: 'chat',
        nodes: [{ id: 'a', address }],
        ...(way.tlsToNodes === true && { tls: { ca: authority.ca } }),
        ...(way.proxyProtocol === true && { proxyProtocol: 'v2' }),
      },
    },
    policies: { chat: aPolicy({ health: { check: 'off' } }) },
  });
  const at = way.overFile === true ? { path } : { host: '127.0.0.1', port: balancer.listenerPort('public') };
  return {
    balancer,
    atNode,
    openAtNode: () => open.size,
    async connect() {
      const bare = connect({ ...at, allowHalfOpen: true });
      await once(bare, 'connect');
      if (way.proxyProtocol === true) bare.write(proxyHeader('v1', clientEnds));
      const socket =
        way.tlsInFront === true
          ? connectTls({ socket: bare, ca: authority.caPem, servername: 'localhost' })
          : bare;
      socket.on('error', () => {});
      onTestFinished(() => void socket.destroy());
      const reset = () => void bare.resetAndDestroy();
      if (way.upgrade === undefined) return { socket, reset, early: Buffer.alloc(0) };
      socket.write(
        `GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${way.upgrade}${headEnd}`,
      );
      return { socket, reset, early: await restBehindHead(socket) };
    },
  };
}

const clientEnds = { address: '192.0.2.7', port: 7, localAddress: '192.0.2.1', localPort: 80 };

/** What the node reads first: a PROXY header, a head that it answers, or nothing. Gives what came behind. */
async function receiveHead(socket: Socket, way: Way): Promise<Buffer> {
  if (way.upgrade === undefined) return Buffer.alloc(0);
  // The header of version 2 has what ends a head within it: the head proper begins behind the addresses of IPv4.
  if (way.proxyProtocol === true) await passBytes(socket, 28);
  const early = await restBehindHead(socket);
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${way.upgrade}${headEnd}`,
  );
  return early;
}

async function passBytes(socket: Socket, count: number): Promise<void> {
  socket.pause();
  while (socket.read(count) === null) await once(socket, 'readable');
}

function restBehindHead(socket: Socket): Promise<Buffer> {
  return new Promise((resolve) => {
    let seen = Buffer.alloc(0);
    const read = (chunk: Buffer): void => {
      seen = Buffer.concat([seen, chunk]);
      const at = seen.indexOf(headEnd);
      if (at === -1) return;
      socket.off('data', read);
      socket.pause();
      resolve(seen.subarray(at + headEnd.length));
    };
    socket.on('data', read);
    socket.resume();
  });
}

/** An end of TLS is an end of both halves. */
function hasHalves({ tlsInFront, tlsToNodes }: Way): boolean {
  return tlsInFront !== true && tlsToNodes !== true;
}

const openOn = ({ balancer }: Street) => balancer.dataPlane.connections('chat', 'a').size;

describe.each(ways)('every byte arrives by $name', (way) => {
  it.each(forms)('both ways at once, whoever stalls (%s)', async (form) => {
    const street = await aStreet(way, form, bytes);
    const { socket, early } = await street.connect();
    const client = await exchangeBytes(socket, { seed: 1, bytes, halfCloses: hasHalves(way), early });
    const node = await street.atNode[0];
    expect(client.received).toBe(node?.sent);
    expect(node?.received).toBe(client.sent);
    expect([client.receivedBytes, node?.receivedBytes]).toEqual([bytes, bytes]);
    socket.end();
    await until(
      () => openOn(street) === 0 && street.openAtNode() === 0,
      () => `${openOn(street)} open at the balancer, ${street.openAtNode()} at the node`,
    );
  });

  // A UNIX socket has no reset.
  if (way.overFile === true) return;

  it.each(forms)('and a reset in the middle reaches the other side (%s)', async (form) => {
    const street = await aStreet(way, form, endless);
    const clients = await Promise.all(Array.from({ length: 8 }, () => street.connect()));
    const ends = clients.map(({ socket, early }) =>
      exchangeBytes(socket, { seed: 1, bytes: endless, halfCloses: false, early }).then(
        () => 'whole',
        () => 'broken',
      ),
    );
    await until(
      () => openOn(street) === 8,
      () => `${openOn(street)} open`,
    );
    for (const { reset } of clients) reset();
    expect(new Set(await Promise.all(ends))).toEqual(new Set(['broken']));
    await until(
      () => openOn(street) === 0 && street.openAtNode() === 0,
      () => `${openOn(street)} open at the balancer, ${street.openAtNode()} at the node`,
    );
    const atNode = await Promise.allSettled(street.atNode);
    expect(atNode.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 'rejected'));
  });
});

describe('every byte arrives in HTTP bodies', () => {
  it.each(forms)('up and then down, whoever stalls (%s)', async (form) => {
    const atNode: { sent?: string; received?: string } = {};
    const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      atNode.received = (await receiveAll(request, { seed: 2 })).received;
      atNode.sent = await sendAll(response, { seed: 3, bytes });
      response.end();
    };
    const server = createHttpServer((request, response) => void answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    // Proof of `as`: bound to a TCP port.
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const balancer = await aBalancer({
      config: aConfig({ relay: { form } }),
      pools: { chat: { policy: 'chat', nodes: [{ id: 'a', address }] } },
      policies: { chat: aPolicy({ health: { check: 'off' } }) },
    });
    const asked = httpRequest({ port: balancer.listenerPort('public'), host: '127.0.0.1', method: 'POST' });
    const answered = once(asked, 'response');
    const sent = await sendAll(asked, { seed: 1, bytes });
    asked.end();
    // Proof of `as`: what node:http gives with 'response'.
    const [response] = (await answered) as [IncomingMessage];
    const { received, receivedBytes } = await receiveAll(response, { seed: 4 });
    expect([received, receivedBytes]).toEqual([atNode.sent, bytes]);
    expect(atNode.received).toBe(sent);
  });
});
