import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { EventSource } from 'eventsource';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AdminDeps } from '../../../src/balancer/admin/admin.ts';
import { defaultStreamLimits } from '../../../src/balancer/admin/event-streams.ts';
import { createEventFeed } from '../../../src/balancer/control/event-feed.ts';
import type { EventFeed } from '../../../src/balancer/control/ports.ts';
import { createSystemClock } from '../../../src/platform/system-clock.ts';
import type { EventRecord } from '../../../src/protocol/operations.ts';
import { aRoom, type Room } from '../../support/a-room.ts';
import { anAdmin, aTcp, secrets, type RunningAdmin } from '../../support/an-admin.ts';
import { until } from '../../support/until.ts';

let room: Room;
const opened: RunningAdmin[] = [];
const ends: (() => void)[] = [];

beforeEach(() => {
  room = aRoom({ nodes: ['a'], ageMs: 10_000 });
  room.addPool('games', 'g');
});

afterEach(async () => {
  for (const end of ends.splice(0)) end();
  for (const running of opened.splice(0)) await running[Symbol.asyncDispose]();
  room.registry.stop();
});

async function start(change: Partial<AdminDeps> = {}): Promise<RunningAdmin> {
  const running = await anAdmin(room.registry, { tcp: aTcp(), ...change });
  opened.push(running);
  return running;
}

function tell(feed: EventFeed, parts: Partial<Omit<EventRecord, 'id' | 'at'>> = {}): void {
  feed.tell({
    type: 'node.joined',
    pool: 'chat',
    node: 'a',
    by: '',
    why: '',
    message: 'm',
    facts: {},
    ...parts,
  });
}

interface Reader {
  readonly response: IncomingMessage;
  /** What has come so far. */
  text(): string;
  events(): EventRecord[];
  /** Resolves when the text has this. */
  has(part: string): Promise<void>;
  isOver(): boolean;
}

/** Reads a stream over TCP. */
async function read(
  { port }: RunningAdmin,
  path = '/v1/events',
  { as = secrets.reader as string, headers = {} }: { as?: string; headers?: Record<string, string> } = {},
): Promise<Reader> {
  const asked = httpRequest({
    port,
    path,
    host: '127.0.0.1',
    headers: { authorization: `Bearer ${as}`, ...headers },
  });
  asked.on('error', () => undefined);
  asked.end();
  ends.push(() => asked.destroy());
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let text = '';
  let isOver = false;
  response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  response.on('error', () => undefined).on('close', () => (isOver = true));
  return {
    response,
    text: () => text,
    events: () =>
      [...text.matchAll(/^id: .*\ndata: (.*)$/gm)].map(([, data = '']) => JSON.parse(data) as EventRecord),
    has: (part) =>
      until(
        () => text.includes(part),
        () => `no '${part}' in ${text}`,
        5000,
      ),
    isOver: () => isOver,
  };
}

const idsOf = (reader: Reader) => reader.events().map(({ id }) => id);

