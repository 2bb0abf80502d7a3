import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client } from 'undici';
import { createAdmin, type Admin } from '../../src/balancer/admin/admin.ts';
import { createEventFeed } from '../../src/balancer/control/event-feed.ts';
import type { Registry } from '../../src/balancer/state/registry.ts';
import { defaultHttpLimits } from '../../src/platform/http-server.ts';
import { createPolicyFiles } from '../../src/platform/policy-files.ts';
import { createSystemClock } from '../../src/platform/system-clock.ts';
import type { NodeDetail, NodeList, PoolExplanation, PoolList } from '../../src/protocol/admin-api.ts';
import { anIdentity } from '../support/a-node.ts';
import { anOpenPolicy } from '../support/a-policy.ts';
import type { ReportParts } from '../support/a-report.ts';
import { anOpenRoom, type Room } from '../support/a-room.ts';
import type { ManualClock } from '../support/manual-clock.ts';
import { bodyIn, exchange, statusIn } from '../support/raw-http.ts';

let directory: string;
let socketPath: string;
let room: Room;
let registry: Registry;
let clock: ManualClock;
let admin: Admin;
let client: Client;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'herald-'));
  socketPath = join(directory, 'run', 'herald.sock');
  room = anOpenRoom();
  ({ registry, clock } = room);
  admin = anAdmin();
  await admin.start();
  client = new Client('http://localhost', { socketPath });
});

afterEach(async () => {
  await client.destroy();
  await admin.stop();
  registry.stop();
  await rm(directory, { recursive: true });
});

function anAdmin(path = socketPath): Admin {
  // Its state stands on the test's clock; only what stop() waits for is real.
  const real = createSystemClock();
  return createAdmin({
    socketPath: path,
    registry,
    clock: { ...real, nowMs: () => clock.nowMs() },
    policies: () => [anOpenPolicy(), anOpenPolicy({ name: 'games' })],
    onInternalError: (error) => {
      throw error;
    },
    control: undefined,
    feed: createEventFeed(real),
    policyFiles: createPolicyFiles(directory),
    version: '0.0.0',
    note: () => {},
    limits: { ...defaultHttpLimits, stopGraceMs: 100 },
  });
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly json: unknown;
  readonly text: string;
}

