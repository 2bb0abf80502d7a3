// More clients than may come in, over real sockets: each gets in or gets a refusal that it can read, and nothing is left.
import { createServer, type RequestListener } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { EventSource } from 'eventsource';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import type { Balancer } from '../../src/balancer/balancer.ts';
import { aConfig, aPolicy } from '../support/herald-setup.ts';
import { aBalancer } from '../support/in-process.ts';
import { RawClient, upgradeText } from '../support/raw-client.ts';
import { until } from '../support/until.ts';
import { connectWs, type WsClient } from '../support/ws-client.ts';

/** A node that takes every WebSocket and streams or answers what else is asked. */
async function aNode(handle: RequestListener = (_, response) => response.end('ok')): Promise<string> {
  const server = createServer(handle);
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('error', () => {}));
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, resolve));
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  // Proof of `as`: bound to a TCP port.
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function aChat(admit: object, address: string): Promise<Balancer> {
  return aBalancer({
    config: aConfig({ pools: { chat: { policy: 'chat', nodes: [{ id: 'a', address }] } } }),
    policies: { chat: aPolicy({ admit }) },
  });
}

const admissionOf = (balancer: Balancer) => balancer.registry.pool('chat').admission;
const countersOf = (balancer: Balancer) => balancer.registry.node('a').node.counters;

/** Waits until nothing is under way, then says that nothing is counted either. */
async function expectNothingLeft(balancer: Balancer): Promise<void> {
  await until(
    () => balancer.openCount === 0 && countersOf(balancer).connections === 0,
    () => `${balancer.openCount} under way, ${countersOf(balancer).connections} connections`,
  );
  expect(admissionOf(balancer).queue.size).toBe(0);
}

/** Uses up the one token there is, and stays. */
async function takeTheOnlyPlace(balancer: Balancer): Promise<WsClient> {
  return connectWs(balancer.listenerPort('public'));
}

const hint = /^HERALD_NOT_ADMITTED retry-ms=(\d+)$/;

describe('500 clients at once against 50 a second', () => {
  it('all get in, or read 1013 and when to come back', async () => {
    const balancer = await aChat({ rate: '50/s', burst: '1s', maxWait: '2s', queue: 5000 }, await aNode());
    const port = balancer.listenerPort('public');
    const clients = await Promise.all(Array.from({ length: 500 }, () => connectWs(port)));
    await until(
      () => clients.filter(({ closed }) => closed !== undefined).length + countersOf(balancer).open === 500,
      () => `${countersOf(balancer).open} open`,
    );
    const refused = clients.flatMap(({ closed }) => closed ?? []);
    const open = 500 - refused.length;
    // Fifty at once and fifty in each of two seconds that they wait at most; a busy machine may take longer to ask.
    expect(open).toBeGreaterThanOrEqual(100);
    expect(refused.length).toBeGreaterThan(0);
    for (const { code, reason } of refused)
      expect([code, reason]).toEqual([1013, expect.stringMatching(hint)]);
    const hints = refused.map(({ reason }) => Number(hint.exec(reason)?.[1]));
    expect(Math.min(...hints)).toBeGreaterThanOrEqual(1000);
    expect(Math.max(...hints)).toBeGreaterThan(5000);
    for (const { socket } of clients) socket.terminate();
    await expectNothingLeft(balancer);
  });
});

describe('a client that gets no place', () => {
  const closed = { rate: '0.1/s', burst: '0s', queue: 0 };

  it('over WebSocket is let in and closed with 1013 and a hint', async () => {
    const balancer = await aChat(closed, await aNode());
    await takeTheOnlyPlace(balancer);
    const { code, reason } = await (await connectWs(balancer.listenerPort('public'))).close();
    expect([code, reason]).toEqual([1013, expect.stringMatching(hint)]);
  });

  it('over WebSocket gets 503 and Retry-After where the policy says http', async () => {
    const balancer = await aChat({ ...closed, refuse: 'http' }, await aNode());
    await takeTheOnlyPlace(balancer);
    const client = new RawClient(balancer.listenerPort('public'));
    const answer = await client.send(upgradeText()).over();
    expect(answer).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
    expect(answer).toMatch(/\r\nRetry-After: \d+\r\n/);
    expect(answer).toContain('HERALD_NOT_ADMITTED');
  });

  it('over fetch gets 503 and Retry-After where requests are counted, and passes where they are not', async () => {
    const address = await aNode();
    const counted = await aChat({ ...closed, requests: 'admit' }, address);
    await takeTheOnlyPlace(counted);
    const refused = await fetch(`http://127.0.0.1:${counted.listenerPort('public')}/`);
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await refused.json()).toMatchObject({ code: 'HERALD_NOT_ADMITTED' });
    const free = await aChat(closed, address);
    await takeTheOnlyPlace(free);
    expect((await fetch(`http://127.0.0.1:${free.listenerPort('public')}/`)).status).toBe(200);
  });

  it('as an EventSource reads its retry time, and comes back by itself', async () => {
    const address = await aNode((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: here\n\n');
    });
    // A token every half second: gone when it first comes, there when it comes back after a second or more.
    const balancer = await aChat({ rate: '2/s', burst: '0s', queue: 0 }, address);
    await takeTheOnlyPlace(balancer);
    const source = new EventSource(`http://127.0.0.1:${balancer.listenerPort('public')}/events`);
    onTestFinished(() => source.close());
    const heard: string[] = [];
    let errors = 0;
    source.addEventListener('message', ({ data }) => heard.push(String(data)));
    source.addEventListener('error', () => errors++);
    await until(
      () => heard.length > 0,
      () => `no event after ${errors} refusals`,
      20_000,
    );
    expect(heard).toEqual(['here']);
    expect(errors).toBeGreaterThanOrEqual(1);
  });
});

