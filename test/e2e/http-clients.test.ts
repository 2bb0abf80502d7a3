// Server-sent events, long polls and plain requests through the built balancer.
import { randomBytes } from 'node:crypto';
import { request, type IncomingMessage, type RequestListener, type RequestOptions } from 'node:http';
import { EventSource } from 'eventsource';
import { describe, expect, it, onTestFinished } from 'vitest';
import { anAgentNode } from '../support/agent-node.ts';
import { eventually } from '../support/eventually.ts';
import { aHerald, type HeraldProcess } from '../support/herald-process.ts';
import { until } from '../support/until.ts';

/** A balancer with nodes `a` and `b` that answer by `handle`. */
async function aFleet(handle: (id: string) => RequestListener): Promise<HeraldProcess & { url: string }> {
  const herald = await aHerald();
  const ids = ['a', 'b'];
  await Promise.all(ids.map((id) => anAgentNode(id, herald.intakeUrl, { handle: handle(id) })));
  await herald.eligible(...ids);
  return Object.assign(herald, { url: `http://127.0.0.1:${herald.publicPort}` });
}

function openEvents(url: string): { source: EventSource; events: { id: string; data: string }[] } {
  const source = new EventSource(url);
  onTestFinished(() => source.close());
  const events: { id: string; data: string }[] = [];
  source.addEventListener('message', ({ lastEventId, data }) =>
    events.push({ id: lastEventId, data: String(data) }),
  );
  return { source, events };
}

describe('an EventSource', () => {
  it('comes back with Last-Event-ID and misses nothing, although each stream breaks off', async () => {
    const herald = await aFleet(() => (request, response) => {
      const last = Number(request.headers['last-event-id'] ?? 0);
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      response.write('retry: 20\n\n');
      for (let id = last + 1; id <= last + 10; id += 1) response.write(`id: ${id}\ndata: event ${id}\n\n`);
      // Every second stream breaks instead of ending.
      if ((last / 10) % 2 === 0) response.end();
      else setImmediate(() => response.destroy());
    });
    const { events } = openEvents(`${herald.url}/events`);
    await until(
      () => events.length >= 50,
      () => JSON.stringify(events.at(-1)),
      20_000,
    );
    expect(events.slice(0, 50)).toEqual(
      Array.from({ length: 50 }, (_, index) => ({ id: `${index + 1}`, data: `event ${index + 1}` })),
    );
  });

  it('hears thousands of events in order, each as soon as it is sent', async () => {
    const waiting: (() => void)[] = [];
    const herald = await aFleet(() => (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      // The first one alone: nothing may hold it back until more comes.
      response.write('data: 0\n\n');
      waiting.push(() => {
        for (let index = 1; index <= 5000; index += 1) response.write(`data: ${index}\n\n`);
      });
    });
    const { events } = openEvents(`${herald.url}/events`);
    await until(
      () => events.length === 1,
      () => 'no first event',
    );
    for (const go of waiting) go();
    await until(
      () => events.length === 5001,
      () => `${events.length} events`,
      20_000,
    );
    expect(events.every(({ data }, index) => data === `${index}`)).toBe(true);
  });

  it('that reads slowly holds its node back instead of filling the balancer, and loses nothing', async () => {
    const total = 64;
    const piece = `data: ${'x'.repeat(1024 * 1024)}\n\n`;
    let written = 0;
    let isHeld = false;
    const herald = await aFleet(() => (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      const write = () => {
        while (written < total) {
          written += 1;
          if (response.write(piece)) continue;
          isHeld = true;
          response.once('drain', write);
          return;
        }
        response.end();
      };
      write();
    });
    const stop = new AbortController();
    const answer = await fetch(`${herald.url}/events`, { signal: stop.signal });
    await until(
      () => isHeld,
      () => 'the node never had to wait',
    );
    // What the sockets on the way take is a few MiB; a balancer that read on would have taken all.
    await steady(() => written);
    expect(written).toBeLessThan(total);
    let bytes = 0;
    for await (const chunk of answer.body ?? []) bytes += chunk.length;
    expect(bytes).toBe(total * piece.length);
  });

  it('gets 200 with a time to come back where no node may take it, since anything else stops it', async () => {
    const herald = await aHerald();
    const answer = await fetch(`http://127.0.0.1:${herald.publicPort}/`, {
      headers: { Accept: 'text/event-stream' },
    });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toMatch(/^: HERALD_NO_NODE\nretry: \d+\n\n$/);
  });
});

/** Waits until the reading has not changed for a number of looks. */
async function steady(read: () => number): Promise<void> {
  let last = -1;
  let same = 0;
  await eventually(
    () => {
      same = read() === last ? same + 1 : 0;
      last = read();
      return same;
    },
    (count) => count >= 20,
  );
}

