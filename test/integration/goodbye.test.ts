// A node's clients are shed while everybody talks: libraries of both sides see a goodbye in order and intact messages.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { EventSource } from 'eventsource';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Balancer } from '../../src/balancer/balancer.ts';
import type { GoodbyeOutcome } from '../../src/balancer/state/ports.ts';
import { pcg32 } from '../../src/core/rng.ts';
import { createSystemClock } from '../../src/platform/system-clock.ts';
import { aConfig, aPolicy } from '../support/herald-setup.ts';
import { startProcess } from '../support/herald-command.ts';
import { aBalancer } from '../support/in-process.ts';
import { until } from '../support/until.ts';
import { connectWs, type WsClient } from '../support/ws-client.ts';

const lacks = (process.env['HERALD_TEST_LACKS'] ?? '').split(',');
const clock = createSystemClock();

/** A `ws` node that pushes messages of random sizes, many of them in fragments, and echoes what it gets. */
async function aChattyNode(seed: number) {
  const server = createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: { threshold: 0 } });
  const rng = pcg32(seed);
  const closes: number[] = [];
  sockets.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('close', (code) => closes.push(code));
    socket.on('message', (data) => socket.send(data, () => {}));
    const timer = setInterval(() => push(socket, rng.next()), 25);
    socket.on('close', () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  // Proof of `as`: bound to a TCP port.
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, closes };
}

/** One message of one repeated letter, whole or in three fragments with a ping between them. */
function push(socket: WebSocket, chance: number): void {
  if (socket.readyState !== socket.OPEN) return;
  const text = 'abcdefgh'[Math.floor(chance * 8)]?.repeat(Math.floor(chance * 9_000)) ?? '';
  if (chance < 0.5) return socket.send(text);
  socket.send(text, { fin: false }, () => {});
  socket.ping();
  socket.send(text, { fin: false }, () => {});
  socket.send(text, { fin: true }, () => {});
}

function isIntact(data: Buffer): boolean {
  return data.every((byte) => byte === data[0]);
}

function aChat(form: string, nodes: Record<string, string>) {
  return aBalancer({
    config: aConfig({
      relay: { form },
      pools: {
        chat: { policy: 'chat', nodes: Object.entries(nodes).map(([id, address]) => ({ id, address })) },
      },
    }),
    policies: { chat: aPolicy() },
  });
}

/** Drains `nodeId` at once. */
function shedAll(balancer: Balancer, nodeId: string, retryAfterMs = 20): GoodbyeOutcome[] {
  balancer.registry.setAdminState(nodeId, 'drain');
  const outcomes: GoodbyeOutcome[] = [];
  balancer.dataPlane.shed({
    pool: 'chat',
    connectionIds: balancer.dataPlane.connections('chat', nodeId).id,
    goodbye: { code: 1012, reason: 'reconnect', retryAfterMs, byMs: clock.nowMs() + 20_000 },
    settled: (_id, outcome) => outcomes.push(outcome),
  });
  return outcomes;
}

const openOn = (balancer: Balancer, nodeId: string) => balancer.dataPlane.connections('chat', nodeId).size;

