import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetch } from 'undici';
import { createIntake, type Intake } from '../../src/balancer/intake/intake.ts';
import type { Registry } from '../../src/balancer/state/registry.ts';
import { createSystemClock } from '../../src/platform/system-clock.ts';
import { defaultHttpLimits } from '../../src/platform/http-server.ts';
import { decodeReport } from '../../src/protocol/decode-report.ts';
import { anIdentity } from '../support/a-node.ts';
import { anOpenRoom } from '../support/a-room.ts';
import { aReportBody } from '../support/a-report.ts';
import { anIntake, type RunningIntake } from '../support/an-intake.ts';
import { bodyIn, exchange, statusIn } from '../support/raw-http.ts';

let registry: Registry;
let intake: RunningIntake;

beforeEach(async () => {
  ({ registry } = anOpenRoom());
  intake = await anIntake(registry);
});

afterEach(async () => {
  await intake[Symbol.asyncDispose]();
  registry.stop();
});

async function post(
  body: unknown,
  { headers = {}, to = intake }: { headers?: Record<string, string>; to?: RunningIntake } = {},
): Promise<{ status: number; headers: Headers; json: Record<string, unknown> }> {
  const response = await fetch(`${to.url}/v1/reports`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const json = (await response.json()) as Record<string, unknown>;
  return { status: response.status, headers: response.headers as unknown as Headers, json };
}

/** 40 KiB of blanks, in pieces of unknown number. */
async function* manyChunks() {
  for (let i = 0; i < 40; i += 1) yield Buffer.alloc(1024, 32);
}

function make(port: number): Intake {
  return createIntake({
    bind: { host: '127.0.0.1', port },
    registry,
    clock: createSystemClock(),
    decode: decodeReport,
    reporters: { tokens: [], loopbackNeedsToken: false },
    mayRegister: () => true,
    phase: () => 'serving',
    scrape: async () => ({ contentType: 'text/plain', text: '' }),
    onReport: () => undefined,
    onInternalError: () => undefined,
    control: undefined,
    onSelfDrain: () => undefined,
    limits: { ...defaultHttpLimits, stopGraceMs: 100 },
  });
}

describe('a report', () => {
  it('registers its node and is answered with the directives', async () => {
    const { status, json } = await post(aReportBody());
    expect({ status, json }).toEqual({ status: 200, json: { directives: { adminState: 'ready' } } });
    expect(registry.node('a').node.identity).toMatchObject({ host: '127.0.0.1', port: 8081 });
    expect(registry.node('a').node.load?.signals).toEqual({ cpu: 0.42, eventLoopLag: 3.1 });
    expect(intake.outcomes).toEqual(['accepted']);
  });

  it('hears what the operator wants of the node', async () => {
    await post(aReportBody());
    registry.setAdminState('a', 'drain');
    const { json } = await post(aReportBody({ seq: 2 }));
    expect(json).toEqual({ directives: { adminState: 'drain' } });
  });

  it('names the node address itself, IPv6 without brackets', async () => {
    await post(aReportBody({ node: { id: 'a', address: '[FD00::7]:9000' } }));
    expect(registry.node('a').node.identity).toMatchObject({ host: 'fd00::7', port: 9000 });
  });

  it('is taken a thousand times over a few connections, with scrapes in between', async () => {
    const texts: Promise<string>[] = [];
    for (let batch = 0; batch < 20; batch += 1) {
      const posts = Array.from({ length: 50 }, (_, index) =>
        post(aReportBody({ node: { id: `n${index}`, port: 9000 + index }, seq: batch })),
      );
      texts.push(fetch(`${intake.url}/metrics`).then((response) => response.text()));
      const answers = await Promise.all(posts);
      expect(answers.every(({ status }) => status === 200)).toBe(true);
    }
    expect(registry.pool('chat').nodes.size).toBe(50);
    const pages = await Promise.all(texts);
    expect(pages.every((page) => page.includes('herald_build_info{version="0.0.0"} 1'))).toBe(true);
    const last = await (await fetch(`${intake.url}/metrics`)).text();
    expect(last).toContain('herald_reports_total{outcome="accepted"} 1000');
  });
});

describe('who may report', () => {
  const tokens = [
    { name: 'agents', role: 'report', pools: ['chat'], secret: 'let-me-in' },
    { name: 'elsewhere', role: 'report', pools: ['games'], secret: 'games-only' },
    { name: 'viewer', role: 'read', pools: 'all', secret: 'look-only' },
  ] as const;

  it('needs a token on loopback where tokens are required', async () => {
    await using strict = await anIntake(registry, { reporters: { tokens, loopbackNeedsToken: true } });
    const { status, headers, json } = await post(aReportBody(), { to: strict });
    expect({ status, code: json['code'] }).toEqual({ status: 401, code: 'HERALD_TOKEN_INVALID' });
    expect(headers.get('www-authenticate')).toBe('Bearer realm="herald"');
  });

  it('is refused for a wrong token even where none is needed', async () => {
    await using open = await anIntake(registry, { reporters: { tokens, loopbackNeedsToken: false } });
    const wrong = await post(aReportBody(), { to: open, headers: { authorization: 'Bearer let-me-i' } });
    const basic = await post(aReportBody(), { to: open, headers: { authorization: 'Basic bGV0LW1lLWlu' } });
    const empty = await post(aReportBody(), { to: open, headers: { authorization: 'Bearer ' } });
    expect([wrong, basic, empty].map(({ json }) => json['code'])).toEqual(
      Array.from({ length: 3 }, () => 'HERALD_TOKEN_INVALID'),
    );
  });

  it('belongs to the name of its token', async () => {
    await using strict = await anIntake(registry, { reporters: { tokens, loopbackNeedsToken: true } });
    const { status } = await post(aReportBody(), {
      to: strict,
      headers: { authorization: 'bearer let-me-in' },
    });
    expect(status).toBe(200);
    expect(registry.node('a').node.registeredBy).toBe('agents');
  });

  it('is bound to the pools and the role of the token', async () => {
    await using strict = await anIntake(registry, { reporters: { tokens, loopbackNeedsToken: true } });
    const scope = await post(aReportBody(), {
      to: strict,
      headers: { authorization: 'Bearer games-only' },
    });
    const role = await post(aReportBody(), { to: strict, headers: { authorization: 'Bearer look-only' } });
    expect(scope.json).toMatchObject({ status: 403, code: 'HERALD_REPORT_NOT_ALLOWED' });
    expect(scope.json['detail']).toContain('only for: games');
    expect(role.json).toMatchObject({ status: 403, code: 'HERALD_REPORT_NOT_ALLOWED' });
  });

  it('may not register an address that the configuration does not allow', async () => {
    const asked: unknown[] = [];
    await using closed = await anIntake(registry, {
      mayRegister: (host, port) => asked.push([host, port]) < 0,
    });
    const { json } = await post(aReportBody(), { to: closed });
    expect(json).toMatchObject({ code: 'HERALD_REPORT_NOT_ALLOWED', node: 'a', pool: 'chat' });
    expect(json['detail']).toContain('host 127.0.0.1, port 8081');
    expect(asked).toEqual([['127.0.0.1', 8081]]);
    expect(registry.pool('chat').nodes.size).toBe(0);
  });

  it('may always be a node of the configuration, even without an address', async () => {
    registry.addStatic('chat', anIdentity('s', { host: '10.0.0.9', port: 7000 }));
    await using closed = await anIntake(registry, { mayRegister: () => false });
    const { status } = await post(aReportBody({ node: { id: 's' } }), { to: closed });
    expect(status).toBe(200);
    expect(registry.node('s').node.load?.seq).toBe(1);
  });
});

describe('a report that is refused', () => {
  const classes: [string, unknown, string][] = [
    ['NaN literal', '{"version":1,"seq":NaN}', 'HERALD_REPORT_INVALID'],
    ['no JSON at all', 'hello', 'HERALD_REPORT_INVALID'],
    ['empty body', '', 'HERALD_REPORT_INVALID'],
    ['cut-off JSON', '{"version":1,', 'HERALD_REPORT_INVALID'],
    ['an array', [], 'HERALD_REPORT_INVALID'],
    ['deep nesting', '['.repeat(8000), 'HERALD_REPORT_INVALID'],
    ['negative value', aReportBody({ signals: { cpu: -1 } }), 'HERALD_REPORT_INVALID'],
    ['huge value', aReportBody({ signals: { cpu: 1e300 } }), 'HERALD_REPORT_INVALID'],
    ['number as text', aReportBody({ signals: { cpu: '0.4' } }), 'HERALD_REPORT_INVALID'],
    ['sample from the future', aReportBody({ ageMs: -5 }), 'HERALD_REPORT_INVALID'],
    ['sample from last year', aReportBody({ ageMs: 3e10 }), 'HERALD_REPORT_INVALID'],
    ['wrong version', aReportBody({ version: 2 }), 'HERALD_REPORT_INVALID'],
    ['unknown key', aReportBody({ nodes: 1 }), 'HERALD_REPORT_INVALID'],
    ['bad id', aReportBody({ node: { id: 'a b', port: 1 } }), 'HERALD_REPORT_INVALID'],
    ['nowhere to go', aReportBody({ node: { id: 'a' } }), 'HERALD_REPORT_INVALID'],
    ['unknown pool', aReportBody({ pool: 'chatt' }), 'HERALD_POOL_UNKNOWN'],
  ];

  it.each(classes)('%s', async (_, body, code) => {
    const { status, headers, json } = await post(body);
    expect(json).toMatchObject({ code, status, type: `docs/reference/errors.md#${code.toLowerCase()}` });
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(registry.pool('chat').nodes.size).toBe(0);
    expect(intake.outcomes).toEqual([code]);
    expect((await post(aReportBody())).status).toBe(200);
  });

  it('names the pool that was meant', async () => {
    const { json } = await post(aReportBody({ pool: 'chatt' }));
    expect(json['detail']).toBe("there is no pool 'chatt'; did you mean 'chat'?");
  });

  it('is stale when its number does not rise', async () => {
    await post(aReportBody({ seq: 5 }));
    const { json } = await post(aReportBody({ seq: 5 }));
    expect(json).toMatchObject({ status: 409, code: 'HERALD_REPORT_STALE', seq: 5 });
  });

  it('does not take the id of a node that still reports', async () => {
    await post(aReportBody());
    const { json } = await post(aReportBody({ node: { id: 'a', port: 9999 }, seq: 2 }));
    expect(json).toMatchObject({ status: 409, code: 'HERALD_NODE_ID_TAKEN' });
    expect(registry.node('a').node.identity.port).toBe(8081);
  });

  it('has another media type, or a coding', async () => {
    const form = await post('a=1', { headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    const zipped = await post(aReportBody(), { headers: { 'content-encoding': 'gzip' } });
    expect([form.json['code'], zipped.json['code']]).toEqual([
      'HERALD_BODY_NOT_JSON',
      'HERALD_BODY_NOT_JSON',
    ]);
  });

  it('comes from a web page', async () => {
    const { json } = await post(aReportBody(), { headers: { origin: 'http://evil.example' } });
    expect(json).toMatchObject({ status: 403, code: 'HERALD_ORIGIN_REFUSED' });
  });

  it('is oversized, declared or chunked', async () => {
    const padded = JSON.stringify(aReportBody({ zone: 'x'.repeat(17_000) }));
    const declared = await post(padded);
    expect(declared.json).toMatchObject({ status: 413, code: 'HERALD_BODY_TOO_LARGE', maxBytes: 16_384 });
    const response = await fetch(`${intake.url}/v1/reports`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: manyChunks(),
      duplex: 'half',
    });
    expect(await response.json()).toMatchObject({ status: 413, code: 'HERALD_BODY_TOO_LARGE' });
  });

  it('never ends: a chunked body without end is answered and closed', async () => {
    const head =
      'POST /v1/reports HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
    const chunk = `4000\r\n${' '.repeat(0x4000)}\r\n`;
    const text = await exchange({ host: '127.0.0.1', port: intake.port }, [head, chunk, chunk]);
    expect(statusIn(text)).toBe(413);
  });

  it('comes too slowly: its connection is answered with 408 and closed', async () => {
    const head =
      'POST /v1/reports HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{';
    const text = await exchange({ host: '127.0.0.1', port: intake.port }, [head]);
    expect(statusIn(text)).toBe(408);
    expect(bodyIn(text)).toMatchObject({ code: 'HERALD_REQUEST_TIMEOUT' });
  });

  it('is cut off: the intake goes on', async () => {
    const socket = connect(intake.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      'POST /v1/reports HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"ver',
    );
    // A report that arrives afterwards shows that the first bytes have been read.
    await post(aReportBody());
    socket.resetAndDestroy();
    await once(socket, 'close');
    expect((await post(aReportBody({ seq: 2 }))).status).toBe(200);
    await expect.poll(() => intake.outcomes).toContain('HERALD_REQUEST_INVALID');
    expect(intake.internalErrors).toEqual([]);
  });
});

describe('bytes that are not HTTP', () => {
  const cases: [string, string | Buffer, number][] = [
    ['noise', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x0d, 0x0a]), 400],
    ['another version', 'GET /healthz HTTP/9.9\r\n\r\n', 400],
    [
      'two lengths',
      'POST /v1/reports HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
    ],
    [
      'length and chunks',
      'POST /v1/reports HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['huge head', `GET /healthz HTTP/1.1\r\nHost: h\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['half a head', 'GET /healthz HTTP/1.1\r\nHos', 408],
    ['impossible host', 'GET /healthz HTTP/1.1\r\nHost: a/b@c\r\nConnection: close\r\n\r\n', 400],
    ['impossible target', 'GET http://[ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n', 400],
  ];

  it.each(cases)('%s is answered with a problem', async (_, bytes, status) => {
    const text = await exchange({ host: '127.0.0.1', port: intake.port }, [bytes]);
    expect(statusIn(text)).toBe(status);
    expect(bodyIn(text)).toMatchObject({ status, code: expect.stringMatching(/^HERALD_/) });
    expect((await fetch(`${intake.url}/healthz`)).status).toBe(200);
    expect(intake.internalErrors).toEqual([]);
  });

  it('an upgrade is answered like any other request', async () => {
    const text = await exchange({ host: '127.0.0.1', port: intake.port }, [
      'GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n',
    ]);
    expect(statusIn(text)).toBe(200);
  });
});

describe('paths and methods', () => {
  it('says that a path is unknown', async () => {
    const response = await fetch(`${intake.url}/v1/nope`);
    expect(await response.json()).toMatchObject({ status: 404, code: 'HERALD_NOT_FOUND' });
  });

  it('says which methods a path has', async () => {
    const response = await fetch(`${intake.url}/v1/reports`);
    expect(response.headers.get('allow')).toBe('POST');
    expect(await response.json()).toMatchObject({ status: 405, code: 'HERALD_METHOD_NOT_ALLOWED' });
    const probe = await fetch(`${intake.url}/healthz`, { method: 'DELETE' });
    expect(probe.headers.get('allow')).toBe('HEAD, GET');
    await probe.body?.cancel();
  });

  it('answers HEAD where it answers GET', async () => {
    const response = await fetch(`${intake.url}/healthz`, { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });
});

describe('probes', () => {
  it('lives from the start', async () => {
    const response = await fetch(`${intake.url}/healthz`);
    expect(await response.json()).toEqual({ status: 'alive' });
  });

  it('is ready while some pool has an eligible node, and names the pools that have none', async () => {
    registry.addPool('games', registry.pool('chat').policy);
    const before = await fetch(`${intake.url}/readyz`);
    expect([before.status, await before.json()]).toEqual([
      503,
      {
        ready: false,
        reason: 'no pool has a node that may take a connection',
        poolsWithoutNode: ['chat', 'games'],
      },
    ]);
    registry.addStatic('chat', anIdentity('s'));
    const after = await fetch(`${intake.url}/readyz`);
    expect([after.status, await after.json()]).toEqual([
      200,
      { ready: true, reason: '', poolsWithoutNode: ['games'] },
    ]);
  });

  it('is not ready while starting and while stopping', async () => {
    registry.addStatic('chat', anIdentity('s'));
    let phase: 'starting' | 'stopping' = 'starting';
    await using early = await anIntake(registry, { phase: () => phase });
    const starting = await fetch(`${early.url}/readyz`);
    phase = 'stopping';
    const stopping = await fetch(`${early.url}/readyz`);
    expect([starting.status, stopping.status]).toEqual([503, 503]);
    expect(await starting.json()).toMatchObject({ reason: expect.stringContaining('starting') });
    expect(await stopping.json()).toMatchObject({ reason: expect.stringContaining('stopping') });
  });
});

describe('errors of our own', () => {
  it('are told to the log, and to the client only as HERALD_INTERNAL', async () => {
    const origin = new TypeError('secret detail');
    await using broken = await anIntake(registry, {
      decode: () => {
        throw origin;
      },
    });
    const { json } = await post(aReportBody(), { to: broken });
    expect(json).toMatchObject({ status: 500, code: 'HERALD_INTERNAL' });
    expect(JSON.stringify(json)).not.toContain('secret detail');
    expect(broken.internalErrors).toEqual([origin]);
    expect(broken.outcomes).toEqual(['HERALD_INTERNAL']);
  });
});

describe('starting and stopping', () => {
  it('a port that is taken is HERALD_LISTEN_FAILED', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const address = blocker.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    await expect(make(port).start()).rejects.toMatchObject({
      code: 'HERALD_LISTEN_FAILED',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
    blocker.close();
    await once(blocker, 'close');
  });

  it('connections beyond the limit are closed, and those within it served', async () => {
    const limits = { ...defaultHttpLimits, maxConnections: 2, stopGraceMs: 100 };
    await using small = await anIntake(registry, { limits });
    const sockets = [connect(small.port, '127.0.0.1'), connect(small.port, '127.0.0.1')];
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    // An answer on each shows that both have been accepted before the flood.
    for (const socket of sockets) {
      socket.write('GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n');
      await once(socket, 'data');
    }
    const flood = Array.from({ length: 20 }, () =>
      exchange({ host: '127.0.0.1', port: small.port }, ['GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n']),
    );
    expect(await Promise.all(flood)).toEqual(Array.from({ length: 20 }, () => ''));
    for (const socket of sockets) {
      socket.write('GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n');
      expect(String(await once(socket, 'data'))).toContain('alive');
      socket.destroy();
    }
  });

  it('stop ends keep-alive connections, half requests among them, and may be called twice or unstarted', async () => {
    await make(0).stop();
    const one = make(0);
    const { port } = await one.start();
    const idle = connect(port, '127.0.0.1');
    const half = connect(port, '127.0.0.1');
    await Promise.all([once(idle, 'connect'), once(half, 'connect')]);
    half.write('GET /healthz HTTP/1.1\r\n');
    idle.write('GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n');
    await once(idle, 'data');
    const ends = [idle, half].map((socket) => {
      // Some versions of Node end a half request by reset.
      socket.on('error', () => undefined);
      return new Promise((resolve) => socket.once('close', resolve));
    });
    idle.resume();
    half.resume();
    await Promise.all([one.stop(), one.stop()]);
    await Promise.all(ends);
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow('fetch failed');
  });
});
