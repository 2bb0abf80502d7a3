// Cookie affinity on both ways, and with Socket.IO, which breaks without it.
import { Server as SocketIoServer } from 'socket.io';
import { io } from 'socket.io-client';
import { describe, expect, it } from 'vitest';
import { affinityToken } from '../../../src/balancer/proxy/affinity.ts';
import { startHttpNode, type HttpNode } from '../../support/http-node.ts';
import { startProxy } from '../../support/proxy.ts';
import { RawClient, upgradeText } from '../../support/raw-client.ts';
import { answering, startRawNode, switching } from '../../support/raw-node.ts';
import { until } from '../../support/until.ts';

const cookieOf = (id: string): string => `herald=${affinityToken('chat', id)}`;

describe('the affinity cookie', () => {
  it('is set with a 101 for a new client, and not for one that has it', async () => {
    const node = await startRawNode('a', answering(switching));
    const proxy = await startProxy({ nodes: [node], cookie: 'herald' });
    const fresh = new RawClient(proxy.port).send(upgradeText());
    expect(await fresh.heard('\r\n\r\n')).toContain(
      `Set-Cookie: ${cookieOf('a')}; Path=/; HttpOnly; SameSite=Lax\r\n`,
    );
    const known = new RawClient(proxy.port).send(upgradeText('/', `Cookie: x=y; ${cookieOf('a')}\r\n`));
    expect(await known.heard('\r\n\r\n')).not.toContain('Set-Cookie');
    fresh.socket.destroy();
    known.socket.destroy();
    await proxy.finish();
  });

  it('brings a client back to its node, on upgrades and on requests', async () => {
    const nodes = [
      await startRawNode('a', answering(switching)),
      await startRawNode('b', answering(switching)),
    ];
    const proxy = await startProxy({ nodes, cookie: 'herald' });
    const client = new RawClient(proxy.port).send(upgradeText('/', `Cookie: ${cookieOf('b')}\r\n`));
    await client.heard('101 Switching');
    client.socket.destroy();
    const plain = new RawClient(proxy.port).send(
      `GET / HTTP/1.1\r\nHost: a\r\nCookie: ${cookieOf('b')}\r\n\r\n`,
    );
    await until(
      () => nodes[1]?.received.length === 2,
      () => 'not at b',
    );
    plain.socket.destroy();
    await proxy.finish();
    expect(proxy.placement.leases.map(({ affinityNode, nodeId }) => [affinityNode, nodeId])).toEqual([
      ['b', 'b'],
      ['b', 'b'],
    ]);
  });

  it('of an unknown node is replaced', async () => {
    const node = await startHttpNode('a', (_request, response) => void response.end('ok'));
    const proxy = await startProxy({ nodes: [node], cookie: 'herald' });
    const client = new RawClient(proxy.port);
    client.send(`GET / HTTP/1.1\r\nHost: a\r\nCookie: ${cookieOf('gone')}\r\nConnection: close\r\n\r\n`);
    expect(await client.over()).toContain(`Set-Cookie: ${cookieOf('a')}; Path=/; HttpOnly; SameSite=Lax\r\n`);
    expect(proxy.placement.leases[0]?.affinityNode).toBe('');
    await proxy.finish();
  });

  it('keeps the polls of a Socket.IO client and its upgrade on one node', async () => {
    const nodes = await Promise.all(['a', 'b', 'c'].map((id) => startHttpNode(id, () => {})));
    const servers = nodes.map(({ server, placed }: HttpNode) => {
      const socketIo = new SocketIoServer(server);
      socketIo.on(
        'connection',
        (socket) => void socket.on('where', (reply: (id: string) => void) => reply(placed.id)),
      );
      return socketIo;
    });
    const proxy = await startProxy({ nodes, cookie: 'herald', spread: true });
    const clients = Array.from({ length: 6 }, () =>
      io(`http://127.0.0.1:${proxy.port}`, { withCredentials: true, reconnection: false, forceNew: true }),
    );
    await until(
      () => clients.every((client) => client.io.engine?.transport?.name === 'websocket' && client.connected),
      () => clients.map((client) => `${client.io.engine?.transport?.name} ${client.connected}`).join(),
    );
    const places = await Promise.all(clients.map((client) => client.emitWithAck('where')));
    expect(new Set(places).size).toBe(3);
    for (const client of clients) client.close();
    for (const server of servers) server.disconnectSockets(true);
    await proxy.finish();
    await Promise.all(servers.map((server) => server.close()));
  });
});
