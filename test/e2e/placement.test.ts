// Where new connections go, seen from outside: by what agents report, around nodes that fail, across restarts.
import { fork, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { WebSocket } from 'ws';
import { anAgentNode, anEchoNode } from '../support/agent-node.ts';
import { eventually } from '../support/eventually.ts';
import { aHerald, type HeraldProcess } from '../support/herald-process.ts';
import { aPolicy } from '../support/herald-setup.ts';
import { answering, startRawNode, type RawNode } from '../support/raw-node.ts';
import { connectWs, type WsClient } from '../support/ws-client.ts';

const greet = (socket: WebSocket, id: string) => socket.send(id);

/** Connects one after another; the node that each is on. */
async function homesOf(herald: HeraldProcess, count: number): Promise<string[]> {
  const homes: string[] = [];
  for (let index = 0; index < count; index += 1) homes.push((await comeIn(herald)).home);
  return homes;
}

async function comeIn(herald: HeraldProcess): Promise<{ client: WsClient; home: string }> {
  const client = await connectWs(herald.publicPort);
  return { client, home: (await client.message(1)).data.toString() };
}

function countOf(homes: readonly string[], id: string): number {
  return homes.filter((home) => home === id).length;
}

describe('a fleet whose nodes register themselves', () => {
  it('gives a node that reports high load fewer connections than idle ones', async () => {
    const herald = await aHerald();
    const [hot] = await Promise.all(
      ['hot', 'idle', 'idler'].map((id) => anEchoNode(id, herald.intakeUrl, { greet })),
    );
    if (hot === undefined) throw new Error('no node');
    hot.busy = 0.9;
    await eventually(
      () => herald.nodes(),
      (nodes) => (nodes['hot']?.score ?? 0) > 0.8 && (nodes['idler']?.score ?? 1) < 0.2,
    );
    const homes = await homesOf(herald, 40);
    const most = Math.min(countOf(homes, 'idle'), countOf(homes, 'idler'));
    expect(countOf(homes, 'hot')).toBeLessThan(most / 2);
    // It recovers, and is taken back.
    hot.busy = 0;
    await eventually(
      () => herald.nodes(),
      (nodes) => (nodes['hot']?.score ?? 1) < 0.05,
    );
    expect(countOf(await homesOf(herald, 20), 'hot')).toBeGreaterThan(0);
  });

  it('places nothing more on a node whose agent stops, while its clients talk on', async () => {
    const herald = await aHerald();
    const [a] = await Promise.all(['a', 'b'].map((id) => anEchoNode(id, herald.intakeUrl, { greet })));
    await herald.eligible('a', 'b');
    const clients = await Promise.all(Array.from({ length: 10 }, () => comeIn(herald)));
    const stays = clients.find(({ home }) => home === 'a')?.client;
    expect(stays).toBeDefined();
    await a?.agent.stop();
    await herald.eligible('b');
    expect(new Set(await homesOf(herald, 10))).toEqual(new Set(['b']));
    stays?.socket.send('still here');
    expect((await stays?.message(2))?.data.toString()).toBe('still here');
  });

  it('takes a node that joins later', async () => {
    const herald = await aHerald();
    await anEchoNode('a', herald.intakeUrl, { greet });
    await herald.eligible('a');
    await homesOf(herald, 10);
    await anEchoNode('b', herald.intakeUrl, { greet });
    await herald.eligible('a', 'b');
    // Not of the first ten at any rate: what the first node has just lost may still be in its reports.
    await eventually(
      () => homesOf(herald, 10),
      (homes) => countOf(homes, 'b') > 0,
    );
  });

  it('finds its nodes again by itself after the balancer was killed, and clients come back', async () => {
    const herald = await aHerald();
    await Promise.all(['a', 'b'].map((id) => anEchoNode(id, herald.intakeUrl, { greet })));
    await herald.eligible('a', 'b');
    const { client } = await comeIn(herald);
    await herald.restart();
    expect((await client.close()).code).toBe(1006);
    await herald.eligible('a', 'b');
    expect(new Set(await homesOf(herald, 12))).toEqual(new Set(['a', 'b']));
  });
});

const nodeProgram = fileURLToPath(new URL('./fixtures/node-process.mjs', import.meta.url));

function startNodeProcess(id: string, herald: HeraldProcess): ChildProcess {
  const child = fork(nodeProgram, [id, herald.intakeUrl], { execArgv: [] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

describe('a node process that is killed', () => {
  it('has its clients closed, and new ones go elsewhere at once', async () => {
    const herald = await aHerald();
    const processes = new Map(['a', 'b'].map((id) => [id, startNodeProcess(id, herald)]));
    await herald.eligible('a', 'b');
    const clients = await Promise.all(Array.from({ length: 12 }, () => comeIn(herald)));
    const on = (id: string) => clients.filter(({ home }) => home === id).map(({ client }) => client);
    expect([on('a').length > 0, on('b').length > 0]).toEqual([true, true]);
    processes.get('a')?.kill('SIGKILL');
    const codes = await Promise.all(on('a').map(async (client) => (await client.close()).code));
    expect(new Set(codes)).toEqual(new Set([1006]));
    expect(new Set(await homesOf(herald, 10))).toEqual(new Set(['b']));
    for (const client of on('b')) client.socket.send('spared');
    for (const client of on('b')) expect((await client.message(2)).data.toString()).toBe('spared');
    const a = await eventually(
      () => herald.nodes(),
      (nodes) => nodes['a']?.connections.open === 0,
    );
    expect(a['b']?.connections.open).toBe(on('b').length + 10);
  });
});

async function aRefusingPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function aRawNode(...args: Parameters<typeof startRawNode>): Promise<RawNode> {
  const node = await startRawNode(...args);
  onTestFinished(() => node.close());
  return node;
}

const unavailable =
  'HTTP/1.1 503 Service Unavailable\r\nX-Reason: full\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfull';

describe('a pool with a node that', () => {
  /** A balancer with a static node `bad` and a good one that reports, without checks that would find the bad one. */
  async function withBad(port: number): Promise<HeraldProcess> {
    const herald = await aHerald({
      pools: { chat: { policy: 'chat', nodes: [{ id: 'bad', address: `127.0.0.1:${port}` }] } },
      policies: {
        chat: aPolicy({
          place: { picker: 'roundRobin', slowStart: '0s' },
          health: { check: 'off', passive: { errors: 0 } },
        }),
      },
      config: {
        listeners: [{ name: 'public', bind: '127.0.0.1:0', timeouts: { dial: '1s', handshake: '1s' } }],
      },
    });
    await anEchoNode('good', herald.intakeUrl, { greet });
    await herald.eligible('bad', 'good');
    return herald;
  }

  it('refuses connections lets every client in elsewhere', async () => {
    const herald = await withBad(await aRefusingPort());
    expect(await homesOf(herald, 8)).toEqual(Array.from({ length: 8 }, () => 'good'));
    expect((await herald.metrics()).get('herald_node_failures_total{pool="chat",node="bad"}')).toBe(4);
  });

  it('accepts and never answers lets every client in elsewhere', async () => {
    const bad = await aRawNode('bad', () => {});
    const herald = await withBad(bad.placed.port);
    expect(await homesOf(herald, 4)).toEqual(Array.from({ length: 4 }, () => 'good'));
    expect((await herald.metrics()).get('herald_node_failures_total{pool="chat",node="bad"}')).toBe(2);
    await eventually(
      () => bad.openSockets,
      (open) => open === 0,
    );
  });

  it('resets what it accepts lets every client in elsewhere', async () => {
    const bad = await aRawNode('bad', (socket) => socket.resetAndDestroy());
    const herald = await withBad(bad.placed.port);
    expect(await homesOf(herald, 8)).toEqual(Array.from({ length: 8 }, () => 'good'));
  });

  it('answers 503 is passed by: everybody gets in elsewhere, and it counts against the node', async () => {
    const bad = await aRawNode('bad', answering(unavailable));
    const herald = await withBad(bad.placed.port);
    const outcomes = [];
    for (let index = 0; index < 6; index += 1)
      outcomes.push(await comeIn(herald).then(({ home }) => home, String));
    expect(outcomes).toEqual(Array.from({ length: 6 }, () => 'good'));
    // Or it would be sent everybody first, since it has no load.
    const failures = (await herald.metrics()).get('herald_node_failures_total{pool="chat",node="bad"}');
    expect(failures).toBeGreaterThanOrEqual(3);
  });

  it('fails again and again is ejected by what real connections tell', async () => {
    const port = await aRefusingPort();
    const herald = await aHerald({
      pools: { chat: { policy: 'chat', nodes: [{ id: 'bad', address: `127.0.0.1:${port}` }] } },
      policies: {
        chat: aPolicy({
          place: { picker: 'roundRobin', slowStart: '0s' },
          health: { check: 'off', passive: { errors: 3, window: '10s', eject: '30s' } },
        }),
      },
    });
    await anEchoNode('good', herald.intakeUrl, { greet });
    await herald.eligible('bad', 'good');
    await homesOf(herald, 6);
    await herald.eligible('good');
    expect((await herald.nodes())['bad']?.health).toBe('down');
  });
});

describe('health checks', () => {
  it('take a node out that answers its check badly and bring it back, as status shows', async () => {
    let isWell = true;
    const herald = await aHerald({
      policies: {
        chat: aPolicy({
          health: { check: { path: '/healthz', interval: '500ms', timeout: '500ms', fall: 2, rise: 2 } },
        }),
      },
    });
    await anAgentNode('a', herald.intakeUrl, {
      handle: (_request, response) => void response.writeHead(isWell ? 200 : 500).end(),
    });
    await anAgentNode('b', herald.intakeUrl, {
      handle: (_request, response) => void response.writeHead(204).end(),
    });
    await herald.eligible('a', 'b');
    isWell = false;
    const down = await eventually(
      () => memberOf(herald, 'a'),
      (node) => node.health === 'down',
    );
    expect(down).toMatchObject({ ineligible: 'down', healthReason: 'check: /healthz answered 500' });
    expect((await herald.cli('status')).stdout).toMatch(/^a +down /m);
    isWell = true;
    await eventually(
      () => memberOf(herald, 'a'),
      (node) => node.health === 'up' && node.ineligible === null,
    );
  });

  it('take a static node in when it starts to listen', async () => {
    const port = await aRefusingPort();
    const herald = await aHerald({
      pools: { chat: { policy: 'chat', nodes: [{ id: 'late', address: `127.0.0.1:${port}` }] } },
    });
    await herald.eligible();
    await anEchoNode('late', herald.intakeUrl, { greet, port });
    await herald.eligible('late');
    expect(await homesOf(herald, 3)).toEqual(['late', 'late', 'late']);
  });
});

async function memberOf(herald: HeraldProcess, id: string): Promise<Record<string, unknown>> {
  const { stdout } = await herald.cli('status', '-o', 'json');
  // Proof of `as`: the JSON is the balancer's own (protocol/admin-api.ts).
  const { pools } = JSON.parse(stdout) as { pools: { members: Record<string, unknown>[] }[] };
  return pools[0]?.members.find((node) => node['id'] === id) ?? {};
}

describe('the public listener', () => {
  it('answers what is no HTTP by 400 and goes on', async () => {
    const herald = await aHerald();
    const socket = connect(herald.publicPort, '127.0.0.1', () => socket.write('SSH-2.0-OpenSSH_9\r\n\r\n'));
    let text = '';
    socket.on('data', (data) => (text += data.toString()));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect((await fetch(`http://127.0.0.1:${herald.publicPort}/`)).status).toBe(503);
  });
});
