// The access log as operators read it: a file of JSON lines, one for each connection or exchange that has ended.
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { Balancer } from '../../src/balancer/balancer.ts';
import { loadConfig } from '../../src/platform/config.ts';
import { aPolicy, writeSetup } from '../support/herald-setup.ts';
import { aBalancer } from '../support/in-process.ts';
import { until } from '../support/until.ts';

interface Line {
  readonly msg: string;
  readonly time: string;
  readonly [fact: string]: unknown;
}

/** A node with a WebSocket that echoes, and `/fail` and `/events` beside plain answers. */
async function anEchoNode(): Promise<string> {
  const server = createServer((asked, response) => {
    if (asked.url?.startsWith('/fail') === true) response.statusCode = 500;
    if (asked.url?.startsWith('/broken') === true) return void asked.socket.destroy();
    asked.resume();
    asked.on('end', () => response.end('four'));
  });
  new WebSocketServer({ server }).on('connection', (socket) => {
    socket.on('message', (data) => socket.send(data));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  // Proof of `as`: bound to a TCP port.
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function aHouse(accessLog: object): Promise<{ balancer: Balancer; lines: () => Line[]; file: string }> {
  const file = join(tmpdir(), `he-access-${randomUUID()}.log`);
  onTestFinished(() => rmSync(file, { force: true }));
  const balancer = await aBalancer({
    pools: {
      chat: {
        policy: 'chat',
        routes: [{ host: 'chat.example' }],
        nodes: [{ id: 'a', address: await anEchoNode() }],
      },
      empty: { policy: 'chat', routes: [{ host: 'empty.example' }] },
    },
    policies: { chat: aPolicy({ health: { check: 'off' }, place: { attempts: 2 } }) },
    config: { accessLog: { to: file, ...accessLog } },
  });
  return { balancer, lines: () => linesOf(file), file };
}

function linesOf(file: string): Line[] {
  const text = readFileSync(file, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

async function linesWhen(lines: () => Line[], count: number): Promise<Line[]> {
  await until(
    () => lines().length >= count,
    () => JSON.stringify(lines()),
  );
  return lines();
}

function ask(
  balancer: Balancer,
  path: string,
  headers: Record<string, string> = {},
  body = '',
): Promise<number> {
  return new Promise((resolve, reject) => {
    const port = balancer.listenerPort('public');
    const method = body === '' ? 'GET' : 'POST';
    const all = { host: 'chat.example', ...headers };
    const asked = request(
      { host: '127.0.0.1', port, path, method, headers: all, agent: false },
      (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Opens a WebSocket, has `messages` echoed, and closes it. */
async function talk(balancer: Balancer, messages: readonly string[]): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${balancer.listenerPort('public')}/live?token=x`, {
    headers: { host: 'chat.example' },
  });
  let heard = 0;
  socket.on('open', () => messages.forEach((message) => socket.send(message)));
  await new Promise<void>((resolve, reject) => {
    socket.on('message', () => {
      heard += 1;
      if (heard === messages.length) socket.close(1000);
    });
    socket.on('close', () => resolve());
    socket.on('error', reject);
  });
}

describe('the access log', () => {
  it('tells of a connection when it has ended, with what it carried', async () => {
    const { balancer, lines } = await aHouse({});
    await talk(balancer, ['one', 'two', 'three']);
    const [line] = await linesWhen(lines, 1);
    expect(line).toMatchObject({
      msg: 'connection ended',
      connection: 1,
      listener: 'public',
      client: '127.0.0.1',
      kind: 'websocket',
      method: 'GET',
      host: 'chat.example',
      path: '/live',
      pool: 'chat',
      node: 'a',
      attempts: 1,
      status: 101,
      toNodeMessages: 3,
      toClientMessages: 3,
    });
    expect(['client', 'node']).toContain(line?.['end']);
    expect(line?.['requestId']).toMatch(/^[0-9a-f-]{36}$/);
    expect(line?.['peer']).toBeUndefined();
    for (const span of ['placeMs', 'dialMs', 'answerMs', 'totalMs'])
      expect(line?.[span]).toBeTypeOf('number');
    // Three frames of our client are masked: 6 bytes of head each, and its Close; the node's have 2.
    expect(line?.['toNodeBytes']).toBe(3 * 6 + 11 + 8);
    expect(line?.['toClientBytes']).toBe(3 * 2 + 11 + 4);
  });

  it('tells of exchanges, and of those that were refused', async () => {
    const { balancer, lines } = await aHouse({ query: true });
    expect(await ask(balancer, '/x?y=1', { 'x-request-id': 'theirs' }, 'body')).toBe(200);
    expect(await ask(balancer, '/x', { host: 'elsewhere.example' })).toBe(404);
    expect(await ask(balancer, '/x', { host: 'empty.example' })).toBe(503);
    expect(await ask(balancer, '/broken')).toBe(502);
    const told = await linesWhen(lines, 4);
    expect(told).toMatchObject([
      {
        msg: 'exchange ended',
        kind: 'http',
        method: 'POST',
        path: '/x?y=1',
        status: 200,
        end: 'done',
        toNodeBytes: 4,
        toClientBytes: 4,
        toClientMessages: 1,
      },
      { msg: 'refused', pool: '', host: 'elsewhere.example', status: 404, code: 'HERALD_ROUTE_UNKNOWN' },
      { msg: 'refused', pool: 'empty', status: 503, code: 'HERALD_NO_NODE', attempts: 0 },
      { msg: 'refused', pool: 'chat', node: 'a', status: 502, code: 'HERALD_DIAL_FAILED' },
    ]);
    expect(new Set(told.map(({ connection }) => connection)).size).toBe(4);
  });

  it('tells of everything that ended badly where nothing else is sampled', async () => {
    const { balancer, lines } = await aHouse({ sample: '0%' });
    await talk(balancer, ['one']);
    expect(await ask(balancer, '/x')).toBe(200);
    expect(await ask(balancer, '/fail')).toBe(500);
    expect(await ask(balancer, '/x', { host: 'elsewhere.example' })).toBe(404);
    expect(await linesWhen(lines, 2)).toMatchObject([{ status: 500 }, { status: 404 }]);
    await balancer.stop();
    expect(lines()).toHaveLength(2);
  });

  it('is of the pools that are named', async () => {
    const { balancer, lines } = await aHouse({ pools: ['empty'] });
    expect(await ask(balancer, '/x')).toBe(200);
    expect(await ask(balancer, '/x', { host: 'elsewhere.example' })).toBe(404);
    expect(await ask(balancer, '/x', { host: 'empty.example' })).toBe(503);
    expect(await linesWhen(lines, 1)).toMatchObject([{ pool: 'empty' }]);
    await balancer.stop();
    expect(lines()).toHaveLength(1);
  });

  it('goes on in a new file when the old one was moved away and the configuration is read again', async () => {
    const { balancer, lines, file } = await aHouse({});
    await ask(balancer, '/first');
    await linesWhen(lines, 1);
    const moved = `${file}.1`;
    renameSync(file, moved);
    onTestFinished(() => rmSync(moved, { force: true }));
    // What a SIGHUP does with a configuration that has not changed.
    const folder = writeSetup({ config: { accessLog: { to: file } } });
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    balancer.reconfigure(await loadConfig(join(folder, 'herald.yaml'), {}));
    await ask(balancer, '/second');
    await until(
      () => {
        try {
          return lines().length === 1;
        } catch {
          return false;
        }
      },
      () => 'no new file',
    );
    expect([linesOf(moved), lines()]).toMatchObject([[{ path: '/first' }], [{ path: '/second' }]]);
  });
});

describe('a refused upgrade in the access log', () => {
  it('has its code, whoever was at fault', async () => {
    const { balancer, lines } = await aHouse({ sample: '0%' });
    for (const host of ['elsewhere.example', 'empty.example']) {
      const url = `ws://127.0.0.1:${balancer.listenerPort('public')}/live`;
      const socket = new WebSocket(url, { headers: { host } });
      await new Promise<void>((resolve) => {
        socket.on('close', () => resolve());
        socket.on('error', () => {
          // 'close' follows.
        });
      });
    }
    expect(await linesWhen(lines, 2)).toMatchObject([
      { msg: 'refused', kind: 'websocket', pool: '', status: 404, code: 'HERALD_ROUTE_UNKNOWN' },
      { msg: 'refused', kind: 'websocket', pool: 'empty', code: 'HERALD_NO_NODE' },
    ]);
  });
});

describe('the configuration of the access log', () => {
  const problemOf = async (accessLog: object) => {
    const folder = writeSetup({ config: { accessLog } });
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const error: unknown = await loadConfig(join(folder, 'herald.yaml'), {}).catch(
      (thrown: unknown) => thrown,
    );
    return error instanceof Error ? error.message : 'sound';
  };

  it.each([
    [{ to: './gone/access.log' }, /accessLog\.to: \.\/gone\/access\.log: its directory does not exist/],
    [{ to: './policies' }, /accessLog\.to: \.\/policies: is a directory \(name a file in it\)/],
    [{ pools: ['caht'] }, /accessLog\.pools\[0\]: no pool is named caht \(did you mean chat\?\)/],
    [{ sample: 0.01 }, /accessLog\.sample: .*1%/],
    [{}, /^sound$/],
  ])('%j', async (accessLog, problem) => {
    expect(await problemOf(accessLog)).toMatch(problem);
  });
});
