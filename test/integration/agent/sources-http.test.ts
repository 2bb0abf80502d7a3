// Sources that ask by HTTP, against servers that behave badly. The clock is the test's: nothing is asserted about time.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import type { SourceConfig } from '../../../src/policy/agent-config.ts';
import { until } from '../../support/until.ts';
import {
  aJson,
  aPrometheus,
  intervalMs,
  limits,
  type SourcesRoom,
  startSources,
  timeoutMs,
} from './sources-room.ts';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

interface Server {
  readonly url: string;
  readonly port: number;
  readonly requests: IncomingMessage[];
  /** Accepted so far. */
  readonly connections: Set<Socket>;
  answer: RequestListener;
  close(): Promise<void>;
}

async function aServer(answer: RequestListener): Promise<Server> {
  const http = createServer({ keepAliveTimeout: 60_000 });
  const connections = new Set<Socket>();
  http.on('connection', (socket) => {
    connections.add(socket);
    socket.on('error', () => {});
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  // A TCP server has an address of this form once it listens.
  const { port } = http.address() as AddressInfo;
  const server: Server = {
    url: `http://127.0.0.1:${port}/stats`,
    port,
    requests: [],
    connections,
    answer,
    async close() {
      if (!http.listening) return;
      http.close();
      http.closeAllConnections();
      await once(http, 'close');
    },
  };
  http.on('request', (request, response) => {
    response.on('error', () => {});
    server.requests.push(request);
    server.answer(request, response);
  });
  cleanups.push(() => server.close());
  return server;
}

/** A server that writes bytes as they are, whatever is asked. */
async function aRawServer(bytes: string): Promise<string> {
  const open = new Set<Socket>();
  const tcp = createTcpServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => socket.write(bytes));
  });
  tcp.listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  cleanups.push(async () => {
    for (const socket of open) socket.destroy();
    tcp.close();
    await once(tcp, 'close');
  });
  return `http://127.0.0.1:${(tcp.address() as AddressInfo).port}/stats`;
}

async function aRoom(sources: Readonly<Record<string, SourceConfig>>): Promise<SourcesRoom> {
  const room = await startSources(sources);
  cleanups.push(() => room.sources.stop());
  return room;
}

/** Waits until the connection of the first request is closed. */
async function hungUp(server: Server): Promise<void> {
  const isClosed = () => server.requests[0]?.socket.destroyed === true;
  await until(isClosed, () => 'the connection is still open');
}

const json =
  (document: unknown): RequestListener =>
  (_, response) =>
    void response.end(JSON.stringify(document));

const text =
  (body: string, headers = {}): RequestListener =>
  (_, response) =>
    void response.writeHead(200, headers).end(body);

const status =
  (code: number, headers = {}): RequestListener =>
  (_, response) =>
    void response.writeHead(code, headers).end('<html>no</html>');

