// Socket.IO's connection state recovery: a client that comes back gets its session, its rooms and what it missed. What a
// node keeps in memory holds for a lost connection, since affinity leads back; over a drain it takes a store of the fleet's.
import type { Server } from 'node:http';
import { createAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import { Server as SocketIoServer, type ServerOptions } from 'socket.io';
import { io, type ManagerOptions, type Socket } from 'socket.io-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aClientHouse, otherThan } from '../../support/a-client-house.ts';
import { eventually, within } from '../../support/eventually.ts';
import { lacksRedis, startRedis } from '../../support/redis-server.ts';
import { until } from '../../support/until.ts';

const affinity = { kind: 'cookie', name: 'herald' };

/** Nodes that keep the state of connections and put every client into the room `all`. */
function recoveringNode(
  servers: Map<string, SocketIoServer>,
  adapterOf: () => ServerOptions['adapter'] | undefined = () => undefined,
): (id: string, server: Server) => void {
  return (id, server) => {
    const adapter = adapterOf();
    const sockets = new SocketIoServer(server, {
      connectionStateRecovery: {},
      ...(adapter === undefined ? {} : { adapter }),
    });
    servers.set(id, sockets);
    sockets.on('connection', (socket) => {
      if (!socket.recovered) void socket.join('all');
      socket.on('where', (reply: (id: string) => void) => reply(id));
    });
    onTestFinished(() => void sockets.disconnectSockets(true));
  };
}

interface Recovering {
  readonly socket: Socket;
  readonly heard: number[];
  /** What the client knew at each connect: its session, and whether that was recovered. */
  readonly connects: { readonly id: string | undefined; readonly isRecovered: boolean }[];
  /** Waits for the connect number `count`, and for the node that it led to. */
  home(count: number): Promise<string>;
}

/** What a browser holds once its page has loaded the client's script: outside of one, Socket.IO forgets cookies with each connection. */
async function cookieOfPage(port: number): Promise<string> {
  const script = await fetch(`http://127.0.0.1:${port}/socket.io/socket.io.js`);
  await script.arrayBuffer();
  return script.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

/** A client that comes back by itself, or when the test says so: once what it left is known to be kept. */
function connect(port: number, options: Partial<ManagerOptions>): Recovering {
  const socket = io(`http://127.0.0.1:${port}`, {
    withCredentials: true,
    forceNew: true,
    reconnectionDelay: 100,
    ...options,
  });
  onTestFinished(() => void socket.close());
  const heard: number[] = [];
  const connects: { id: string | undefined; isRecovered: boolean }[] = [];
  socket.on('number', (number: number) => void heard.push(number));
  socket.on('connect', () => connects.push({ id: socket.id, isRecovered: socket.recovered }));
  return {
    socket,
    heard,
    connects,
    async home(count) {
      await until(
        () => connects.length === count && socket.io.engine.transport.name === 'websocket',
        () => JSON.stringify(connects),
        20_000,
      );
      const home: string = await within(socket.emitWithAck('where'), 'an answer');
      return home;
    },
  };
}

describe('the connection state recovery of Socket.IO', () => {
  it('brings back a session whose connection broke, with all it missed: the cookie leads to its node', async () => {
    const servers = new Map<string, SocketIoServer>();
    const { port } = await aClientHouse(recoveringNode(servers), { affinity });
    const cookie = await cookieOfPage(port);
    const client = connect(port, { reconnection: false, extraHeaders: { cookie } });
    const home = await client.home(1);
    const say = (number: number) => servers.get(home)?.to('all').emit('number', number);
    // Nothing can be brought back before a first packet: its offset is what the client names.
    say(0);
    await until(
      () => client.heard.length === 1,
      () => 'no number',
    );
    client.socket.io.engine.close();
    await until(
      () => servers.get(home)?.engine.clientsCount === 0,
      () => 'the node has not seen it',
    );
    for (const number of [1, 2, 3]) say(number);
    client.socket.connect();
    expect(await client.home(2)).toBe(home);
    expect(client.connects).toEqual([
      { id: client.socket.id, isRecovered: false },
      { id: client.socket.id, isRecovered: true },
    ]);
    expect(client.heard).toEqual([0, 1, 2, 3]);
  });

  it('begins a new session elsewhere after a drain where each node keeps its own', async () => {
    const servers = new Map<string, SocketIoServer>();
    const { port, drain } = await aClientHouse(recoveringNode(servers), { affinity });
    const client = connect(port, { reconnection: true });
    const home = await client.home(1);
    servers.get(home)?.to('all').emit('number', 0);
    await until(
      () => client.heard.length === 1,
      () => 'no number',
    );
    await drain(home);
    expect(await client.home(2)).toBe(otherThan(home));
    expect(client.connects.map(({ isRecovered }) => isRecovered)).toEqual([false, false]);
    expect(client.connects[1]?.id).not.toBe(client.connects[0]?.id);
  });

  it.skipIf(lacksRedis)(
    'brings a session back on another node after a drain where Redis keeps it (skipped: redis-server is not there)',
    async () => {
      const redis = await startRedis();
      const servers = new Map<string, SocketIoServer>();
      const adapterOf = () => {
        const store = new Redis({ port: redis.port, host: '127.0.0.1' });
        store.on('error', () => {});
        onTestFinished(() => store.disconnect());
        return createAdapter(store, { blockTimeInMs: 100 });
      };
      const { port, drain } = await aClientHouse(recoveringNode(servers, adapterOf), { affinity });
      const client = connect(port, { reconnection: false });
      const home = await client.home(1);
      const other = servers.get(otherThan(home));
      // From the other node: what it says reaches the fleet.
      other?.to('all').emit('number', 0);
      await until(
        () => client.heard.length === 1,
        () => 'no number',
      );
      await drain(home);
      await eventually(
        () => redis.ask('KEYS', 'sio:session:*'),
        (keys) => Array.isArray(keys) && keys.length === 1,
      );
      for (const number of [1, 2, 3]) other?.to('all').emit('number', number);
      client.socket.connect();
      expect(await client.home(2)).toBe(otherThan(home));
      expect(client.connects).toEqual([
        { id: client.socket.id, isRecovered: false },
        { id: client.socket.id, isRecovered: true },
      ]);
      await until(
        () => client.heard.length === 4,
        () => client.heard.join(),
      );
      expect(client.heard).toEqual([0, 1, 2, 3]);
    },
  );
});
