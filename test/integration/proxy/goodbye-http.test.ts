// Exchanges asked to leave: event streams end behind a whole event with `retry:`, the others come to their own end.
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { GoodbyeOutcome } from '../../../src/balancer/state/ports.ts';
import { createSystemClock } from '../../../src/platform/system-clock.ts';
import { startProxy, type TestProxy } from '../../support/proxy.ts';
import { RawClient } from '../../support/raw-client.ts';
import { startRawNode } from '../../support/raw-node.ts';
import { until } from '../../support/until.ts';

const clock = createSystemClock();
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const streamHead = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n';
const chunked = 'Transfer-Encoding: chunked\r\n\r\n';
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

interface Leaving {
  readonly proxy: TestProxy;
  readonly client: RawClient;
  /** The node's side of the exchange. */
  readonly atNode: Socket;
  readonly outcomes: GoodbyeOutcome[];
  leave(withinMs?: number): void;
  outcome(): Promise<GoodbyeOutcome | undefined>;
}

/** One request that a node has got and not answered. */
async function anExchange(request = get): Promise<Leaving> {
  const sockets: Socket[] = [];
  const node = await startRawNode('a', (socket, text) => {
    if (text.endsWith('\r\n\r\n') && !sockets.includes(socket)) sockets.push(socket);
  });
  const proxy = await startProxy({ nodes: [node], attempts: 1 });
  const client = new RawClient(proxy.port).send(request);
  await until(
    () => sockets.length > 0,
    () => 'the node has no request',
  );
  const outcomes: GoodbyeOutcome[] = [];
  // Waited for above.
  const atNode = sockets[0] as Socket;
  return {
    proxy,
    client,
    atNode,
    outcomes,
    leave(withinMs = 60_000) {
      const goodbye = { code: 1012, reason: '', retryAfterMs: 1500, byMs: clock.nowMs() + withinMs };
      const carrier = proxy.placement.leases[0]?.carrier;
      if (carrier === undefined) throw new Error('nobody carries the exchange');
      carrier.leave(goodbye, (outcome) => outcomes.push(outcome));
    },
    async outcome() {
      await until(
        () => outcomes.length > 0,
        () => 'no outcome',
      );
      return outcomes[0];
    },
  };
}

async function finish({ proxy, client, outcomes }: Leaving): Promise<void> {
  client.socket.destroy();
  await proxy.finish();
  expect(outcomes).toHaveLength(1);
  expect(proxy.placement.leases[0]?.settled).toBe('released');
}

/** The exchange's own connection: undici may hold an idle one besides. */
const nodeIsFree = ({ atNode }: Leaving) =>
  until(
    () => atNode.closed,
    () => 'the node still has the exchange',
  );

