// Socket.IO through the built balancer: its polls find their session by the affinity cookie alone.
import { Server as SocketIoServer } from 'socket.io';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { anAgentNode } from '../support/agent-node.ts';
import { eventually, within } from '../support/eventually.ts';
import { aHerald, type HeraldProcess } from '../support/herald-process.ts';
import { aPolicy } from '../support/herald-setup.ts';
import { until } from '../support/until.ts';

const withCookie = { chat: aPolicy({ affinity: { kind: 'cookie', name: 'herald' } }) };

/** A balancer and Socket.IO nodes `a`, `b`, … that say where a client is and echo what it sends. */
async function aFleet(ids: readonly string[]): Promise<HeraldProcess> {
  const herald = await aHerald({ policies: withCookie });
  await Promise.all(
    ids.map((id) =>
      anAgentNode(id, herald.intakeUrl, {
        attach(server) {
          const sockets = new SocketIoServer(server, { pingInterval: 300, pingTimeout: 5000 });
          sockets.on('connection', (socket) => {
            socket.on('where', (reply: (id: string) => void) => reply(id));
            socket.on('echo', (data: unknown, reply: (data: unknown) => void) => reply(data));
            socket.on('burst', (count: number) => {
              for (let index = 0; index < count; index += 1) socket.emit('event', index);
            });
          });
          return sockets;
        },
      }),
    ),
  );
  await herald.eligible(...ids);
  return herald;
}

function connect(port: number, options: Partial<ManagerOptions & SocketOptions> = {}): Socket {
  const client = io(`http://127.0.0.1:${port}`, {
    withCredentials: true,
    forceNew: true,
    reconnection: false,
    ...options,
  });
  onTestFinished(() => void client.close());
  return client;
}

const transportOf = (client: Socket) => client.io.engine?.transport?.name;

describe('a Socket.IO client', () => {
  // Broke once: where nothing was learned yet, polls went to another node in the middle of their session.
  it('polls first and goes on by WebSocket on the same node, and many come to all nodes', async () => {
    const herald = await aFleet(['a', 'b', 'c']);
    const clients = Array.from({ length: 60 }, () => connect(herald.publicPort));
    const sessions = new Map<Socket, string | undefined>();
    const trouble: string[] = [];
    for (const client of clients) {
      client.on('connect', () => sessions.set(client, client.id));
      client.on('connect_error', (error) => trouble.push(error.message));
      client.on('disconnect', (reason) => trouble.push(reason));
    }
    await until(
      () => clients.every((client) => client.connected && transportOf(client) === 'websocket'),
      () =>
        `${clients.map((client) => `${transportOf(client)} ${client.connected}`).join()}; ${trouble.join()}`,
      20_000,
    );
    const homes: string[] = await Promise.all(
      clients.map((client) => within(client.emitWithAck('where'), 'an answer')),
    );
    expect(new Set(homes)).toEqual(new Set(['a', 'b', 'c']));
    // Nobody had to begin a second session.
    expect(clients.map((client) => client.id)).toEqual(clients.map((client) => sessions.get(client)));
    expect(trouble).toEqual([]);
    const bytes = Buffer.alloc(200_000, 7);
    const echoed: unknown = await within(
      clients[0]?.emitWithAck('echo', bytes) ?? Promise.reject(),
      'an echo',
    );
    expect(Buffer.isBuffer(echoed) && echoed.equals(bytes)).toBe(true);
  });

  it('that only polls keeps its session over hundreds of requests', async () => {
    const herald = await aFleet(['a', 'b', 'c']);
    const clients = Array.from({ length: 3 }, () => connect(herald.publicPort, { transports: ['polling'] }));
    const drops: string[] = [];
    for (const client of clients) client.on('disconnect', (reason) => drops.push(reason));
    await Promise.all(clients.map((client) => untilConnected(client)));
    for (const client of clients) {
      const home: string = await client.emitWithAck('where');
      for (let round = 0; round < 40; round += 1)
        expect(await within(client.emitWithAck('echo', round), 'an echo')).toBe(round);
      expect(await client.emitWithAck('where')).toBe(home);
    }
    expect(drops).toEqual([]);
    const metrics = await herald.metrics();
    const exchanges = ['a', 'b', 'c'].map((id) =>
      metrics.get(`herald_placements_total{pool="chat",node="${id}"}`),
    );
    expect(exchanges.reduce<number>((sum, count) => sum + (count ?? 0), 0)).toBeGreaterThan(240);
  });

  it('gets what its node sends in order, over WebSocket alone', async () => {
    const herald = await aFleet(['a', 'b']);
    const client = connect(herald.publicPort, { transports: ['websocket'] });
    await untilConnected(client);
    const events: number[] = [];
    client.on('event', (index: number) => void events.push(index));
    client.emit('burst', 1000);
    await until(
      () => events.length === 1000,
      () => `${events.length} events`,
    );
    expect(events).toEqual(Array.from({ length: 1000 }, (_, index) => index));
  });

  it('comes back by itself when its node is gone, on another node', async () => {
    const herald = await aHerald({ policies: withCookie });
    const nodes = await Promise.all(
      ['a', 'b'].map((id) =>
        anAgentNode(id, herald.intakeUrl, {
          attach(server) {
            const sockets = new SocketIoServer(server);
            sockets.on('connection', (socket) => {
              socket.on('where', (reply: (id: string) => void) => reply(id));
            });
            return sockets;
          },
        }),
      ),
    );
    await herald.eligible('a', 'b');
    const client = connect(herald.publicPort, { reconnection: true, reconnectionDelay: 50 });
    await untilConnected(client);
    const home: string = await client.emitWithAck('where');
    await nodes.find(({ id }) => id === home)?.close();
    const next = await eventually(
      async (): Promise<string> => client.timeout(1000).emitWithAck('where'),
      (id) => id !== home,
    );
    expect([home, next].toSorted()).toEqual(['a', 'b']);
  });
});

async function untilConnected(client: Socket): Promise<void> {
  await until(
    () => client.connected,
    () => 'not connected',
    20_000,
  );
}