async function ask(
  method: 'GET' | 'PUT' | 'DELETE',
  path: string,
  { body, headers = {} }: { body?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await client.request({
    method,
    path,
    ...(body === undefined ? {} : { body }),
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
  });
  const text = await response.body.text();
  const json: unknown = text === '' ? undefined : JSON.parse(text);
  return { status: response.statusCode, headers: response.headers, json, text };
}

function put(id: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
  return ask('PUT', `/v1/nodes/${id}/admin-state`, { body, headers });
}

function report(id: string, cpu: number, change: ReportParts = {}): void {
  room.report({ id, signals: { cpu }, ...change });
}

describe('the socket', () => {
  it('is its owner’s alone, and so is the directory made for it', async () => {
    expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
    expect((await stat(join(directory, 'run'))).mode & 0o777).toBe(0o700);
  });

  it('is private from its first moment, whatever the mask, which is left as it was', async () => {
    const path = join(directory, 'first.sock');
    const second = anAdmin(path);
    const before = process.umask(0);
    try {
      const starting = second.start();
      await starting;
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(process.umask()).toBe(0);
    } finally {
      process.umask(before);
      await second.stop();
    }
  });

  it('leaves an existing directory as it is', async () => {
    const shared = join(directory, 'shared');
    await mkdir(shared);
    await chmod(shared, 0o755);
    const second = anAdmin(join(shared, 'a.sock'));
    await second.start();
    expect((await stat(shared)).mode & 0o777).toBe(0o755);
    await second.stop();
  });

  it('of a live process is not taken from it', async () => {
    await expect(anAdmin().start()).rejects.toMatchObject({
      code: 'HERALD_LISTEN_FAILED',
      message: expect.stringContaining('another process listens there'),
    });
    expect((await ask('GET', '/healthz')).status).toBe(200);
  });

  it('of a dead process is replaced', async () => {
    const path = join(directory, 'stale.sock');
    // A process that is killed leaves its file behind.
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    expect(spawnSync(process.execPath, ['-e', script]).signal).toBe('SIGKILL');
    expect((await stat(path)).isSocket()).toBe(true);
    const second = anAdmin(path);
    await second.start();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await second.stop();
  });

  it('is gone after stop, which may be called twice', async () => {
    await client.destroy();
    await Promise.all([admin.stop(), admin.stop()]);
    await expect(stat(socketPath)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('does not replace a file that is no socket', async () => {
    const path = join(directory, 'precious');
    await writeFile(path, 'data');
    await expect(anAdmin(path).start()).rejects.toMatchObject({
      code: 'HERALD_LISTEN_FAILED',
      message: expect.stringContaining('no socket'),
    });
  });

  it('has a path that fits: a longer one would be cut off unseen', async () => {
    const path = join(directory, 'x'.repeat(120));
    await expect(anAdmin(path).start()).rejects.toMatchObject({
      code: 'HERALD_LISTEN_FAILED',
      message: expect.stringContaining('at most 103'),
    });
  });

  it('cannot be made where a file is in the way', async () => {
    await writeFile(join(directory, 'file'), '');
    await expect(anAdmin(join(directory, 'file', 'a.sock')).start()).rejects.toMatchObject({
      code: 'HERALD_LISTEN_FAILED',
    });
  });

  it('ends its clients in bounded time, even one that never asks', async () => {
    const silent = exchange({ path: socketPath }, ['GET /healthz HTTP/1.1\r\n']);
    await ask('GET', '/healthz');
    await client.destroy();
    await admin.stop();
    expect(statusIn(await silent)).toBe(0);
  });

  it('a listener that accepts and never answers counts as live', async () => {
    const path = join(directory, 'mute.sock');
    const mute = createServer().listen(path);
    await once(mute, 'listening');
    await expect(anAdmin(path).start()).rejects.toMatchObject({ code: 'HERALD_LISTEN_FAILED' });
    mute.close();
    await once(mute, 'close');
  });
});

describe('refusals', () => {
  it('of web pages: any Origin, and a Host that is not ours', async () => {
    const origin = await ask('GET', '/v1/pools', { headers: { origin: 'http://localhost' } });
    const host = await ask('GET', '/v1/pools', { headers: { host: 'evil.example:80' } });
    expect(origin.json).toMatchObject({ status: 403, code: 'HERALD_ORIGIN_REFUSED' });
    expect(host.json).toMatchObject({ status: 403, code: 'HERALD_ORIGIN_REFUSED' });
    for (const own of ['localhost:9402', 'HERALD', '127.0.0.1', '[::1]:1'])
      expect((await ask('GET', '/healthz', { headers: { host: own } })).status).toBe(200);
  });

  it('of requests without a Host', async () => {
    const text = await exchange({ path: socketPath }, ['GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n']);
    expect([statusIn(text), bodyIn(text)]).toMatchObject([403, { code: 'HERALD_ORIGIN_REFUSED' }]);
  });

  it('of what is no HTTP', async () => {
    const text = await exchange({ path: socketPath }, ['status\r\n\r\n']);
    expect([statusIn(text), bodyIn(text)]).toMatchObject([400, { code: 'HERALD_REQUEST_INVALID' }]);
  });

  it('of unknown pools, nodes and policies, with the name that was meant', async () => {
    registry.addStatic('chat', anIdentity('node-7'));
    const pool = await ask('GET', '/v1/pools/chatt/nodes');
    const node = await ask('GET', '/v1/nodes/node7');
    const policy = await ask('GET', '/v1/policies/game');
    expect([pool, node, policy].map(({ json }) => json)).toMatchObject([
      { status: 404, code: 'HERALD_POOL_UNKNOWN', detail: expect.stringContaining("'chat'?") },
      { status: 404, code: 'HERALD_NODE_UNKNOWN', detail: expect.stringContaining("'node-7'?") },
      { status: 404, code: 'HERALD_POLICY_UNKNOWN', detail: expect.stringContaining("'games'?") },
    ]);
  });

  it('of names that nothing can have', async () => {
    const { json } = await ask('GET', `/v1/nodes/${'x'.repeat(5000)}`);
    expect(json).toMatchObject({ status: 404, code: 'HERALD_NOT_FOUND' });
  });

  it('of unknown paths and methods', async () => {
    expect((await ask('GET', '/v1/reports')).json).toMatchObject({ code: 'HERALD_NOT_FOUND' });
    const wrong = await ask('DELETE', '/v1/pools');
    expect(wrong.headers['allow']).toBe('HEAD, GET');
    expect(wrong.json).toMatchObject({ status: 405, code: 'HERALD_METHOD_NOT_ALLOWED' });
  });
});

describe('a pool', () => {
  it('is summed up', async () => {
    registry.addStatic('chat', anIdentity('silent'));
    report('a', 0.2);
    report('b', 0.6);
    registry.addStatic('chat', anIdentity('c'));
    registry.setAdminState('c', 'maint');
    registry.setCheckFailure('silent', 'answers 500');
    const { json } = await ask('GET', '/v1/pools/chat');
    expect(json).toMatchObject({
      pool: 'chat',
      policy: 'chat',
      picker: 'waterfill',
      basis: 'load',
      panic: false,
      nodes: { total: 4, eligible: 2, drain: 0, maint: 1, down: 1, full: 0 },
      connections: { open: 0, dialling: 0, earlier: 0 },
      arrivalsPerSecond: 0,
    });
    // 0.2 and 0.6 of a CPU that is full at 0.8.
    expect(json).toMatchObject({ meanUtilization: expect.closeTo(0.5), imbalance: expect.closeTo(1.5) });
    expect((await ask('GET', '/v1/pools')).json).toEqual({ pools: [json] } satisfies PoolList | object);
  });

  it('without data has null and never NaN', async () => {
    registry.addStatic('chat', anIdentity('silent'));
    const { json } = await ask('GET', '/v1/pools/chat');
    expect(json).toMatchObject({ meanUtilization: null, imbalance: null });
    const { text } = await ask('GET', '/v1/pools/chat/nodes');
    expect(JSON.parse(text)).toMatchObject({
      nodes: [
        {
          utilization: null,
          distress: null,
          reportAgeMs: null,
          capacity: null,
          maxConnections: null,
          costPerMessage: null,
        },
      ],
    });
  });

  it('shows its nodes', async () => {
    registry.addStatic(
      'chat',
      anIdentity('s', { host: 'fd00::1', port: 8081, zone: 'eu-1', capacity: 2, maxConnections: 10 }),
    );
    report('a', 0.4, { connections: 7, port: 8081, version: '1.2.3' });
    clock.advance(500);
    const nodes = ((await ask('GET', '/v1/pools/chat/nodes')).json as NodeList).nodes;
    expect(nodes).toMatchObject([
      { id: 's', address: '[fd00::1]:8081', origin: 'static', zone: 'eu-1', capacity: 2, maxConnections: 10 },
      {
        id: 'a',
        pool: 'chat',
        address: '127.0.0.1:8081',
        origin: 'registered',
        version: '1.2.3',
        adminState: 'ready',
        health: 'up',
        ineligible: null,
        loadState: 'valid',
        evidence: 'measured',
        bottleneck: 'cpu',
        signals: { cpu: 0.4 },
        connections: { open: 0, dialling: 0, earlier: 0, reported: 7 },
        reportAgeMs: 500,
      },
    ]);
    expect((await ask('GET', '/v1/nodes/a')).json).toEqual(nodes[1]);
  });

  it('explains where the next connection goes', async () => {
    report('a', 0.2);
    report('b', 0.6);
    const explanation = (await ask('GET', '/v1/pools/chat/explain')).json as PoolExplanation;
    expect(explanation.basisReason).toBe(
      'By load: 2 of 2 eligible nodes past their blackout have valid reports.',
    );
    expect(explanation.summary).toContain("goes to 'a' (100%)");
    expect(explanation.nodes.map(({ id, share }) => ({ id, share }))).toEqual([
      { id: 'a', share: 1 },
      { id: 'b', share: 0 },
    ]);
    expect(explanation.nodes[1]?.shareReason).toContain('Takes nothing now');
  });
});

describe('a node', () => {
  it('is set to drain and ready again, and takes no connections meanwhile', async () => {
    registry.addStatic('chat', anIdentity('a'));
    const drained = await put('a', '{"adminState":"drain"}');
    expect([drained.status, drained.json]).toMatchObject([
      200,
      { nodes: ['a'], adminState: 'drain', operation: null, forecast: null },
    ]);
    expect((await ask('GET', '/v1/nodes/a')).json).toMatchObject({ ineligible: 'drain', share: 0 });
    expect((await put('a', '{"adminState":"ready"}')).status).toBe(200);
    const ready = (await ask('GET', '/v1/nodes/a')).json as NodeDetail;
    expect([ready.adminState, ready.ineligible, ready.share]).toEqual(['ready', null, 1]);
  });

  it('is not changed by a body of another shape', async () => {
    registry.addStatic('chat', anIdentity('a'));
    const bodies = [
      '{}',
      '[]',
      'null',
      '"drain"',
      '{"adminState":"gone"}',
      '{"adminState":"drain","force":1}',
      '{',
    ];
    for (const body of bodies)
      expect((await put('a', body)).json).toMatchObject({ status: 422, code: 'HERALD_BODY_INVALID' });
    const form = await put('a', 'adminState=drain', { 'content-type': 'text/plain' });
    expect(form.json).toMatchObject({ status: 415, code: 'HERALD_BODY_NOT_JSON' });
    const large = await put('a', `{"adminState":"drain"${' '.repeat(70_000)}}`);
    expect(large.json).toMatchObject({ status: 413, code: 'HERALD_BODY_TOO_LARGE', maxBytes: 65_536 });
    expect(registry.node('a').node.adminState).toBe('ready');
  });

  it('that is unknown cannot be changed', async () => {
    expect((await put('a', '{"adminState":"drain"}')).json).toMatchObject({ code: 'HERALD_NODE_UNKNOWN' });
  });

  it('that registered can be removed', async () => {
    report('a', 0.2);
    expect((await ask('DELETE', '/v1/nodes/a')).status).toBe(204);
    expect((await ask('GET', '/v1/nodes/a')).json).toMatchObject({ code: 'HERALD_NODE_UNKNOWN' });
    expect((await ask('DELETE', '/v1/nodes/a')).status).toBe(404);
  });

  it('of the configuration cannot be removed', async () => {
    registry.addStatic('chat', anIdentity('s'));
    const { json } = await ask('DELETE', '/v1/nodes/s');
    expect(json).toMatchObject({ status: 409, code: 'HERALD_NODE_STATIC', node: 's', pool: 'chat' });
    expect(registry.node('s').node.identity.id).toBe('s');
  });
});

describe('a policy', () => {
  it('is shown with readable units', async () => {
    const { json } = await ask('GET', '/v1/policies/games');
    expect(json).toMatchObject({
      name: 'games',
      signals: {
        cpu: { saturation: '80%' },
        eventLoopLag: { saturation: '50ms' },
        queueDelayMs: { kind: 'distress', saturation: 50 },
      },
      reports: { interval: '1s', blackout: '0s', expiry: '10s' },
      drain: { deadline: '10m', rate: 'auto', closeCode: 1012, closeReason: 'reconnect' },
      rebalance: { band: '10%', rate: '0.1%/s' },
    });
  });
});
