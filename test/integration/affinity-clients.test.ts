// Socket.IO's clients, whose sessions spread over several requests, through a whole balancer over two nodes: their requests
// must all reach the node that began the session, or it answers that it knows none. Others are in clients/.
import { rmSync } from 'node:fs';
import { Agent, type Server } from 'node:http';
import { join } from 'node:path';
import { Server as SocketIoServer } from 'socket.io';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadConfig } from '../../src/platform/config.ts';
import { aClientHouse } from '../support/a-client-house.ts';
import { aPolicy, writeSetup } from '../support/herald-setup.ts';
import { until } from '../support/until.ts';

function socketIoNode(id: string, server: Server): void {
  const sockets = new SocketIoServer(server, { pingInterval: 300 });
  sockets.on('connection', (socket) => {
    socket.on('where', (reply: (id: string) => void) => reply(id));
  });
  onTestFinished(() => void sockets.disconnectSockets(true));
}

type ClientOptions = Partial<ManagerOptions & SocketOptions>;

/** Clients that have come to rest on WebSocket, or on polling where they know nothing else. */
async function socketIoClients(
  port: number,
  count: number,
  optionsOf: (client: number) => ClientOptions,
): Promise<{ homes: string[]; sessions: number }> {
  const url = `http://127.0.0.1:${port}`;
  let sessions = 0;
  const clients = Array.from({ length: count }, (_, client): Socket => {
    const socket = io(url, { forceNew: true, reconnection: false, ...optionsOf(client) });
    socket.on('connect', () => (sessions += 1));
    onTestFinished(() => void socket.close());
    return socket;
  });
  const isSettled = (client: Socket) => {
    const isPolling = client.io.opts.transports?.length === 1;
    return client.connected && (isPolling || client.io.engine?.transport?.name === 'websocket');
  };
  await until(
    () => clients.every(isSettled),
    () => clients.map((client) => `${client.io.engine?.transport?.name} ${client.connected}`).join(),
    20_000,
  );
  const homes: string[] = [];
  for (let round = 0; round < 5; round += 1)
    for (const client of clients) homes.push(await client.timeout(5000).emitWithAck('where'));
  return { homes, sessions };
}

/** Whether each of `count` clients said the same in every round. */
function isSteady(homes: readonly string[], count: number): boolean {
  return homes.every((home, index) => home === homes[index % count]);
}

describe('Socket.IO over two nodes', () => {
  const count = 12;

  it.each<[string, object, (client: number) => ClientOptions]>([
    ['a cookie', { kind: 'cookie' }, () => ({ withCredentials: true })],
    ['a query parameter', { kind: 'query', name: 'client' }, (client) => ({ query: { client } })],
    [
      'a header',
      { kind: 'header', name: 'X-Client' },
      (client) => ({ extraHeaders: { 'x-client': `c${client}` } }),
    ],
    [
      'the source address',
      { kind: 'source' },
      // `agent` is one object for both transports; the types know only that of browsers.
      (client) => ({ agent: new Agent({ localAddress: `127.0.0.${client + 10}` }) as unknown as string }),
    ],
  ])('polls and upgrades within one session by %s', async (_, affinity, optionsOf) => {
    const { port } = await aClientHouse(socketIoNode, { affinity });
    const { homes, sessions } = await socketIoClients(port, count, optionsOf);
    expect(sessions).toBe(count);
    expect(isSteady(homes, count)).toBe(true);
    expect(new Set(homes)).toEqual(new Set(['a', 'b']));
  });

  it('that only polls keeps its session by a query parameter', async () => {
    const { port } = await aClientHouse(socketIoNode, {
      affinity: { kind: 'query', name: 'client' },
    });
    const { homes, sessions } = await socketIoClients(port, 6, (client) => ({
      transports: ['polling'],
      query: { client },
    }));
    expect(sessions).toBe(6);
    expect(isSteady(homes, 6)).toBe(true);
  });
});

describe('keys of affinity cookies', () => {
  const key = (letter: string) => letter.repeat(32);
  const nodes = ['a', 'b'].map((id, index) => ({ id, address: `127.0.0.1:${index + 1}` }));
  const setup = (keyFiles: readonly string[]) => ({
    pools: { chat: { policy: 'chat', nodes } },
    policies: { chat: aPolicy({ affinity: { kind: 'cookie' }, health: { check: 'off' } }) },
    config: { affinity: { keyFiles } },
    files: { one: `${key('1')}\n`, two: key('2'), short: 'short' },
  });

  it('are read from their files, in order, and again at a reload', async () => {
    const folder = writeSetup(setup(['./two', './one']));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const { config, watched } = await loadConfig(join(folder, 'herald.yaml'), {});
    expect(config.affinity.keys).toEqual([key('2'), key('1')]);
    expect(watched.paths).toContain(join(folder, 'two'));
  });

  it('that are none are told with the place of their name', async () => {
    const folder = writeSetup(setup(['./one', './short', './gone']));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const problems = await loadConfig(join(folder, 'herald.yaml'), {}).catch((error: Error) => error.message);
    expect(problems).toMatch(/affinity\.keyFiles\[1\]: \.\/short: is too short to be a secret/);
    expect(problems).toMatch(/affinity\.keyFiles\[2\]: \.\/gone: does not exist/);
  });
});