describe('signals of one page', () => {
  it('share one request an interval and one connection', async () => {
    const server = await aServer(json({ queue: { delayMs: 12 }, workers: [{ busy: 0.5 }], total: '7.5' }));
    const room = await aRoom({
      delay: aJson(server.url, 'queue.delayMs'),
      busy: aJson(server.url, 'workers[0].busy', { scale: 100 }),
      total: aJson(server.url, 'total'),
    });
    await room.value(12, 'delay');
    await room.value(50, 'busy');
    await room.value(7.5, 'total');
    for (let asked = 2; asked <= 4; asked++) {
      server.answer = json({ queue: { delayMs: asked } });
      room.pass();
      await room.value(asked, 'delay');
    }
    expect(server.requests.length).toBe(4);
    expect(server.connections.size).toBe(1);
    expect(room.sources.stats).toEqual({ asked: 4, failed: 0, statsd: undefined });
  });

  it('are asked apart where the credentials or limits differ', async () => {
    const server = await aServer((request, response) => {
      response.end(request.headers.authorization === 'Bearer s3cret' ? '2' : '1');
    });
    const room = await aRoom({
      open: aJson(server.url, ''),
      closed: aJson(server.url, '', limits({ authorization: 'Bearer s3cret' })),
      small: aJson(server.url, '', limits({ maxBodyBytes: 10 })),
    });
    await room.value(1, 'open');
    await room.value(2, 'closed');
    await room.value(1, 'small');
    expect(server.requests.length).toBe(3);
    expect(server.requests.map(({ headers }) => headers['accept-encoding'])).toEqual(
      Array(3).fill('identity'),
    );
  });

  it('do not ask through a proxy of the environment', async () => {
    const server = await aServer(json(1));
    const names = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY'];
    const before = names.map((name) => process.env[name]);
    for (const name of names) process.env[name] = 'http://127.0.0.1:1';
    cleanups.push(() => {
      for (const [index, name] of names.entries()) {
        if (before[index] === undefined) delete process.env[name];
        else process.env[name] = before[index];
      }
    });
    const room = await aRoom({ s: aJson(server.url, '') });
    await room.value(1);
  });
});

describe('an answer that is no page', () => {
  it.each([
    [status(500), 'answered 500, not 200'],
    [status(503), 'answered 503, not 200'],
    [status(404), 'answered 404, not 200: check the path of the URL'],
    [status(401), 'answered 401, not 200: check its authorizationFile'],
    [status(201), 'answered 201, not 200'],
    [status(206), 'answered 206, not 200'],
    [text('1', { 'content-encoding': 'br' }), 'Content-Encoding "br"'],
    [
      text('<!doctype html><h1>Welcome', { 'content-type': 'text/html' }),
      'its type is "text/html" and it begins',
    ],
    [text(''), 'the body is not JSON: its type is missing and it is empty'],
    [text('{"queue": 1'), 'the body is not JSON'],
    [text('{"queue": NaN}'), 'the body is not JSON'],
    [text('['.repeat(60_000)), 'the body is not JSON'],
    [text(`${'{"queue":'.repeat(5000)}1${'}'.repeat(5000)}`), 'queue is an object, not a number'],
    [text('\u0000\u001b[31m'.repeat(1000)), 'begins with "??[31m??[31m'],
    [json({}), 'the document has no member "queue"'],
    [json([1]), 'the document is an array, not an object'],
    [json({ queue: null }), 'queue is null, not a number'],
    [json({ queue: true }), 'queue is true, not a number'],
    [json({ queue: { depth: 1 } }), 'queue is an object, not a number'],
    [json({ queue: '12 ms' }), 'queue is "12 ms", not a number'],
    [json({ queue: -1 }), 'the value is -1; a signal is a number from 0'],
    [json({ queue: 1e13 }), 'the value is 10000000000000; a signal'],
    [text('{"queue": 1e999}'), 'the value is Infinity; a signal'],
  ])('is a missing signal, case %#: %s', async (answer, reason) => {
    const server = await aServer(json({ queue: 5 }));
    const room = await aRoom({ s: aJson(`${server.url}?token=s3cret`, 'queue') });
    await room.value(5);
    server.answer = answer;
    room.pass();
    const told = await room.missing(reason);
    expect(told).toContain(`GET http://127.0.0.1:${server.port}/stats: `);
    expect(told).toMatch(/^[\x20-\x7e]{1,400}$/);
    expect(told).not.toContain('s3cret');
    server.answer = json({ queue: 6 });
    room.pass();
    await room.value(6);
  });

  it('is a redirect to another host, which is never asked', async () => {
    const other = await aServer(json(1));
    const server = await aServer(status(302, { location: `${other.url}?token=s3cret` }));
    const room = await aRoom({ s: aJson(server.url, '') });
    const told = await room.missing('redirects are never followed, give the final URL');
    expect(told).toContain(`answered 302 and points to "http://127.0.0.1:${other.port}/stats"`);
    room.pass();
    await until(
      () => server.requests.length === 2,
      () => 'no second request',
    );
    expect(other.requests.length).toBe(0);
  });

  it.each([301, 303, 307, 308])('is a redirect (%i) to itself, asked once an interval', async (code) => {
    const server = await aServer(status(code, { location: '/stats' }));
    const room = await aRoom({ s: aJson(server.url, '') });
    await room.missing(`answered ${code} and points to "/stats"`);
    room.pass();
    await until(
      () => room.sources.stats.failed === 2,
      () => JSON.stringify(room.sources.stats),
    );
    expect(server.requests.length).toBe(2);
  });

  it('is a gzip bomb, which is never unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024));
    const server = await aServer((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    });
    const room = await aRoom({ s: aJson(server.url, '') });
    await room.missing('answered with Content-Encoding "gzip": the agent takes plain bodies only');
  });

  it.each([
    [
      'by its head',
      (response: ServerResponse) =>
        void response.writeHead(200, { 'content-length': String(64 * 1024 + 1) }).write('1'),
    ],
    ['by what comes', stream],
  ])('is a body that is too long %s; the connection is closed', async (_, answer) => {
    const server = await aServer((__, response) => answer(response));
    const room = await aRoom({ s: aJson(server.url, '') });
    await room.missing('the body is longer than 65536 bytes');
    await hungUp(server);
  });

  it('is not a body of exactly the bytes allowed', async () => {
    const server = await aServer(text(`${' '.repeat(64 * 1024 - 1)}4`));
    const room = await aRoom({ s: aJson(server.url, '') });
    await room.value(4);
  });
});