describe('a stream of events', () => {
  it('tells what happens from now on', async () => {
    const running = await start();
    tell(running.feed, { message: 'before' });
    const reader = await read(running);
    expect(reader.response.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
    });
    tell(running.feed, { message: 'first' });
    tell(running.feed, { message: 'second' });
    await reader.has('second');
    expect(reader.text()).toContain('retry: 2000\n\n');
    expect(reader.events()).toMatchObject([
      { id: 2, message: 'first' },
      { id: 3, message: 'second' },
    ]);
  });

  it('begins with everything that is kept, where that is asked for', async () => {
    const running = await start();
    for (let i = 0; i < 3; i++) tell(running.feed);
    const reader = await read(running, '/v1/events?since=0');
    await reader.has('"id":3');
    expect(idsOf(reader)).toEqual([1, 2, 3]);
    expect(reader.text()).not.toContain('gap');
  });

  it('goes on where the reader left off: EventSource resumes by itself', async () => {
    const running = await start();
    const heard: number[] = [];
    let connections = 0;
    const source = new EventSource(`http://127.0.0.1:${running.port}/v1/events`, {
      fetch: (url, init) => {
        connections += 1;
        return fetch(url, {
          ...init,
          headers: { ...init.headers, authorization: `Bearer ${secrets.reader}` },
        });
      },
    });
    ends.push(() => source.close());
    source.addEventListener('message', ({ data }) => heard.push((JSON.parse(data) as EventRecord).id));
    await once(source as unknown as EventTarget, 'open');
    tell(running.feed);
    await until(
      () => heard.length === 1,
      () => 'nothing heard',
      5000,
    );
    // Other tokens end the streams of all; the reader keeps its own and comes back.
    const { tokens } = aTcp();
    running.admin.reconfigure({ tokens: tokens.toReversed(), tls: undefined });
    tell(running.feed, { message: 'while it is away' });
    await until(
      () => heard.length === 2,
      () => `heard ${heard.join()}`,
      10_000,
    );
    expect(heard).toEqual([1, 2]);
    expect(connections).toBe(2);
  });

  it('says when events between are lost, or are those of another process', async () => {
    const feed = createEventFeed(createSystemClock(), 3);
    const running = await start({ feed });
    for (let i = 0; i < 9; i++) tell(feed);
    const late = await read(running, '/v1/events', { headers: { 'last-event-id': '2' } });
    await late.has('"id":9');
    expect(late.text()).toContain('event: gap\n');
    expect(idsOf(late)).toEqual([7, 8, 9]);
    const foreign = await read(running, '/v1/events', { headers: { 'last-event-id': 'abc.8' } });
    await foreign.has('"id":9');
    expect(foreign.text()).toContain('event: gap\n');
    const nonsense = await read(running, '/v1/events', { headers: { 'last-event-id': '\u00a0?' } });
    await nonsense.has('"id":9');
    expect(idsOf(nonsense)).toEqual([7, 8, 9]);
  });

  it('has only the pool and the types that are asked for', async () => {
    const running = await start();
    const chat = await read(running, '/v1/events?pool=chat');
    const types = await read(running, '/v1/events?type=node.down,operation.*');
    tell(running.feed, { pool: 'games' });
    tell(running.feed, { type: 'node.down' });
    tell(running.feed, { type: 'operation.started', pool: 'games' });
    tell(running.feed, { type: 'end' });
    await chat.has('"id":4');
    await types.has('"id":3');
    expect([idsOf(chat), idsOf(types)]).toEqual([
      [2, 4],
      [2, 3],
    ]);
    expect((await running.ask('GET', '/v1/events?pool=chatt')).json).toMatchObject({
      code: 'HERALD_POOL_UNKNOWN',
    });
    expect((await running.ask('GET', '/v1/events?types=x')).json).toMatchObject({
      code: 'HERALD_QUERY_INVALID',
      detail: expect.stringContaining('did you mean type?'),
    });
    expect((await running.ask('GET', '/v1/events?type=a&type=b')).status).toBe(400);
  });

  it('has nothing of pools out of scope, nor of what concerns all', async () => {
    const running = await start();
    const reader = await read(running, '/v1/events', { as: secrets.chatOnly });
    tell(running.feed, { pool: 'games' });
    tell(running.feed, { pool: '', node: '' });
    tell(running.feed, { pool: 'chat' });
    await reader.has('"id":3');
    expect(idsOf(reader)).toEqual([3]);
  });

  it('is kept alive by comments that move the reader’s place on', async () => {
    const running = await start({ streamLimits: { ...defaultStreamLimits, heartbeatMs: 50 } });
    const reader = await read(running, '/v1/events?type=none');
    tell(running.feed);
    await reader.has(': alive\nid: ');
    await until(
      () => /^id: \w+\.1$/m.test(reader.text()),
      () => reader.text(),
      5000,
    );
  });

  it('answers HEAD with a head', async () => {
    const running = await start();
    const { status, headers } = await running.ask('HEAD', '/v1/events');
    expect([status, headers['content-type']]).toEqual([200, 'text/event-stream']);
  });

  it('is limited in number, by caller and in all, and told when to come back', async () => {
    const running = await start({ streamLimits: { ...defaultStreamLimits, maxStreams: 3, maxPerCaller: 2 } });
    await read(running);
    await read(running);
    const own = await running.ask('GET', '/v1/events', { as: secrets.reader });
    expect([own.status, own.headers['retry-after']]).toEqual([503, '10']);
    expect(own.json).toMatchObject({
      code: 'HERALD_TOO_MANY_STREAMS',
      detail: expect.stringContaining("'reader' has 2"),
    });
    await read(running, '/v1/events', { as: secrets.operator });
    expect((await running.ask('GET', '/v1/events')).json).toMatchObject({
      detail: '3 event streams are open',
    });
    // One that goes makes room.
    ends.shift()?.();
    const tried = async () => {
      const reader = await read(running).catch(() => undefined);
      return reader?.response.statusCode === 200;
    };
    let isOpen = false;
    for (let i = 0; i < 50 && !isOpen; i++) isOpen = await tried();
    expect(isOpen).toBe(true);
  });

  it('ends with the balancer, and says so', async () => {
    const running = await start();
    const reader = await read(running);
    await running.admin.stop();
    await until(reader.isOver, () => 'still open', 5000);
    expect(reader.text()).toContain('event: end\ndata: {"reason":"the balancer stops"}\n\n');
  });
});