describe('an event stream asked to leave', () => {
  it('ends between two events with the time to come back, and its connection serves on', async () => {
    const room = await anExchange();
    room.atNode.write(`${streamHead}${chunked}${chunk('data: 1\n\n')}`);
    await room.client.heard('data: 1\n\n');
    expect(room.proxy.placement.leases[0]?.carrier).toMatchObject({ kind: 'sse', nodeId: 'a' });
    room.leave();
    await room.client.heard(`${chunk('retry: 1500\n\n')}0\r\n\r\n`);
    expect(await room.outcome()).toBe('closed');
    await nodeIsFree(room);
    expect(room.client.isOver).toBe(false);
    await finish(room);
  });

  it('ends behind the event that is under way, and drops what the node sent with its end', async () => {
    const room = await anExchange();
    room.atNode.write(`${streamHead}${chunked}${chunk('data: a\n')}`);
    await room.client.heard('data: a\n');
    room.leave();
    room.atNode.write(chunk('data: b\r\n\r\ndata: c\n\n'));
    await room.client.heard('0\r\n\r\n');
    expect(
      room.client.received.endsWith(`${chunk('data: b\r\n\r\n')}${chunk('retry: 1500\n\n')}0\r\n\r\n`),
    ).toBe(true);
    expect(await room.outcome()).toBe('closed');
    await finish(room);
  });

  it('that has not begun ends as soon as it begins', async () => {
    const room = await anExchange();
    expect(room.proxy.placement.leases[0]?.carrier?.kind).toBe('longPoll');
    room.leave();
    room.atNode.write(`${streamHead}${chunked}${chunk('data: late\n\n')}`);
    const all = await room.client.over();
    expect(all).toContain('Connection: close');
    expect(all.endsWith(`\r\n\r\n${chunk('retry: 1500\n\n')}0\r\n\r\n`)).toBe(true);
    expect(await room.outcome()).toBe('closed');
    await finish(room);
  });

  it('of a client that knows no chunks ends with its connection', async () => {
    const room = await anExchange('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
    room.atNode.write(`${streamHead}${chunked}${chunk('data: 1\n\n')}`);
    await room.client.heard('data: 1\n\n');
    room.leave();
    expect((await room.client.over()).endsWith('data: 1\n\nretry: 1500\n\n')).toBe(true);
    expect(await room.outcome()).toBe('closed');
    await finish(room);
  });

  it('that is compressed ends between two chunks, without a field that nobody could read', async () => {
    const room = await anExchange();
    room.atNode.write(
      Buffer.from(`${streamHead}Content-Encoding: gzip\r\n${chunked}${chunk('\u001f\u008b?')}`, 'latin1'),
    );
    await room.client.heard('\u001f\u008b?');
    room.leave();
    expect((await room.client.heard('0\r\n\r\n')).endsWith('\u001f\u008b?\r\n0\r\n\r\n')).toBe(true);
    expect(await room.outcome()).toBe('closed');
    await finish(room);
  });

  it('of announced length can take no field and breaks off behind an event', async () => {
    const room = await anExchange();
    room.atNode.write(`${streamHead}Content-Length: 1000\r\n\r\ndata: 1\n`);
    await room.client.heard('data: 1\n');
    room.leave();
    room.atNode.write('\ndata: 2\n\n');
    expect((await room.client.over()).endsWith('data: 1\n\n')).toBe(true);
    expect(await room.outcome()).toBe('cut');
    await finish(room);
  });

  it('within an event at the deadline ends there, which clients take for no event', async () => {
    const room = await anExchange();
    room.atNode.write(`${streamHead}${chunked}${chunk('data: 1\n\ndata: ha')}`);
    await room.client.heard('data: ha');
    room.leave(50);
    await room.client.heard('0\r\n\r\n');
    expect(room.client.received).not.toContain('retry:');
    expect(await room.outcome()).toBe('cut');
    await finish(room);
  });

  it('whose client reads nothing is cut at the deadline', async () => {
    const room = await anExchange();
    room.client.socket.pause();
    room.atNode.write(`${streamHead}${chunked}`);
    const event = chunk(`data: ${'x'.repeat(1_000_000)}\n\n`);
    for (let i = 0; i < 60; i++) room.atNode.write(event);
    const passed = () => room.proxy.placement.leases[0]?.toClient.bytes ?? 0;
    for (let last = -1; last !== passed() || last === 0;) {
      last = passed();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    room.leave(300);
    expect(await room.outcome()).toBe('cut');
    await finish(room);
  });
});

describe('an exchange asked to leave', () => {
  it('waits for the answer, which says that the connection closes', async () => {
    const room = await anExchange();
    room.leave();
    room.atNode.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
    const all = await room.client.over();
    expect(all).toContain('Connection: close');
    expect(all.endsWith('hello')).toBe(true);
    expect(await room.outcome()).toBe('closed');
    await finish(room);
  });

  it('whose answer has begun gets all of it', async () => {
    const room = await anExchange();
    room.atNode.write(`HTTP/1.1 200 OK\r\n${chunked}${chunk('half')}`);
    await room.client.heard('half');
    expect(room.proxy.placement.leases[0]?.carrier?.kind).toBe('http');
    room.leave();
    room.atNode.write(`${chunk('whole')}0\r\n\r\n`);
    await room.client.heard('whole\r\n0\r\n\r\n');
    expect(await room.outcome()).toBe('closed');
    await finish(room);
  });

  it.each([
    ['before its answer', ''],
    ['within its answer', `HTTP/1.1 200 OK\r\n${chunked}${chunk('half')}`],
  ])('is cut %s at the deadline, in a way that looks like no whole answer', async (_when, answered) => {
    const room = await anExchange();
    room.atNode.write(answered);
    if (answered !== '') await room.client.heard('half');
    room.leave(50);
    expect(await room.client.over()).not.toContain('0\r\n\r\n');
    expect(await room.outcome()).toBe('cut');
    await nodeIsFree(room);
    await finish(room);
  });

  it('that the client leaves has gone, and a second goodbye hears of the first', async () => {
    const room = await anExchange();
    room.leave();
    room.leave();
    expect(room.outcomes).toEqual(['alreadyLeaving']);
    room.outcomes.length = 0;
    room.client.reset();
    expect(await room.outcome()).toBe('alreadyGone');
    await nodeIsFree(room);
    room.leave();
    expect(room.outcomes).toEqual(['alreadyGone', 'alreadyGone']);
    room.outcomes.length = 1;
    await finish(room);
  });

  it('that the node breaks off has gone', async () => {
    const room = await anExchange();
    room.leave();
    room.atNode.resetAndDestroy();
    expect(await room.client.over()).toContain(' 502 ');
    expect(await room.outcome()).toBe('alreadyGone');
    room.client.socket.destroy();
    await room.proxy.finish();
  });

  it('that goes on to another node has gone from the first', async () => {
    const sockets: Socket[] = [];
    const a = await startRawNode('a', (socket) => void sockets.push(socket));
    const b = await startRawNode(
      'b',
      (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb'),
    );
    const proxy = await startProxy({ nodes: [a, b], attempts: 2 });
    const client = new RawClient(proxy.port).send(get);
    await until(
      () => sockets.length > 0,
      () => 'the node has no request',
    );
    const outcomes: GoodbyeOutcome[] = [];
    const goodbye = { code: 1012, reason: '', retryAfterMs: 1500, byMs: clock.nowMs() + 60_000 };
    proxy.placement.leases[0]?.carrier?.leave(goodbye, (outcome) => outcomes.push(outcome));
    sockets[0]?.resetAndDestroy();
    expect((await client.over()).endsWith('\r\n\r\nb')).toBe(true);
    expect(outcomes).toEqual(['alreadyGone']);
    expect(proxy.placement.leases.map(({ settled }) => settled)).toEqual(['reset', 'released']);
    await proxy.finish();
  });
});