/** Writes until nobody reads any more. */
function stream(response: ServerResponse): void {
  const write = () => {
    while (!response.destroyed && response.write(Buffer.alloc(16 * 1024, 0x20)));
  };
  response.on('drain', write);
  write();
}

describe('no whole answer', () => {
  const bad: [string, RequestListener][] = [
    ['before its head', () => {}],
    ['in its head', (_, response) => void response.socket?.write('HTTP/1.1 200 OK\r\nContent-')],
    ['in its body', (_, response) => void response.writeHead(200, { 'content-length': 9 }).write('12')],
    ['between two chunks', (_, response) => void response.writeHead(200).write('12')],
    ['after an early hint', (_, response) => response.writeProcessing()],
  ];

  it.each(bad)('of a server that hangs %s ends with the timeout', async (_, answer) => {
    const server = await aServer(answer);
    const room = await aRoom({ s: aJson(server.url, '') });
    await until(
      () => server.requests.length === 1,
      () => 'no request',
    );
    expect(room.read()).toEqual({ missing: expect.stringContaining('not answered yet') });
    room.pass(timeoutMs);
    await room.missing(`no whole answer within ${timeoutMs} ms`);
    await hungUp(server);
    server.answer = json(3);
    room.pass(intervalMs - timeoutMs);
    await room.value(3);
  });

  it('of a server that trickles ends with the timeout, too', async () => {
    let written = 0;
    const server = await aServer((_, response) => {
      response.writeHead(200);
      const trickle = setInterval(() => (written += response.write(' ') ? 1 : 0), 2);
      response.on('close', () => clearInterval(trickle));
    });
    const room = await aRoom({ s: aJson(server.url, '') });
    await until(
      () => written > 10,
      () => `${written} written`,
    );
    room.pass(timeoutMs);
    await room.missing(`no whole answer within ${timeoutMs} ms`);
    await hungUp(server);
  });

  it('is not asked for a second time while the first request is under way', async () => {
    const server = await aServer(() => {});
    const room = await aRoom({ s: aJson(server.url, '', limits({ timeoutMs: 60_000 })) });
    await until(
      () => server.requests.length === 1,
      () => 'no request',
    );
    for (let i = 0; i < 5; i++) room.pass();
    expect(room.sources.stats.asked).toBe(1);
    expect(server.requests.length).toBe(1);
  });

  it('of a kept connection that is cut before its head is asked for once more, on another one', async () => {
    const server = await aServer(json(1));
    const room = await aRoom({ s: aJson(server.url, '') });
    await room.value(1);
    server.answer = (request, response) => {
      if (request.socket === server.requests[0]?.socket) request.socket.resetAndDestroy();
      else response.end('2');
    };
    room.pass();
    await room.value(2);
    expect([server.requests.length, server.connections.size]).toEqual([3, 2]);
    expect(room.sources.stats).toMatchObject({ asked: 2, failed: 0 });
  });

  it('of a server that cuts every connection is asked for twice at most', async () => {
    const server = await aServer(json(1));
    const room = await aRoom({ s: aJson(server.url, '') });
    await room.value(1);
    server.answer = (request) => void request.socket.resetAndDestroy();
    room.pass();
    await until(
      () => room.sources.stats.failed === 1,
      () => JSON.stringify(room.sources.stats),
    );
    expect(server.requests.length).toBe(3);
  });

  it.each([
    ['is reset in its body', (response: ServerResponse) => response.socket?.resetAndDestroy()],
    ['is closed in its body', (response: ServerResponse) => response.socket?.end()],
  ])('%s', async (_, cut) => {
    const server = await aServer((__, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('12', () => cut(response));
    });
    const room = await aRoom({ s: aJson(server.url, '') });
    await room.missing('no answer (');
  });

  it.each([
    ['SSH-2.0-OpenSSH_9.2\r\n', 'the answer is not HTTP'],
    ['\u0000\u0001\u0002\u0003', 'the answer is not HTTP'],
    [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n1`, 'the head of the answer is too large'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 'the answer is not HTTP'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n1', 'no answer ('],
    ['HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n', 'no answer ('],
  ])('comes of a server that says %j', async (bytes, reason) => {
    const room = await aRoom({ s: aJson(await aRawServer(bytes), '') });
    const told = await room.missing(reason);
    expect(told).toMatch(/^[\x20-\x7e]{1,300}$/);
  });

  it('of a port where nobody listens is told with its code', async () => {
    const server = await aServer(json(1));
    await server.close();
    const room = await aRoom({ s: aJson(server.url, '') });
    expect(await room.missing('ECONNREFUSED')).toBe(
      `GET http://127.0.0.1:${server.port}/stats: no answer (ECONNREFUSED): nothing listens there: is the application up, and is this its port?`,
    );
  });

  it('leaves the last answer standing for three intervals', async () => {
    const server = await aServer(json(8));
    const room = await aRoom({ s: aJson(server.url, '') });
    await room.value(8);
    await server.close();
    for (let failed = 1; failed <= 3; failed++) {
      room.pass();
      await until(
        () => room.sources.stats.failed === failed,
        () => JSON.stringify(room.sources.stats),
      );
      expect(room.read()).toEqual({ value: 8 });
    }
    room.pass();
    expect(await room.missing('ECONNREFUSED')).toContain('; the last answer came 4 s ago');
  });
});

