import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defaultHttpLimits, type TlsMaterial } from '../../../src/platform/http-server.ts';
import type { NodeList, PoolList } from '../../../src/protocol/admin-api.ts';
import { aRoom, type Room } from '../../support/a-room.ts';
import { anAdmin, aTcp, secrets, type RunningAdmin } from '../../support/an-admin.ts';
import { bodyIn, exchange, statusIn } from '../../support/raw-http.ts';
import { aStubControl } from '../../support/stub-control.ts';

let room: Room;
let running: RunningAdmin;

beforeEach(async () => {
  room = aRoom({ nodes: ['chat-1'], ageMs: 10_000 });
  room.addPool('games', 'games-1');
  const control = aStubControl((node) => node.replace(/-\d$/, ''));
  control.addOperation({ id: 'of-chat', pool: 'chat' });
  control.addOperation({ id: 'of-games', pool: 'games' });
  running = await anAdmin(room.registry, {
    control,
    tcp: aTcp(),
    limits: { ...defaultHttpLimits, headTimeoutMs: 300, requestTimeoutMs: 600, stopGraceMs: 100 },
  });
});

afterEach(async () => {
  await running[Symbol.asyncDispose]();
  room.registry.stop();
});

const tcp = () => ({ host: '127.0.0.1', port: running.port });

function raw(head: string): Promise<string> {
  return exchange(tcp(), [`${head}\r\nAuthorization: Bearer ${secrets.reader}\r\nConnection: close\r\n\r\n`]);
}