describe('a long poll', () => {
  it('waits at its node as an open connection and gets its answer, many times over', async () => {
    const waiting = new Map<string, () => void>();
    const herald = await aFleet((id) => (request, response) => {
      waiting.set(request.url ?? '', () => response.end(`${id} ${request.url}`));
    });
    for (let round = 0; round < 5; round += 1) {
      const paths = Array.from({ length: 8 }, (_, index) => `/poll/${round}/${index}`);
      const answers = paths.map(async (path) => (await fetch(herald.url + path)).text());
      await until(
        () => paths.every((path) => waiting.has(path)),
        () => [...waiting.keys()].join(),
      );
      const open = await openConnections(herald);
      expect(open).toBe(8);
      for (const path of paths) waiting.get(path)?.();
      expect((await Promise.all(answers)).map((text) => text.slice(2))).toEqual(paths);
    }
    await eventually(
      () => openConnections(herald),
      (open) => open === 0,
    );
  });

  it('that its client gives up is given up at the node, too', async () => {
    let isAborted = false;
    let hasCome = false;
    const herald = await aFleet(() => (_request, response) => {
      hasCome = true;
      response.on('close', () => (isAborted = true));
    });
    const stop = new AbortController();
    const answer = fetch(`${herald.url}/poll`, { signal: stop.signal });
    await until(
      () => hasCome,
      () => 'did not reach the node',
    );
    stop.abort();
    await expect(answer).rejects.toThrow(/abort/i);
    await until(
      () => isAborted,
      () => 'the node still waits',
    );
    await eventually(
      () => openConnections(herald),
      (open) => open === 0,
    );
  });
});

async function openConnections(herald: HeraldProcess): Promise<number> {
  const nodes = Object.values(await herald.nodes());
  return nodes.reduce((sum, { connections }) => sum + connections.open + connections.dialling, 0);
}

interface Answer {
  readonly response: IncomingMessage;
  readonly body: Buffer;
}

async function ask(options: RequestOptions, body?: Buffer): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', agent: false, ...options }, resolve);
    asked.on('error', reject);
    asked.end(body);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { response, body: Buffer.concat(chunks) };
}

describe('a plain request', () => {
  it('comes to a node as it was sent, and its answer back as it was given', async () => {
    const herald = await aFleet((id) => (request, response) => {
      response.writeHead(201, 'Made', { 'X-Node': id, 'Set-Cookie': ['a=1', 'b=2'] });
      response.end(
        JSON.stringify({ method: request.method, url: request.url, tenant: request.headers['x-t'] }),
      );
    });
    const { response, body } = await ask({
      port: herald.publicPort,
      path: '/a%20b?c=d&c=e',
      headers: { 'X-T': 'blue' },
    });
    expect([response.statusCode, response.statusMessage]).toEqual([201, 'Made']);
    expect(response.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(['a', 'b']).toContain(response.headers['x-node']);
    expect(JSON.parse(body.toString())).toEqual({ method: 'GET', url: '/a%20b?c=d&c=e', tenant: 'blue' });
  });

  it('carries five MiB there and back, with a length and chunked', async () => {
    const herald = await aFleet(() => (request, response) => void request.pipe(response));
    const sent = randomBytes(5 * 1024 * 1024);
    for (const headers of [{ 'Content-Length': sent.length }, { 'Transfer-Encoding': 'chunked' }]) {
      const { response, body } = await ask(
        { port: herald.publicPort, method: 'POST', path: '/', headers },
        sent,
      );
      expect(response.statusCode).toBe(200);
      expect(body.equals(sent)).toBe(true);
    }
  });

  it('by HEAD gets the head of the answer without its body, and the connection goes on', async () => {
    const herald = await aFleet(() => (_request, response) => {
      response.writeHead(200, { 'Content-Length': 12 });
      response.end('hello, world');
    });
    const first = await fetch(herald.url, { method: 'HEAD' });
    expect([first.status, first.headers.get('content-length'), await first.text()]).toEqual([200, '12', '']);
    expect(await (await fetch(herald.url)).text()).toBe('hello, world');
  });

  it('that is answered 304 gets no body, and the connection goes on', async () => {
    const herald = await aFleet(() => (request, response) => {
      const isKnown = request.headers['if-none-match'] === '"7"';
      response.writeHead(isKnown ? 304 : 200, { ETag: '"7"', 'Content-Length': 5 });
      response.end(isKnown ? undefined : 'seven');
    });
    for (let round = 0; round < 3; round += 1) {
      const known = await ask({
        port: herald.publicPort,
        path: '/',
        headers: { 'If-None-Match': '"7"' },
      });
      expect([known.response.statusCode, known.response.headers.etag, known.body.length]).toEqual([
        304,
        '"7"',
        0,
      ]);
      expect((await ask({ port: herald.publicPort, path: '/' })).body.toString()).toBe('seven');
    }
  });

  it('gets a chunked answer piece by piece, and its trailers', async () => {
    let next = () => {};
    const herald = await aFleet(() => (_request, response) => {
      response.writeHead(200, { Trailer: 'X-Sum' });
      response.write('first,');
      next = () => {
        response.addTrailers({ 'X-Sum': '42' });
        response.end('second');
      };
    });
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ port: herald.publicPort, host: '127.0.0.1', agent: false }, resolve)
        .on('error', reject)
        .end();
    });
    let text = '';
    response.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await until(
      () => text === 'first,',
      () => text,
    );
    next();
    await until(
      () => response.complete,
      () => text,
    );
    expect(text).toBe('first,second');
    expect(response.trailers).toEqual({ 'x-sum': '42' });
  });

  it('for which no node may be had hears 503 with a code and when to come back', async () => {
    const herald = await aHerald();
    const answer = await fetch(`http://127.0.0.1:${herald.publicPort}/`);
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await answer.json()).toMatchObject({ status: 503, code: 'HERALD_NO_NODE' });
  });
});
