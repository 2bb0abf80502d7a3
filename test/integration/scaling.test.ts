// Scaling of real nodes with real clients: what is recommended over API, metrics and command line, and what a driver
// does with it. The balancer's time runs ten times as fast, so that windows of a minute pass in seconds.
import { join } from 'node:path';
import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../src/balancer/balancer.ts';
import type { ScaleExecutor, ScaleWish } from '../../src/balancer/control/ports.ts';
import type { Clock } from '../../src/core/clock.ts';
import { createSystemClock } from '../../src/platform/system-clock.ts';
import type { Scaling } from '../../src/protocol/scaling.ts';
import { anEchoNode, type AgentNode } from '../support/agent-node.ts';
import { runHerald } from '../support/cli-run.ts';
import { eventually } from '../support/eventually.ts';
import { aConfig, aPolicy } from '../support/herald-setup.ts';
import { aBalancer } from '../support/in-process.ts';
import { aFolder } from './platform/folder.ts';
import { readPage } from '../support/prometheus-page.ts';
import { connectWs } from '../support/ws-client.ts';
import { someClients } from '../support/ws-fleet.ts';

const speed = 10;
const limitMs = 40_000;

function aFastClock(): Clock {
  const real = createSystemClock();
  return {
    nowMs: () => real.nowMs() * speed,
    wallMs: () => real.wallMs(),
    schedule: (delayMs, callback) => real.schedule(delayMs / speed, callback),
    repeat: (intervalMs, callback) => real.repeat(intervalMs / speed, callback),
  };
}

async function aPool(executorOf?: () => ScaleExecutor): Promise<Balancer> {
  const scale = { min: 1, max: 4, startTime: '0s', down: { after: '20s' } };
  const policy = aPolicy({
    scale,
    reports: { interval: '1s', blackout: '0s', expiry: '60s' },
    health: { check: { kind: 'tcp', interval: '20s', timeout: '20s', fall: 2, rise: 1 } },
    drain: { deadline: '60s' },
  });
  const admin = {
    socket: './h.sock',
    bind: '127.0.0.1:0',
    tokens: [{ name: 'keda', role: 'read', tokenFile: './token' }],
  };
  return aBalancer(
    {
      config: aConfig({ admin }),
      policies: { chat: policy },
      files: { token: `${token}\n` },
    },
    { clock: aFastClock(), ...(executorOf && { executorOf }) },
  );
}

const token = 'keda-secret-0123456789';

async function ask(balancer: Balancer, query = ''): Promise<{ status: number; json: Partial<Scaling> }> {
  const url = `http://127.0.0.1:${balancer.adminPort}/v1/pools/chat/scaling${query}`;
  const { statusCode, body } = await request(url, { headers: { authorization: `Bearer ${token}` } });
  // Proof of the cast: members are looked at one by one.
  return { status: statusCode, json: (await body.json()) as Partial<Scaling> };
}

async function gauges(balancer: Balancer): Promise<ReadonlyMap<string, number>> {
  const { body } = await request(`http://127.0.0.1:${balancer.intakePort}/metrics`);
  return readPage(await body.text()).samples;
}

const intakeOf = (balancer: Balancer) => `http://127.0.0.1:${balancer.intakePort}`;

describe('a pool that gets too full', () => {
  it('is told so by API, metrics and command line, and an unknown load is an error', async () => {
    const balancer = await aPool();
    const node = await anEchoNode('n1', intakeOf(balancer));
    node.busy = 0.9;
    const { json } = await eventually(
      () => ask(balancer),
      ({ json: { action } }) => action === 'out',
      limitMs,
    );
    expect(json).toMatchObject({
      state: 'known',
      desiredNodes: 2,
      nodes: 1,
      bottleneck: 'busy',
      isActive: true,
    });
    const samples = await gauges(balancer);
    expect(samples.get('herald_scale_desired_nodes{pool="chat"}')).toBe(2);
    expect(samples.get('herald_scale_known{pool="chat"}')).toBe(1);
    const tokenFile = join(aFolder({ token }), 'token');
    const target = ['--url', `http://127.0.0.1:${balancer.adminPort}`, '--token-file', tokenFile];
    const scale = await runHerald(['scale', 'chat', ...target]);
    expect([scale.code, scale.stderr]).toEqual([0, '']);
    expect(scale.stdout).toMatch(
      /^pool chat: scale out to 2 nodes\nnodes {5}1 serves; 2 desired; min 1, max 4\n/,
    );
    const status = await runHerald(['status', ...target]);
    expect(status.stdout).toMatch(/\nscale out to 2 nodes · 1 serves · load 0\.9 of 1\n/);
    await node.close();
    const gone = await eventually(
      () => ask(balancer),
      ({ status }) => status === 503,
      limitMs,
    );
    expect(gone.json).toMatchObject({ code: 'HERALD_SCALE_UNKNOWN' });
    expect((await gauges(balancer)).has('herald_scale_total_load{pool="chat"}')).toBe(false);
    expect((await ask(balancer, '?allowUnknown=true')).json).toMatchObject({ state: 'unknown' });
    expect(await runHerald(['scale', 'chat', ...target])).toMatchObject({ code: 1 });
  });
});

describe('a driver', () => {
  it('starts nodes and stops them drained: nobody is cut off', async () => {
    const nodes = new Map<string, AgentNode>();
    const wishes: ScaleWish[] = [];
    const perClient = 0.15;
    const start = async (id: string) => {
      const node = await anEchoNode(id, intakeOf(balancer), {
        greet(socket) {
          node.busy += perClient;
          socket.on('close', () => (node.busy -= perClient));
        },
      });
      node.busy = 0;
      nodes.set(id, node);
    };
    let started = 0;
    const executor: ScaleExecutor = {
      name: 'nodes',
      async apply(wish) {
        wishes.push(wish);
        while (nodes.size < wish.desired) await start(`n${++started}`);
        for (const { id } of wish.victims) {
          await nodes.get(id)?.close();
          nodes.delete(id);
        }
      },
    };
    const balancer = await aPool(() => executor);
    // Below min and without a node: the driver begins.
    await eventually(
      () => balancer.registry.pool('chat').nodes.size,
      (count) => count === 1,
      limitMs,
    );
    const port = balancer.listenerPort('public');
    const first = await someClients(port, { count: 1, path: '/' });
    const guests = await Promise.all(Array.from({ length: 4 }, () => connectWs(port)));
    await eventually(
      () => balancer.registry.pool('chat').nodes.size,
      (count) => count === 2,
      limitMs,
    );
    const later = await someClients(port, { count: 2, path: '/' });
    for (const { socket } of guests) socket.close();
    await eventually(
      () => balancer.registry.pool('chat').nodes,
      (known) => nodes.size === 1 && [...known.values()].filter(({ hasLeft }) => !hasLeft).length === 1,
      limitMs,
    );
    await eventually(
      () => [...nodes.keys()].map((id) => balancer.dataPlane.connections('chat', id).size),
      ([open]) => open === 3,
      limitMs,
    );
    expect(wishes.map(({ action, desired }) => `${action} ${desired}`)).toEqual(['out 1', 'out 2', 'in 1']);
    expect(wishes.at(-1)?.victims).toHaveLength(1);
    const codes = [...first.codes, ...later.codes];
    expect(codes.length).toBeGreaterThan(0);
    expect(new Set(codes)).toEqual(new Set([1012]));
    const told = balancer.events.since(0).events.filter(({ type }) => type.startsWith('scale.'));
    expect(told.filter(({ type }) => type === 'scale.acted')).toHaveLength(3);
    expect(told.map(({ type }) => type)).not.toContain('scale.failed');
  });
});