describe('a caller', () => {
  it('needs a token, except to ask whether the process lives and what the API is', async () => {
    expect(
      await exchange(tcp(), ['GET /v1/pools HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n']),
    ).toContain('WWW-Authenticate: Bearer');
    for (const path of ['/healthz', '/openapi.json'])
      expect(
        statusIn(
          await exchange(tcp(), [`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`]),
        ),
      ).toBe(200);
    for (const as of ['wrong-secret-0123456789', secrets.reader.slice(0, -1), `${secrets.reader}x`])
      expect((await running.ask('GET', '/v1/pools', { as })).json).toMatchObject({
        status: 401,
        code: 'HERALD_TOKEN_INVALID',
      });
    expect((await running.ask('GET', '/v1/pools', { as: secrets.reader })).status).toBe(200);
  });

  it('who may read changes nothing', async () => {
    const asks: [string, string, unknown?][] = [
      ['PUT', '/v1/nodes/chat-1/admin-state', { adminState: 'drain' }],
      ['DELETE', '/v1/nodes/chat-1'],
      ['POST', '/v1/pools/chat/drains', { nodes: ['chat-1'] }],
      ['POST', '/v1/pools/chat/rebalance', {}],
      ['DELETE', '/v1/operations/of-chat'],
      ['PUT', '/v1/freeze', { frozen: true }],
      ['PUT', '/v1/pools/chat/freeze', { frozen: true }],
      ['PUT', '/v1/policies/chat', {}],
    ];
    for (const [method, path, body] of asks) {
      const { json } = await running.ask(method, path, {
        as: secrets.reader,
        ...(body === undefined ? {} : { body }),
      });
      expect(json, `${method} ${path}`).toMatchObject({
        status: 403,
        code: 'HERALD_NOT_ALLOWED',
        needed: 'operate',
      });
    }
  });

  it('with some pools sees no others, nor their names', async () => {
    const as = secrets.chatOnly;
    const pools = (await running.ask('GET', '/v1/pools', { as })).json as PoolList;
    expect(pools.pools.map(({ pool }) => pool)).toEqual(['chat']);
    const nodes = (await running.ask('GET', '/v1/pools/chat/nodes', { as })).json as NodeList;
    expect(nodes.nodes.map(({ id }) => id)).toEqual(['chat-1']);
    const operations = await running.ask('GET', '/v1/operations', { as });
    expect(operations.json).toMatchObject({ operations: [{ id: 'of-chat' }] });
    const hidden: [string, string, unknown?][] = [
      ['GET', '/v1/pools/games'],
      ['GET', '/v1/pools/game'],
      ['GET', '/v1/pools/games/nodes'],
      ['GET', '/v1/pools/games/explain'],
      ['GET', '/v1/pools/games/freeze'],
      ['PUT', '/v1/pools/games/freeze', { frozen: true }],
      ['POST', '/v1/pools/games/drains', { nodes: ['games-1'] }],
      ['POST', '/v1/pools/games/rebalance', {}],
      ['POST', '/v1/pools/chat/drains', { nodes: ['games-1'] }],
      ['GET', '/v1/nodes/games-1'],
      ['GET', '/v1/nodes/game-1'],
      ['PUT', '/v1/nodes/games-1/admin-state', { adminState: 'maint' }],
      ['DELETE', '/v1/nodes/games-1'],
      ['GET', '/v1/operations/of-games'],
      ['GET', '/v1/operations/of-game'],
      ['DELETE', '/v1/operations/of-games'],
      ['GET', '/v1/operations?pool=games'],
      ['GET', '/v1/events?pool=games'],
      ['GET', '/v1/policies/games'],
      ['PUT', '/v1/policies/games', { apiVersion: 'herald/v1', kind: 'Policy', name: 'games' }],
    ];
    for (const [method, path, body] of hidden) {
      const { status, json } = await running.ask(method, path, {
        as,
        ...(body === undefined ? {} : { body }),
      });
      expect(status, `${method} ${path}`).toBe(404);
      expect((json as { detail: string }).detail).not.toMatch(/did you mean '(games|of-games)/);
    }
    expect(room.registry.node('games-1').node.adminState).toBe('ready');
  });

  it('with some pools cannot freeze all, nor replace the policy of others', async () => {
    const as = secrets.chatOnly;
    expect((await running.ask('PUT', '/v1/freeze', { as, body: { frozen: true } })).status).toBe(403);
    expect((await running.ask('PUT', '/v1/pools/chat/freeze', { as, body: { frozen: true } })).status).toBe(
      200,
    );
    // In this room both pools are under the policy `chat`.
    const policy = { apiVersion: 'herald/v1', kind: 'Policy', name: 'chat' };
    expect((await running.ask('PUT', '/v1/policies/chat', { as, body: policy })).json).toMatchObject({
      code: 'HERALD_NOT_ALLOWED',
    });
  });

  it('who asks too often is told when to come back, and others are not held up', async () => {
    const answers = await Promise.all(
      Array.from({ length: 130 }, () => running.ask('GET', '/v1/freeze', { as: secrets.reader })),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.json).toMatchObject({ code: 'HERALD_TOO_MANY_REQUESTS' });
    expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect((await running.ask('GET', '/v1/freeze', { as: secrets.operator })).status).toBe(200);
    expect((await running.ask('GET', '/v1/freeze')).status).toBe(200);
  });

  it('whose token is taken away is refused from then on, and a new one is let in', async () => {
    const [, operator] = aTcp().tokens;
    const next = {
      name: 'next',
      role: 'read' as const,
      pools: 'all' as const,
      secret: 'next-secret-0123456789',
    };
    running.admin.reconfigure({ tokens: operator === undefined ? [next] : [operator, next], tls: undefined });
    expect((await running.ask('GET', '/v1/pools', { as: secrets.reader })).status).toBe(401);
    expect((await running.ask('GET', '/v1/pools', { as: 'next-secret-0123456789' })).status).toBe(200);
  });
});

describe('over TCP', () => {
  it('a foreign Host is refused, a configured name and the address itself are not', async () => {
    const statusOf = async (host: string) => statusIn(await raw(`GET /v1/freeze HTTP/1.1\r\nHost: ${host}`));
    expect(await statusOf('evil.example')).toBe(403);
    expect(await statusOf('localhost')).toBe(403);
    expect(await statusOf('127.0.0.2')).toBe(403);
    expect(await statusOf('HERALD.test:9402')).toBe(200);
    expect(await statusOf(`127.0.0.1:${running.port}`)).toBe(200);
    expect(statusIn(await raw('GET /v1/freeze HTTP/1.1'))).toBe(403);
  });

  it('an Origin that is not the listener’s own is refused', async () => {
    const statusOf = async (origin: string) =>
      statusIn(await raw(`GET /v1/freeze HTTP/1.1\r\nHost: herald.test\r\nOrigin: ${origin}`));
    for (const foreign of [
      'http://evil.example',
      'null',
      'https://herald.test',
      'http://herald.test:1',
      'http://herald.test.evil',
    ])
      expect(await statusOf(foreign), foreign).toBe(403);
    expect(await statusOf('http://herald.test')).toBe(200);
  });

  it('heads and bodies have a limit', async () => {
    const head = await raw(`GET /v1/pools HTTP/1.1\r\nHost: herald.test\r\nX: ${'x'.repeat(17_000)}`);
    expect([statusIn(head), bodyIn(head)]).toMatchObject([431, { code: 'HERALD_HEAD_TOO_LARGE' }]);
    const body = `{"frozen":true${' '.repeat(70_000)}}`;
    const large = await running.ask('PUT', '/v1/freeze', { as: secrets.operator, body });
    expect(large.json).toMatchObject({ status: 413, code: 'HERALD_BODY_TOO_LARGE' });
    const form = await running.ask('PUT', '/v1/freeze', {
      as: secrets.operator,
      body: 'frozen=true',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(form.json).toMatchObject({ status: 415, code: 'HERALD_BODY_NOT_JSON' });
    expect((await running.ask('PUT', '/v1/freeze', { as: secrets.operator, body: '{' })).status).toBe(422);
  });

  it('a head or a body that dribbles in is answered and closed', async () => {
    const slowHead = await exchange(tcp(), ['GET /v1/pools HTTP/1.1\r\nHost: herald.test\r\n']);
    expect([statusIn(slowHead), bodyIn(slowHead)]).toMatchObject([408, { code: 'HERALD_REQUEST_TIMEOUT' }]);
    const slowBody = await exchange(tcp(), [
      `PUT /v1/freeze HTTP/1.1\r\nHost: herald.test\r\nAuthorization: Bearer ${secrets.operator}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
    ]);
    expect(statusIn(slowBody)).toBe(408);
  });

  it('requests that are sent at once are answered in turn', async () => {
    const one = (path: string, more = '') =>
      `GET ${path} HTTP/1.1\r\nHost: herald.test\r\nAuthorization: Bearer ${secrets.reader}\r\n${more}\r\n`;
    const text = await exchange(tcp(), [
      one('/v1/freeze') + one('/v1/nope') + one('/healthz', 'Connection: close\r\n'),
    ]);
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      '200',
      '404',
      '200',
    ]);
  });

  it('an unknown path is answered with the nearest, a wrong method with those allowed', async () => {
    const { json } = await running.ask('GET', '/v1/pool', { as: secrets.reader });
    expect(json).toMatchObject({
      status: 404,
      detail: "there is nothing at /v1/pool; did you mean '/v1/pools'?",
    });
    const wrong = await running.ask('POST', '/v1/freeze', { as: secrets.reader, body: {} });
    expect([wrong.status, wrong.headers['allow']]).toEqual([405, 'HEAD, GET, PUT']);
  });

  it('curl reads it', async () => {
    const args = ['-sS', '--max-time', '10', `http://127.0.0.1:${running.port}/healthz`];
    const read = promisify(execFile)('curl', args).then(
      ({ stdout }) => stdout,
      (error: unknown) => error,
    );
    const isMissing = spawnSync('curl', ['--version']).error !== undefined;
    // Where there is no curl, that is what is known; the client of the other tests has asked the same.
    expect(await read).toEqual(
      isMissing ? expect.objectContaining({ code: 'ENOENT' }) : '{"status":"alive"}',
    );
  });
});

describe('over TLS', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ht-'));
    const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    for (const name of ['ca', 'other'])
      openssl(
        'req',
        '-x509',
        ...key,
        '-subj',
        `/CN=${name}`,
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.pem`,
      );
    for (const name of ['server', 'renewed', 'client']) {
      openssl(
        'req',
        ...key,
        '-subj',
        `/CN=${name}`,
        '-addext',
        'subjectAltName=IP:127.0.0.1',
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.csr`,
      );
      openssl(
        'x509',
        '-req',
        '-in',
        `${name}.csr`,
        '-CA',
        'ca.pem',
        '-CAkey',
        'ca.key',
        '-CAcreateserial',
        '-copy_extensions',
        'copy',
        '-days',
        '2',
        '-out',
        `${name}.pem`,
      );
    }
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  const pem = (name: string) => readFileSync(join(folder, name), 'utf8');
  const material = (name: string, clientCa?: string): TlsMaterial => ({
    cert: pem(`${name}.pem`),
    key: pem(`${name}.key`),
    clientCa: clientCa === undefined ? undefined : pem(`${clientCa}.pem`),
  });

  async function statusOver(port: number, client?: string): Promise<number> {
    const own = client === undefined ? {} : { cert: pem(`${client}.pem`), key: pem(`${client}.key`) };
    const dispatcher = new Agent({ connect: { ca: pem('ca.pem'), ...own } });
    try {
      const headers = { authorization: `Bearer ${secrets.reader}` };
      const { statusCode, body } = await request(`https://127.0.0.1:${port}/v1/pools`, {
        dispatcher,
        headers,
      });
      await body.dump();
      return statusCode;
    } finally {
      await dispatcher.destroy();
    }
  }

  /** The name in the certificate that a new connection is shown. */
  function shownName(port: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ host: '127.0.0.1', port, ca: pem('ca.pem') }, () => {
        resolve(socket.getPeerCertificate().subject.CN);
        socket.destroy();
      });
      socket.on('error', reject);
    });
  }

  it('a token is asked for, and plain HTTP is not answered', async () => {
    await using secure = await anAdmin(room.registry, { tcp: aTcp({ tls: material('server') }) });
    expect(await statusOver(secure.port)).toBe(200);
    const plain = await exchange({ host: '127.0.0.1', port: secure.port }, ['GET / HTTP/1.1\r\n\r\n']);
    expect(statusIn(plain)).toBe(0);
    expect(secure.internalErrors).toEqual([]);
  });

  it('a client needs the certificate that is asked for, and its token all the same', async () => {
    await using secure = await anAdmin(room.registry, { tcp: aTcp({ tls: material('server', 'ca') }) });
    expect(await statusOver(secure.port, 'client')).toBe(200);
    await expect(statusOver(secure.port)).rejects.toThrow();
    await expect(statusOver(secure.port, 'other')).rejects.toThrow();
    const dispatcher = new Agent({
      connect: { ca: pem('ca.pem'), cert: pem('client.pem'), key: pem('client.key') },
    });
    const { statusCode, body } = await request(`https://127.0.0.1:${secure.port}/v1/pools`, { dispatcher });
    await body.dump();
    await dispatcher.destroy();
    expect(statusCode).toBe(401);
  });

  it('a renewed certificate is shown to new connections', async () => {
    const remote = aTcp({ tls: material('server') });
    await using secure = await anAdmin(room.registry, { tcp: remote });
    expect(await shownName(secure.port)).toBe('server');
    secure.admin.reconfigure({ tokens: remote.tokens, tls: material('renewed') });
    expect(await shownName(secure.port)).toBe('renewed');
    expect(await statusOver(secure.port)).toBe(200);
  });
});