describe('a client that waits', () => {
  const slow = { rate: '0.1/s', burst: '0s', maxWait: '30s' };
  const waiting = (balancer: Balancer, count: number) =>
    until(
      () => admissionOf(balancer).queue.size === count,
      () => `${admissionOf(balancer).queue.size} wait`,
    );

  it('and goes away leaves nothing behind, however it goes and whatever it is', async () => {
    const balancer = await aChat({ ...slow, rate: '0.2/s', requests: 'admit' }, await aNode());
    const port = balancer.listenerPort('public');
    const holder = await takeTheOnlyPlace(balancer);
    const upgrades = Array.from({ length: 3 }, () => new RawClient(port).send(upgradeText()));
    const gets = Array.from({ length: 2 }, () =>
      new RawClient(port).send('GET / HTTP/1.1\r\nHost: chat.example\r\n\r\n'),
    );
    const posting = new RawClient(port);
    posting.send('POST / HTTP/1.1\r\nHost: chat.example\r\nContent-Length: 5\r\n\r\nab');
    // Behind its head, frames that nobody reads yet.
    const talker = new RawClient(port).send(upgradeText() + '\u0081\u0080abcd'.repeat(200));
    // All of them but who comes beyond what can be served within half a minute: a fifth a second for thirty is six.
    const all = [...upgrades, ...gets, posting, talker];
    await until(
      () =>
        admissionOf(balancer).queue.size +
          all.filter(({ isOver, received }) => isOver || received !== '').length ===
        7,
      () => `${admissionOf(balancer).queue.size} wait`,
    );
    upgrades[0]?.socket.end();
    upgrades[1]?.reset();
    for (const client of [upgrades[2], ...gets, posting, talker]) client?.socket.destroy();
    await waiting(balancer, 0);
    expect(countersOf(balancer)).toMatchObject({ open: 1, dialling: 0, failedTotal: 0 });
    expect(admissionOf(balancer).outcomes.gone).toBeGreaterThanOrEqual(5);
    holder.socket.terminate();
    await expectNothingLeft(balancer);
  });

  it('is refused in its own terms when the balancer stops', async () => {
    const balancer = await aChat({ ...slow, requests: 'admit' }, await aNode());
    const port = balancer.listenerPort('public');
    const holder = await takeTheOnlyPlace(balancer);
    const upgrade = connectWs(port);
    const get = fetch(`http://127.0.0.1:${port}/`);
    await waiting(balancer, 2);
    const stopped = balancer.stop(5_000);
    const { code, reason } = await (await upgrade).close();
    expect([code, reason]).toEqual([1013, expect.stringMatching(hint)]);
    expect((await get).status).toBe(503);
    expect((await holder.close()).code).toBe(1012);
    await stopped;
  });

  it('gets in with what it has sent meanwhile', async () => {
    const balancer = await aChat({ rate: '4/s', burst: '0s', maxWait: '30s' }, await anEcho());
    await takeTheOnlyPlace(balancer);
    const raw = connect(balancer.listenerPort('public'), '127.0.0.1');
    onTestFinished(() => void raw.destroy());
    let heard = Buffer.alloc(0);
    raw.on('data', (chunk) => (heard = Buffer.concat([heard, chunk])));
    raw.on('error', () => {});
    // More than is read while a client waits, masked with zeros: the payload stands as it is.
    const payload = Buffer.alloc(20_000, 'x');
    const head = Buffer.from([0x82, 0x80 | 126, payload.length >> 8, payload.length & 255, 0, 0, 0, 0]);
    raw.write(Buffer.concat([Buffer.from(upgradeText(), 'latin1'), head, payload]));
    await until(
      () => heard.includes(payload.subarray(0, 20_000)),
      () => `heard ${heard.length} bytes`,
    );
    expect(heard.toString('latin1')).toMatch(/^HTTP\/1\.1 101 /);
  });
});

async function anEcho(): Promise<string> {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data) => socket.send(data));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  // Proof of `as`: bound to a TCP port.
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
