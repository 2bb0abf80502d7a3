// Upgrades to other protocols than WebSocket: bytes both ways behind a 101, whatever they mean. As clients and servers of
// the protocols that use it do it: Docker's attach (`tcp`, by POST with a length of 0), Kubernetes' exec (`SPDY/3.1`).
import { request, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../../src/balancer/balancer.ts';
import { aHouseOf, listeningNodes } from '../../support/a-client-house.ts';
import { eventually } from '../../support/eventually.ts';
import { startProxy } from '../../support/proxy.ts';
import { RawClient } from '../../support/raw-client.ts';
import { answering, startRawNode } from '../../support/raw-node.ts';

const asking = (protocol: string, method = 'GET', more = '') =>
  `${method} /attach HTTP/1.1\r\nHost: chat.example\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n${more}\r\n`;
const switchingTo = (protocol: string) =>
  `HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nContent-Type: application/raw\r\n\r\n`;

/** Switches to `tcp` and echoes until its client ends, then says so. */
function attach(_id: string, server: Server): void {
  server.on('upgrade', (_request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.write(switchingTo('tcp'));
    socket.write(head);
    socket.on('data', (chunk) => socket.write(chunk));
    socket.on('end', () => socket.end('bye'));
    socket.on('error', () => socket.destroy());
  });
}

const kindsOn = ({ dataPlane }: Balancer) => dataPlane.connections('chat', 'a').kind;

describe('an upgrade to another protocol', () => {
  it.each(['GET', 'POST'])('by %s is a tunnel of bytes, half-closed as the client does', async (method) => {
    const { balancer, port } = await aHouseOf(await listeningNodes(['a'], attach));
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'tcp',
      ...(method === 'POST' && { 'Content-Length': '0' }),
    };
    const sent = request({ port, host: '127.0.0.1', method, path: '/attach', headers });
    const [answer, socket] = await new Promise<[IncomingMessage, Socket]>((resolve, reject) => {
      sent.on('upgrade', (response, upgraded: Socket) => resolve([response, upgraded]));
      sent.on('error', reject);
      sent.end();
    });
    expect(answer).toMatchObject({
      statusCode: 101,
      headers: { upgrade: 'tcp', 'content-type': 'application/raw' },
    });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    const bytes = Buffer.alloc(300_000, '0123456789abcdef-');
    socket.write(bytes);
    await eventually(
      () => Buffer.concat(chunks).length,
      (length) => length === bytes.length,
    );
    expect(kindsOn(balancer)).toEqual(['tcp']);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.end();
    await closed;
    expect(Buffer.concat(chunks).equals(Buffer.concat([bytes, Buffer.from('bye')]))).toBe(true);
    await eventually(
      () => balancer.dataPlane.connections('chat', 'a').size,
      (size) => size === 0,
    );
  });

  it('reaches the node with its protocol as sent, and early bytes behind the 101', async () => {
    const node = await startRawNode('a', answering(switchingTo('SPDY/3.1')));
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port).send(
      `${asking('SPDY/3.1', 'POST', 'Content-Length: 0\r\n')}early`,
    );
    await client.heard('echo:early;');
    expect(client.received).toMatch(
      /^HTTP\/1\.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: SPDY\/3\.1\r\n/,
    );
    expect(node.received[0]).toMatch(
      /^POST \/attach HTTP\/1\.1\r\n[^]*\r\nConnection: Upgrade\r\nUpgrade: SPDY\/3\.1\r\n\r\n/,
    );
    client.socket.destroy();
    await proxy.finish();
  });

  it('that the node ignores is answered as any request', async () => {
    const node = await startRawNode('a', answering('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain'));
    const proxy = await startProxy({ nodes: [node] });
    expect(await new RawClient(proxy.port).send(asking('tcp')).over()).toMatch(
      /^HTTP\/1\.1 200 OK[^]*\r\n\r\nplain$/,
    );
    await proxy.finish();
  });

  it('to which the node answers another protocol is a 502, on every node that may be asked', async () => {
    const nodes = [
      await startRawNode('a', answering(switchingTo('irc'))),
      await startRawNode('b', answering(switchingTo('irc'))),
    ];
    const proxy = await startProxy({ nodes });
    expect(await new RawClient(proxy.port).send(asking('tcp')).over()).toMatch(/^HTTP\/1\.1 502 /);
    expect(nodes.map(({ received }) => received.length)).toEqual([1, 1]);
    await proxy.finish();
  });

  it('by POST goes to one node only once it has seen it, to another where it could not', async () => {
    const broken = await startRawNode('a', (socket) => socket.destroy());
    const sound = await startRawNode('b', answering(switchingTo('tcp')));
    const proxy = await startProxy({ nodes: [broken, sound] });
    expect(await new RawClient(proxy.port).send(asking('tcp', 'POST')).over()).toMatch(/^HTTP\/1\.1 502 /);
    expect(sound.received).toEqual([]);
    await proxy.finish();
    const gone = await startRawNode('a', () => {});
    await gone.close();
    const other = await startRawNode('b', answering(switchingTo('tcp')));
    const again = await startProxy({ nodes: [gone, other] });
    const client = new RawClient(again.port).send(asking('tcp', 'POST'));
    await client.heard('101 UPGRADED');
    client.socket.destroy();
    await again.finish();
  });
});