describe.each(['fast', 'plain'])('clients of a node that is drained (%s form)', (form) => {
  it('all see 1012 with intact messages, their node too, and come back elsewhere', async () => {
    const [a, b] = [await aChattyNode(1), await aChattyNode(2)];
    const balancer = await aChat(form, { a: a.address, b: b.address });
    const connect = (i: number) =>
      connectWs(balancer.listenerPort('public'), { perMessageDeflate: i % 2 === 0 });
    const clients = await Promise.all(Array.from({ length: 40 }, (_, i) => connect(i)));
    const errors: Error[] = [];
    for (const { socket } of clients) {
      socket.on('error', (error) => errors.push(error));
      const timer = setInterval(() => {
        if (socket.readyState === socket.OPEN) socket.send('x'.repeat(2_000));
      }, 40);
      socket.on('close', () => clearInterval(timer));
    }
    await until(
      () => clients.every(({ messages }) => messages.length > 10),
      () => 'clients hear nothing',
      20_000,
    );
    const onA = openOn(balancer, 'a');
    expect(onA).toBeGreaterThan(10);
    const outcomes = shedAll(balancer, 'a');
    await until(
      () => outcomes.length === onA && openOn(balancer, 'a') === 0,
      () => `${outcomes.length} of ${onA} settled, ${openOn(balancer, 'a')} open`,
      20_000,
    );
    expect(new Set(outcomes)).toEqual(new Set(['closed']));
    const left = clients.filter(({ closed }) => closed !== undefined);
    expect(left).toHaveLength(onA);
    for (const { closed } of left) expect(closed).toEqual({ code: 1012, reason: 'reconnect retry-ms=20' });
    // A client answers with the code that it got, and that goes on to its node.
    await until(
      () => a.closes.length === onA,
      () => `${a.closes.length} of ${onA} closes at the node`,
    );
    expect(new Set(a.closes)).toEqual(new Set([1012]));
    const back: WsClient[] = await Promise.all(left.map((_, i) => connect(i)));
    expect([openOn(balancer, 'a'), openOn(balancer, 'b')]).toEqual([0, 40]);
    expect(errors).toEqual([]);
    for (const { messages } of [...clients, ...back])
      expect(messages.every(({ data }) => isIntact(data))).toBe(true);
    const { counters, goodbyes } = balancer.registry.node('a').node;
    expect([counters.open, counters.dialling]).toEqual([0, 0]);
    expect([...goodbyes.all]).toEqual([{ kind: 'websocket', outcome: 'closed', count: onA }]);
  });
});

describe("Debian's python3-websockets", () => {
  const client = fileURLToPath(new URL('./fixtures/goodbye-client.py', import.meta.url));

  it.skipIf(lacks.includes('python3-websockets'))(
    'sees the goodbye in order (skipped: python3-websockets is not there)',
    async () => {
      const node = await aChattyNode(3);
      const balancer = await aChat('fast', { a: node.address });
      const url = `ws://127.0.0.1:${balancer.listenerPort('public')}/chat`;
      const run = startProcess('/usr/bin/python3', [client, url]);
      await until(
        () => run.stdout.includes('open'),
        () => `not open: ${run.stderr}`,
        20_000,
      );
      const outcomes = shedAll(balancer, 'a', 1234);
      const { code, stdout, stderr } = await run.ended();
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout.trim().split('\n').at(-1)).toBe('1012 reconnect retry-ms=1234');
      expect(outcomes).toEqual(['closed']);
    },
  );
});

describe('an EventSource', () => {
  it('comes back to another node after the time it was told, with the id of its last event', async () => {
    const asked: string[] = [];
    const nodes = await Promise.all(
      ['a', 'b'].map(async (id) => {
        const server = createServer((request, response) => {
          asked.push(`${id} ${request.headers['last-event-id'] ?? ''}`);
          response.writeHead(200, { 'Content-Type': 'text/event-stream' });
          response.write(`id: ${id}-1\ndata: from ${id}\n\n`);
        });
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        onTestFinished(() => void server.close());
        onTestFinished(() => server.closeAllConnections());
        // Proof of `as`: bound to a TCP port.
        return [id, `127.0.0.1:${(server.address() as AddressInfo).port}`] as const;
      }),
    );
    const balancer = await aChat('fast', Object.fromEntries(nodes));
    const source = new EventSource(`http://127.0.0.1:${balancer.listenerPort('public')}/`);
    onTestFinished(() => source.close());
    const heard: string[] = [];
    source.addEventListener('message', ({ data }) => heard.push(String(data)));
    await until(
      () => heard.length === 1,
      () => 'no event',
    );
    const first = asked[0]?.startsWith('a') === true ? 'a' : 'b';
    const second = first === 'a' ? 'b' : 'a';
    const outcomes = shedAll(balancer, first, 30);
    await until(
      () => heard.length === 2,
      () => `heard ${heard.join()}`,
    );
    expect(heard).toEqual([`from ${first}`, `from ${second}`]);
    expect(asked).toEqual([`${first} `, `${second} ${first}-1`]);
    expect(outcomes).toEqual(['closed']);
    expect(openOn(balancer, first)).toBe(0);
  });
});