describe('stopping', () => {
  it('ends a request that hangs and asks no more', async () => {
    const server = await aServer(() => {});
    const room = await startSources({ a: aJson(server.url, 'a'), b: aJson(server.url, 'b') });
    await until(
      () => server.requests.length === 1,
      () => 'no request',
    );
    await room.sources.stop();
    await room.sources.stop();
    await hungUp(server);
    room.pass();
    expect(server.requests.length).toBe(1);
    expect(room.clock.pending).toBe(0);
  });
});

describe('a counter', () => {
  it('is a rate between two answers and begins anew after a reset', async () => {
    const server = await aServer(json({ messages: 100 }));
    const room = await aRoom({ s: aJson(server.url, 'messages', { as: 'rate' }) });
    await room.missing('two looks');
    const steps: [number, number | string][] = [
      [150, 50],
      [20, 'counter fell from 150 to 20: it was reset; the next span counts again'],
      [30, 10],
    ];
    for (const [messages, expected] of steps) {
      server.answer = json({ messages });
      room.pass();
      await (typeof expected === 'number' ? room.value(expected) : room.missing(expected));
    }
  });
});

describe('a Prometheus page', () => {
  /** Metrics as a widely used client library writes them. */
  async function aPage(contentType: 'prometheus' | 'openmetrics') {
    const plain = new Registry();
    const open = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
    open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    const registry = contentType === 'openmetrics' ? open : plain;
    const registers = [registry];
    const depth = new Gauge({
      name: 'queue_depth',
      help: 'a "quoted"\nhelp',
      labelNames: ['shard'],
      registers,
    });
    depth.set({ shard: '1' }, 12);
    depth.set({ shard: 'a"\\\nb' }, 4);
    const sent = new Counter({ name: 'sent_total', help: 'x', labelNames: ['kind'], registers });
    sent.inc({ kind: 'chat' }, 100);
    sent.inc({ kind: 'ping' }, 7);
    const lag = new Histogram({ name: 'lag_seconds', help: 'x', buckets: [0.1, 1], registers });
    lag.observe(0.25);
    return { registry, sent };
  }

  it.each(['prometheus', 'openmetrics'] as const)('of a client library is read (%s)', async (format) => {
    const { registry, sent } = await aPage(format);
    const server = await aServer((_, response) => {
      void registry
        .metrics()
        .then((page) => response.setHeader('content-type', registry.contentType).end(page));
    });
    const room = await aRoom({
      sum: aPrometheus(server.url, 'queue_depth'),
      max: aPrometheus(server.url, 'queue_depth', { combine: 'max' }),
      mean: aPrometheus(server.url, 'queue_depth', { combine: 'mean' }),
      one: aPrometheus(server.url, 'queue_depth{shard="a\\"\\\\\\nb"}'),
      not: aPrometheus(server.url, 'queue_depth{shard!~"[0-9]"}'),
      lag: aPrometheus(server.url, 'lag_seconds_sum', { scale: 1000 }),
      bucket: aPrometheus(server.url, 'lag_seconds_bucket{le="1"}'),
      rate: aPrometheus(server.url, 'sent_total{kind=~"chat|ping"}', { as: 'rate' }),
      labels: aPrometheus(server.url, 'queue_depth{shard="7"}'),
      name: aPrometheus(server.url, 'queue_length'),
    });
    await room.value(16, 'sum');
    await room.value(12, 'max');
    await room.value(8, 'mean');
    await room.value(4, 'one');
    await room.value(4, 'not');
    await room.value(250, 'lag');
    await room.value(1, 'bucket');
    await room.missing('no series matches queue_depth{...}: 2 have the name; check the labels', 'labels');
    await room.missing('no series is named queue_length: 0 seen in', 'name');
    await room.missing('two looks', 'rate');
    sent.inc({ kind: 'chat' }, 20);
    sent.inc({ kind: 'ping' }, 3);
    room.pass();
    await room.value(23, 'rate');
    expect(server.requests.length).toBe(2);
  });

  it.each([
    ['<!doctype html>', 'no series is named q: 0 seen in 15 characters of type "text/html"'],
    ['q twelve\n', 'line 1 cannot be read, looking for q'],
    ['q NaN\n', 'the value is NaN'],
    ['q{a="1"} 1\nq{a="2"} NaN\n', 'the value is NaN'],
    ['q +Inf\n', 'the value is Infinity'],
    ['q -3\n', 'the value is -3'],
    ['', 'no series is named q'],
  ])('that says %j is a missing signal', async (body, reason) => {
    const server = await aServer(text(body, { 'content-type': 'text/html' }));
    const room = await aRoom({ s: aPrometheus(server.url, 'q') });
    await room.missing(reason);
  });
});