describe('a reader that does not read', () => {
  /** Asks and then leaves everything in the socket. */
  async function stuck({ port }: RunningAdmin) {
    const socket = connect({ port, host: '127.0.0.1' });
    ends.push(() => socket.destroy());
    await once(socket, 'connect');
    socket.pause();
    socket.write(
      `GET /v1/events?since=0 HTTP/1.1\r\nHost: herald.test\r\nAuthorization: Bearer ${secrets.reader}\r\n\r\n`,
    );
    return socket;
  }

  const big = 'x'.repeat(64_000);
  const limits = { ...defaultStreamLimits, heartbeatMs: 50, stallMs: 200, farewellMs: 3000 };

  it('is ended and told so as its last event, takes no memory meanwhile, and holds nobody up', async () => {
    // On a busy machine it takes longer than its time to hear the farewell until this test reads.
    const running = await start({ streamLimits: { ...limits, farewellMs: 30_000 } });
    const socket = await stuck(running);
    const other = await read(running);
    // More than the kernel takes for the one that does not read.
    for (let i = 0; i < 400; i++) tell(running.feed, { message: big });
    tell(running.feed, { message: 'last' });
    await other.has('"message":"last"');
    // Time for the stall to be noticed, twice over: the heart beats every 50 ms.
    await other.has(': alive');
    let alive = 0;
    await until(
      () => (alive = other.text().split(': alive').length) > 12,
      () => `${alive} heartbeats`,
      10_000,
    );
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.resume();
    await once(socket, 'close').catch(() => undefined);
    expect(text.slice(-200)).toContain('event: end\ndata: {"reason":"too slow: nothing was read"}\n\n');
    // It was not given what it did not take: all in all less than was told.
    expect(text.length).toBeLessThan(400 * big.length);
  });

  it('is cut off when it never reads its last event either', async () => {
    const running = await start({ streamLimits: { ...limits, farewellMs: 100 } });
    const socket = await stuck(running);
    for (let i = 0; i < 400; i++) tell(running.feed, { message: big });
    const closed = once(socket, 'close');
    await read(running).then((reader) =>
      until(
        () => reader.text().split(': alive').length > 14,
        () => reader.text(),
        10_000,
      ),
    );
    socket.resume();
    await closed.catch(() => undefined);
    expect(socket.destroyed).toBe(true);
  });
});
