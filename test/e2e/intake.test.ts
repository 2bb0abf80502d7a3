// The intake of the built balancer: who may report what, and what probes and scrapers see while traffic flows.
import { describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../src/agent/agent.ts';
import { anEchoNode } from '../support/agent-node.ts';
import { eventually } from '../support/eventually.ts';
import { aHerald, type HeraldProcess } from '../support/herald-process.ts';
import { type HeraldSetup } from '../support/herald-setup.ts';
import { until } from '../support/until.ts';
import { connectWs } from '../support/ws-client.ts';

const secrets = {
  fleet: 'fleet-secret-0123456789',
  games: 'games-secret-0123456789',
  viewer: 'viewer-secret-0123456789',
};

const withTokens: HeraldSetup = {
  pools: {
    chat: { policy: 'chat', routes: [{ path: '/' }] },
    games: { policy: 'chat', routes: [{ path: '/games' }] },
  },
  files: Object.fromEntries(
    Object.entries(secrets).map(([name, secret]) => [`secrets/${name}`, `${secret}\n`]),
  ),
  config: {
    intake: {
      bind: '127.0.0.1:0',
      register: { from: ['127.0.0.0/8'] },
      tokens: [
        { name: 'fleet', role: 'report', tokenFile: './secrets/fleet' },
        { name: 'games', role: 'report', pools: ['games'], tokenFile: './secrets/games' },
        { name: 'viewer', role: 'read', tokenFile: './secrets/viewer' },
      ],
    },
  },
};

/** What an agent with these options hears first from its balancer: `reporting`, or the code of the refusal. */
async function firstWord(
  herald: HeraldProcess,
  id: string,
  agent: { token?: string; pool?: string },
): Promise<string> {
  const words: string[] = [];
  const onEvent = (event: AgentEvent) => {
    if (event.type === 'reporting') words.push('reporting');
    if (event.type === 'failing') words.push(event.failure.code);
  };
  const node = await anEchoNode(id, herald.intakeUrl, { agent: { ...agent, onEvent } });
  await until(
    () => words.length > 0,
    () => `nothing heard by ${id}`,
  );
  await node.close();
  return words[0] ?? '';
}

describe('the intake', () => {
  it('believes tokens by role and pool, and tells the agent what is wrong', async () => {
    const herald = await aHerald(withTokens);
    expect(await firstWord(herald, 'a', { token: secrets.fleet })).toBe('reporting');
    expect(await firstWord(herald, 'b', { token: secrets.games, pool: 'games' })).toBe('reporting');
    expect(await firstWord(herald, 'c', { token: secrets.games })).toBe('HERALD_REPORT_NOT_ALLOWED');
    expect(await firstWord(herald, 'd', { token: secrets.viewer })).toBe('HERALD_REPORT_NOT_ALLOWED');
    expect(await firstWord(herald, 'e', { token: 'not-a-token-of-ours' })).toBe('HERALD_TOKEN_INVALID');
    expect(await firstWord(herald, 'f', { token: secrets.fleet, pool: 'chta' })).toBe('HERALD_POOL_UNKNOWN');
    const metrics = await herald.metrics();
    expect(metrics.get('herald_reports_total{outcome="HERALD_TOKEN_INVALID"}')).toBeGreaterThanOrEqual(1);
    const text = JSON.stringify(herald.logs) + JSON.stringify([...metrics.keys()]);
    for (const secret of Object.values(secrets)) expect(text).not.toContain(secret);
  });

  it('registers nobody where the configuration does not allow it, but hears the nodes that it names', async () => {
    const herald = await aHerald({
      pools: { chat: { policy: 'chat', nodes: [{ id: 'named', address: '127.0.0.1:9' }] } },
      config: { intake: { bind: '127.0.0.1:0' } },
    });
    expect(await firstWord(herald, 'stranger', {})).toBe('HERALD_REPORT_NOT_ALLOWED');
    const node = await anEchoNode('named', herald.intakeUrl, { agent: { address: undefined } });
    node.busy = 0.5;
    await eventually(
      () => herald.nodes(),
      (nodes) => (nodes['named']?.utilization ?? 0) > 0.4,
    );
    expect(Object.keys(await herald.nodes())).toEqual(['named']);
  });

  it('registers a node at the source of its report where it tells a port alone', async () => {
    const herald = await aHerald();
    const node = await anEchoNode('by-port', herald.intakeUrl, { agent: { address: undefined, port: 9 } });
    await eventually(
      () => herald.nodes(),
      (nodes) => nodes['by-port']?.address === '127.0.0.1:9',
    );
    await node.close();
  });
});

describe('probes and metrics', () => {
  it('become ready with the first node, and unready without', async () => {
    const herald = await aHerald();
    expect((await fetch(`${herald.intakeUrl}/healthz`)).status).toBe(200);
    const before = await fetch(`${herald.intakeUrl}/readyz`);
    expect([before.status, await before.json()]).toEqual([
      503,
      expect.objectContaining({ ready: false, poolsWithoutNode: ['chat'] }),
    ]);
    const node = await anEchoNode('a', herald.intakeUrl);
    await eventually(
      () => fetch(`${herald.intakeUrl}/readyz`),
      ({ status }) => status === 200,
    );
    await node.close();
    await eventually(
      () => fetch(`${herald.intakeUrl}/readyz`),
      ({ status }) => status === 503,
    );
  });

  it('count connections, messages and bytes while traffic flows, and no connection afterwards', async () => {
    const herald = await aHerald();
    await Promise.all(['a', 'b'].map((id) => anEchoNode(id, herald.intakeUrl)));
    await herald.eligible('a', 'b');
    const clients = [];
    for (let index = 0; index < 10; index += 1) clients.push(await connectWs(herald.publicPort));
    const total = async (name: string, more = '') => {
      const metrics = await herald.metrics();
      const values = ['a', 'b'].map((id) => metrics.get(`${name}{pool="chat",node="${id}"${more}}`) ?? 0);
      return values.reduce((sum, value) => sum + value, 0);
    };
    expect(await total('herald_connections', ',kind="open"')).toBe(10);
    for (const { socket } of clients) for (let index = 0; index < 5; index += 1) socket.send('0123456789');
    for (const client of clients) await client.message(5);
    for (const direction of ['toNode', 'toClient']) {
      const more = `,direction="${direction}"`;
      expect(await total('herald_messages_total', more)).toBe(50);
      // A frame to a node has a mask of four bytes.
      expect(await total('herald_bytes_total', more)).toBe(50 * (direction === 'toNode' ? 16 : 12));
    }
    expect(await total('herald_placements_total')).toBe(10);
    expect(await total('herald_node_share')).toBeCloseTo(1);
    const metrics = await herald.metrics();
    expect(metrics.get('herald_node_signal{pool="chat",node="a",signal="busy"}')).toBeCloseTo(0.1);
    // Each node is eligible by its first report; more come when they come.
    expect(metrics.get('herald_reports_total{outcome="accepted"}')).toBeGreaterThanOrEqual(2);
    expect((await fetch(`${herald.intakeUrl}/healthz`)).status).toBe(200);
    for (const { socket } of clients) socket.close(1000);
    await eventually(
      () => total('herald_connections', ',kind="open"'),
      (open) => open === 0,
    );
    expect(await total('herald_connections', ',kind="dialling"')).toBe(0);
  });
});
