// Whole balancers on one Redis: `herald serve` as it is run, with real nodes, agents and clients.
import { describe, expect, it } from 'vitest';
import type { PeersAnswer } from '../../src/protocol/peering.ts';
import { anEchoNode } from '../support/agent-node.ts';
import { eventually } from '../support/eventually.ts';
import { aHerald, type HeraldProcess } from '../support/herald-process.ts';
import { lacksRedis, startRedis, type RedisServer } from '../support/redis-server.ts';
import { someClients } from '../support/ws-fleet.ts';

const limitMs = 30_000;

function aPeer(redis: RedisServer, peer: string): Promise<HeraldProcess> {
  return aHerald({ config: { state: { kind: 'redis', url: `redis://127.0.0.1:${redis.port}`, peer } } });
}

async function aPair(): Promise<{ redis: RedisServer; one: HeraldProcess; two: HeraldProcess }> {
  const redis = await startRedis();
  const one = await aPeer(redis, 'lb-1');
  const two = await aPeer(redis, 'lb-2');
  for (const each of [one, two])
    await eventually(
      () => peersOf(each),
      ({ peers }) => peers.length === 1,
      limitMs,
    );
  return { redis, one, two };
}

const peersOf = (herald: HeraldProcess) => herald.admin<PeersAnswer>('/v1/peers');

async function adminStates(herald: HeraldProcess): Promise<Record<string, string>> {
  const nodes = await herald.nodes();
  return Object.fromEntries(Object.entries(nodes).map(([id, { adminState }]) => [id, adminState]));
}

describe.skipIf(lacksRedis)('a balancer on Redis', () => {
  it('is called as the environment says, and comes with a new password once the file has it', async () => {
    const redis = await startRedis();
    const rights = ['~{herald}:*', '&{herald}:*', '+@all'];
    await redis.ask('ACL', 'SETUSER', 'herald', 'on', '>first', ...rights);
    const url = `redis://127.0.0.1:${redis.port}`;
    const herald = await aHerald({
      config: { state: { kind: 'redis', url, username: 'herald', passwordFile: 'password' } },
      files: { password: 'first\n' },
      env: { HERALD_STATE_PEER: 'herald-7d9f8b6c5d-x2x4z' },
    });
    expect(await peersOf(herald)).toMatchObject({ self: 'herald-7d9f8b6c5d-x2x4z' });
    await redis.ask('ACL', 'SETUSER', 'herald', '>second');
    herald.write('password', 'second\n');
    await herald.logged('configuration reloaded');
    await redis.ask('ACL', 'SETUSER', 'herald', '<first');
    await redis.ask('CLIENT', 'KILL', 'USER', 'herald');
    await herald.logged('What peers share is in reach again.');
    expect((await peersOf(herald)).link.state).toBe('connected');
    const logged = JSON.stringify(herald.logs);
    expect(logged).not.toContain('WRONGPASS');
    expect(logged).not.toContain('with a restart only');
  });
});

describe.skipIf(lacksRedis)('two balancers on one Redis', () => {
  it('place by each other’s reports and connections, and drain together', async () => {
    const { one, two } = await aPair();
    // Agents report to the first one only, and clients come to the second one only.
    const nodes = await Promise.all(['a', 'b'].map((id) => anEchoNode(id, one.intakeUrl)));
    for (const node of nodes) node.busy = node.id === 'a' ? 0.9 : 0.1;
    await two.eligible('a', 'b');
    await eventually(
      () => two.nodes(),
      ({ a, b }) => a?.share === 0 && b?.share === 1,
      limitMs,
    );
    await someClients(two.publicPort, { count: 6, path: '/' });
    const shared = await eventually(
      () => peersOf(one),
      ({ peers }) => peers[0]?.connections === 6,
      limitMs,
    );
    expect((await two.nodes())['b']?.connections.open).toBe(6);
    expect(shared).toMatchObject({ self: 'lb-1', link: { state: 'connected' } });
    const status = await one.cli('status');
    expect(status.stdout).toMatch(
      /^balancer lb-1 · peers lb-2 \(6\) · (?:leads|led by lb-2) · link connected/,
    );
    for (const node of nodes) node.busy = 0.1;
    // The command is over when the node is empty, and all that it has are connections of the other balancer.
    const drain = await one.cli('drain', 'b', '--force');
    expect([drain.code, drain.stderr]).toEqual([0, expect.any(String)]);
    const after = await two.nodes();
    expect(after['b']).toMatchObject({ adminState: 'drain', connections: { open: 0 } });
    const samples = await two.metrics();
    expect(samples.get('herald_peers{}')).toBe(1);
    expect(samples.get('herald_link_state{state="connected"}')).toBe(1);
  });

  it('go on placing when Redis is killed, and agree again when it is back', async () => {
    const { redis, one, two } = await aPair();
    await anEchoNode('a', one.intakeUrl);
    await two.eligible('a');
    await redis.kill();
    for (const each of [one, two])
      await eventually(
        () => peersOf(each),
        ({ link }) => link.state === 'degraded',
        limitMs,
      );
    await someClients(one.publicPort, { count: 2, path: '/' });
    await someClients(two.publicPort, { count: 2, path: '/' });
    expect((await one.cli('maint', 'a')).code).toBe(0);
    await redis.restart();
    await eventually(
      () => adminStates(two),
      ({ a }) => a === 'maint',
      limitMs,
    );
    await eventually(
      () => peersOf(one),
      ({ link, unsaidWishes, peers }) =>
        link.state === 'connected' && unsaidWishes === 0 && peers[0]?.connections === 2,
      limitMs,
    );
  });

  it('one that is killed takes its counts with it, and the other leads', async () => {
    const { one, two } = await aPair();
    await anEchoNode('a', two.intakeUrl);
    await one.eligible('a');
    await someClients(one.publicPort, { count: 3, path: '/' });
    await eventually(
      () => peersOf(two),
      ({ peers }) => peers[0]?.connections === 3,
      limitMs,
    );
    one.signal('SIGKILL');
    const alone = await eventually(
      () => peersOf(two),
      ({ peers, isLeader }) => peers.length === 0 && isLeader,
      limitMs,
    );
    expect(alone.link.state).toBe('connected');
    const told = two.logs.map(({ type }) => type);
    expect(told).toContain('peer.left');
  });
});
