// Refusals in the access log: of requests that Herald answers before it looks for a node, be it their first bytes.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Balancer } from '../../src/balancer/balancer.ts';
import { aPublicNode } from '../support/a-public-node.ts';
import { aBalancer } from '../support/in-process.ts';
import { proxyHeader } from '../../src/protocol/proxy-protocol.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

interface House {
  readonly balancer: Balancer;
  readonly client: () => RawClient;
  /** The lines of the log once there are `count`. */
  readonly lines: (count: number) => Promise<Record<string, unknown>[]>;
}

/** A balancer that logs what ends badly, with one listener as `listener` says and one node. */
async function aHouse(listener: object = {}, accessLog: object = {}, form = 'auto'): Promise<House> {
  const file = join(tmpdir(), `he-refusals-${randomUUID()}.log`);
  onTestFinished(() => rmSync(file, { force: true }));
  const { address } = await aPublicNode();
  const balancer = await aBalancer({
    pools: { chat: { policy: 'chat', nodes: [{ id: 'a', address }] } },
    config: {
      listeners: [{ name: 'public', bind: '127.0.0.1:0', ...listener }],
      accessLog: { to: file, sample: '0%', ...accessLog },
      relay: { form },
    },
  });
  const read = () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []);
  return {
    balancer,
    client: () => new RawClient(balancer.listenerPort('public')),
    async lines(count) {
      await until(
        () => read().length >= count,
        () => read().join('\n'),
      );
      // Proof of `as`: the log writes one object in each line.
      return read().map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}

const upgrade = (host: string, more = '') =>
  `GET /live?token=x HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n${more}\r\n`;
const headless = { kind: undefined, method: undefined, host: undefined, path: undefined, pool: '' };

describe('requests that break a rule', () => {
  it.each([
    [
      'a target that is none',
      'GET http://u:secret@h/a?t=1#f HTTP/1.1\r\nHost: B.Example:80\r\n\r\n',
      'http://h/a',
    ],
    ['two hosts', 'GET /x HTTP/1.1\r\nHost: b.example\r\nHost: c.example\r\n\r\n', '/x'],
    ['an upgrade with a fragment', upgrade('b.example').replace('/live?token=x', '/live#secret'), '/live'],
    ['CONNECT', 'CONNECT b.example:443 HTTP/1.1\r\nHost: b.example:443\r\n\r\n', 'b.example:443'],
  ])('are logged with what is known of them: %s', async (_, request, path) => {
    const house = await aHouse();
    expect(await house.client().send(request).over()).toMatch(/^HTTP\/1\.1 400 /);
    const [line] = await house.lines(1);
    expect(line).toMatchObject({
      msg: 'refused',
      connection: 1,
      listener: 'public',
      client: '127.0.0.1',
      kind: 'http',
      method: request.split(' ', 1)[0],
      host: 'b.example',
      path,
      pool: '',
      attempts: 0,
      status: 400,
      end: 'refused',
      code: 'HERALD_REQUEST_INVALID',
    });
    expect(JSON.stringify(line)).not.toContain('secret');
  });

  it.each(['fast', 'plain'])('are logged by address where no head can be read (%s)', async (form) => {
    const house = await aHouse({ limits: { head: '4KiB' } }, {}, form);
    const bad = ['NONSENSE\r\n\r\n', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(8_000)}\r\n\r\n`];
    for (const [index, request] of bad.entries()) {
      expect(await house.client().send(request).over()).toMatch(/^HTTP\/1\.1 4/);
      await house.lines(index + 1);
    }
    const cut = house.client().send('GET / HTTP/1.1\r\nHo');
    cut.socket.end();
    expect(await cut.over()).toMatch(/^HTTP\/1\.1 400 /);
    const lines = await house.lines(3);
    expect(lines).toMatchObject([
      { status: 400, code: 'HERALD_REQUEST_INVALID' },
      { status: 431, code: 'HERALD_HEAD_TOO_LARGE' },
      { status: 400, code: 'HERALD_REQUEST_INVALID' },
    ]);
    for (const line of lines) {
      expect(line).toMatchObject({ msg: 'refused', listener: 'public', client: '127.0.0.1', pool: '' });
      expect({ ...headless, ...line }).toMatchObject(headless);
    }
  });

  it('share the number of their connection with what came before on it', async () => {
    const house = await aHouse({}, { sample: '100%' });
    const client = house.client().send('POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx');
    await client.heard('200 OK');
    await house.lines(1);
    client.send('GET /two HTTP/1.1\r\n\r\n');
    await client.over();
    const lines = await house.lines(2);
    expect(lines).toMatchObject([
      { connection: 1, path: '/one', status: 200 },
      { connection: 1, path: '/two', status: 400 },
    ]);
    expect(lines[1]).not.toHaveProperty('host');
  });
});

describe('heads that take too long', () => {
  it.each([
    ['GET / HT', 'before anything is known of them'],
    ['POST / HTTP/1.1\r\n', 'when node:http has them'],
  ])('are logged by address: %j, %s', async (start) => {
    const house = await aHouse({ timeouts: { head: '100ms' } });
    expect(await house.client().send(start).over()).toMatch(/^HTTP\/1\.1 408 /);
    const [line] = await house.lines(1);
    expect(line).toMatchObject({ client: '127.0.0.1', status: 408, code: 'HERALD_REQUEST_TIMEOUT' });
    expect({ ...headless, ...line }).toMatchObject(headless);
  });

  it('are nothing where the client has said nothing', async () => {
    const house = await aHouse({ timeouts: { head: '100ms' } });
    expect(await house.client().over()).toBe('');
    await house.client().send('NONSENSE\r\n\r\n').over();
    await house.lines(1);
    await house.balancer.stop();
    expect(await house.lines(1)).toMatchObject([{ status: 400 }]);
  });
});

describe('bodies that are too large', () => {
  it.each([
    ['Content-Length: 2000\r\n\r\n', 0],
    ['Transfer-Encoding: chunked\r\n\r\n7d0\r\n' + 'x'.repeat(2000) + '\r\n0\r\n\r\n', undefined],
  ])('are logged with their pool, and once: %#', async (rest, attempts) => {
    const house = await aHouse({ limits: { body: '1KiB' } });
    const answer = await house.client().send(`POST /up HTTP/1.1\r\nHost: a\r\n${rest}`).over();
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    const facts = { method: 'POST', path: '/up', pool: 'chat', status: 413, code: 'HERALD_BODY_TOO_LARGE' };
    await house.lines(1);
    await house.balancer.stop();
    const lines = await house.lines(1);
    expect(lines).toMatchObject([facts]);
    if (attempts !== undefined) expect(lines[0]?.['attempts']).toBe(attempts);
  });
});

describe('limits of the listener', () => {
  it.each(['fast', 'plain'])('that hold by connections and by address are logged (%s)', async (form) => {
    for (const [limit, status, code] of [
      ['connections', 503, 'HERALD_LISTENER_FULL'],
      ['connectionsPerAddress', 429, 'HERALD_ADDRESS_FULL'],
    ] as const) {
      const house = await aHouse({ limits: { [limit]: 1 } }, {}, form);
      const first = house.client().send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await first.heard('200 OK');
      expect(await house.client().over()).toContain(`HTTP/1.1 ${status} `);
      const [line] = await house.lines(1);
      expect(line).toMatchObject({ connection: 2, client: '127.0.0.1', status, code, end: 'refused' });
      expect({ ...headless, ...line }).toMatchObject(headless);
      first.socket.destroy();
    }
  });

  it('that hold for who is named by a trusted peer are logged under the name', async () => {
    const limits = { connectionsPerAddress: 1 };
    const house = await aHouse({ trusted: ['127.0.0.0/8'], limits });
    const more = 'X-Forwarded-For: 192.0.2.7\r\n';
    const first = house.client().send(upgrade('a', more));
    await first.heard(' 101 ');
    expect(
      await house.client().send(`GET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${more}\r\n`).over(),
    ).toContain(' 429 ');
    await house.lines(1);
    expect(await house.client().send(upgrade('a', more)).over()).toContain('HERALD_ADDRESS_FULL');
    const named = { client: '192.0.2.7', peer: '127.0.0.1', pool: 'chat', code: 'HERALD_ADDRESS_FULL' };
    const lines = await house.lines(2);
    expect(lines).toMatchObject([
      { ...named, kind: 'http', path: '/b', status: 429 },
      { ...named, kind: 'websocket', path: '/live' },
    ]);
    // Let in to be told: no status.
    expect(lines[1]?.['status']).toBeUndefined();
    first.socket.destroy();
  });

  it('that hold for who is named by a PROXY header are logged under the name', async () => {
    const limits = { connectionsPerAddress: 1 };
    const house = await aHouse({ proxyProtocol: 'required', trusted: ['127.0.0.1'], limits });
    const ends = { address: '192.0.2.1', port: 5555, localAddress: '198.51.100.1', localPort: 80 };
    const named = () => house.client().send(proxyHeader('v1', ends).toString());
    const first = named().send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await first.heard('200 OK');
    expect(await named().over()).toContain(' 429 ');
    await house.lines(1);
    // What it is asked afterwards is judged under the same name.
    first.send('NONSENSE\r\n\r\n');
    await first.over();
    expect(await house.lines(2)).toMatchObject([
      { client: '192.0.2.1', status: 429 },
      { client: '192.0.2.1', status: 400 },
    ]);
  });
});

describe('where only some pools are logged', () => {
  it('refusals that belong to none of them are not', async () => {
    const house = await aHouse({ limits: { body: '1KiB' } }, { pools: ['chat'] });
    expect(await house.client().send('NONSENSE\r\n\r\n').over()).toContain(' 400 ');
    const large = 'POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n';
    expect(await house.client().send(large).over()).toContain(' 413 ');
    await house.lines(1);
    await house.balancer.stop();
    expect(await house.lines(1)).toMatchObject([{ pool: 'chat', status: 413 }]);
  });
});
