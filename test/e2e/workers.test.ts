// Workers as operators and clients meet them: the built balancer with processes of its own that relay.
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { WorkersAnswer } from '../../src/protocol/workers.ts';
import { eventually } from '../support/eventually.ts';
import { runCommand } from '../support/herald-command.ts';
import { aHerald, type HeraldProcess } from '../support/herald-process.ts';
import { aPolicy, writeSetup, type HeraldSetup } from '../support/herald-setup.ts';
import { aReplaceableHerald, gone, kill, someTalkers, takeOver } from '../support/takeover-house.ts';
import { connectWs } from '../support/ws-client.ts';
import { anEchoNode, someClients } from '../support/ws-fleet.ts';

const policies = {
  chat: aPolicy({ health: { check: 'off' }, place: { slowStart: '0s', maxShare: '100%' } }),
};

async function twoWorkers(setup: HeraldSetup = {}): Promise<HeraldProcess> {
  const nodes = [];
  for (const id of ['a', 'b']) nodes.push({ id, address: `127.0.0.1:${await anEchoNode()}` });
  const herald = await aReplaceableHerald({
    pools: { chat: { policy: 'chat', nodes } },
    policies,
    ...setup,
    config: { workers: 2, ...setup.config },
  });
  await herald.eligible('a', 'b');
  return herald;
}

async function workersOf(herald: HeraldProcess): Promise<WorkersAnswer['workers']> {
  return (await herald.admin<WorkersAnswer>('/v1/workers')).workers;
}

/** Connects until both workers have some. */
async function someOnBoth(herald: HeraldProcess): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    await someClients(herald.publicPort, { count: 10, path: '/' });
    await eventually(
      () => openOf(herald),
      (open) => open === (round + 1) * 10,
    );
    const workers = await workersOf(herald);
    if (workers.every(({ connections }) => connections >= 5)) return;
  }
  throw new Error(`one worker takes them all: ${JSON.stringify(await workersOf(herald))}`);
}

async function openOf(herald: HeraldProcess): Promise<number> {
  const nodes = await herald.nodes();
  return Object.values(nodes).reduce((sum, { connections }) => sum + connections.open, 0);
}

describe('a balancer with workers', () => {
  it('relays in them, and shows the sum of what they have', async () => {
    const herald = await twoWorkers();
    const talkers = await someTalkers(herald.publicPort, 40);
    await talkers.heardMore(5);
    await eventually(
      () => openOf(herald),
      (open) => open === 40,
    );
    const workers = await workersOf(herald);
    expect(workers.map(({ state, restarts }) => [state, restarts])).toEqual([
      ['serving', 0],
      ['serving', 0],
    ]);
    expect(workers.reduce((sum, { connections }) => sum + connections, 0)).toBe(40);
    expect(workers.every(({ pid }) => pid !== herald.pid && kill(pid, 0))).toBe(true);
    expect((await herald.cli('status', '-o', 'wide')).stdout).toMatch(
      /^workers 2 · connections \d+ \/ \d+$/m,
    );
    // All is well, so that it is no news.
    expect((await herald.cli('status')).stdout).not.toContain('workers');
    await talkers.leave();
    await eventually(herald.metrics, (metrics) => {
      const sum = (start: string) =>
        [...metrics]
          .filter(([name]) => name.startsWith(start))
          .reduce((total, [, value]) => total + value, 0);
      return (
        sum('herald_placements_total') === 40 &&
        sum('herald_relay_ends_total') === 40 &&
        sum('herald_messages_total') >= 40 * 10 &&
        sum('herald_connections') === 0 &&
        sum('herald_worker_connections') === 0 &&
        metrics.get('herald_workers{state="serving"}') === 2
      );
    });
    expect(talkers.complaints).toEqual([]);
  });

  it('loses only what was in a worker that dies, and replaces it', async () => {
    const herald = await twoWorkers();
    await someOnBoth(herald);
    const [first, second] = await workersOf(herald);
    const before = await openOf(herald);
    kill(first?.pid ?? 0, 'SIGKILL');
    await herald.logged(
      `Worker 1 was ended by SIGKILL; ${first?.connections} connections have ended with it.`,
    );
    await eventually(
      () => workersOf(herald),
      ([one, two]) => one?.state === 'serving' && one.restarts === 1 && two?.pid === second?.pid,
    );
    // Who was cut off comes back; nobody else has left, and nothing is counted twice.
    await eventually(
      () => openOf(herald),
      (open) => open === before,
    );
    const [, two] = await workersOf(herald);
    expect(two?.connections).toBeGreaterThanOrEqual(second?.connections ?? Infinity);
    expect((await herald.cli('status')).stdout).toMatch(
      /^workers 2 · connections \d+, replaced once \/ \d+$/m,
    );
    const metrics = await herald.metrics();
    expect(metrics.get('herald_worker_restarts_total{worker="1"}')).toBe(1);
  });

  it('empties a node whose connections are in several workers', async () => {
    const herald = await twoWorkers();
    await someOnBoth(herald);
    const here = (await herald.nodes())['a']?.connections.open ?? 0;
    expect(here).toBeGreaterThan(0);
    const { code, stdout } = await herald.cli('drain', 'a', '--force', '--deadline', '20s');
    expect(stdout).toContain(`drain of a done: ${here} of ${here} connections left when asked`);
    expect(code).toBe(0);
    expect((await herald.nodes())['a']?.connections.open).toBe(0);
    const metrics = await herald.metrics();
    const closed = 'herald_goodbyes_total{pool="chat",node="a",kind="websocket",outcome="closed"}';
    expect(metrics.get(closed)).toBe(here);
  });

  it('takes new nodes over while it runs', async () => {
    const herald = await twoWorkers();
    const nodes = [{ id: 'c', address: `127.0.0.1:${await anEchoNode()}` }];
    const written = await import('../support/herald-setup.ts');
    herald.write('herald.yaml', written.aConfig({ workers: 2, pools: { chat: { policy: 'chat', nodes } } }));
    await herald.eligible('c');
    await someClients(herald.publicPort, { count: 4, path: '/' });
    await eventually(herald.nodes, ({ c }) => c?.connections.open === 4);
  });

  it('is replaced without anybody noticing', async () => {
    const herald = await twoWorkers();
    const talkers = await someTalkers(herald.publicPort, 30);
    await talkers.heardMore(5);
    const old = await workersOf(herald);
    await takeOver(herald);
    await talkers.heardMore(5);
    const next = await workersOf(herald);
    expect(next.map(({ pid }) => pid)).not.toEqual(old.map(({ pid }) => pid));
    expect((await herald.cli('status')).stdout).toContain('30 connections still relayed by an earlier');
    await talkers.leave();
    await gone(herald.pid);
    for (const { pid } of old) await gone(pid);
    expect(talkers.complaints).toEqual([]);
  });

  it('asks everybody to leave when it is told to stop, and leaves no process behind', async () => {
    const herald = await twoWorkers({ graceSeconds: 10 });
    const client = await connectWs(herald.publicPort);
    const workers = await workersOf(herald);
    const { code } = await herald.stop();
    expect(code).toBe(0);
    expect((await client.close()).code).toBe(1012);
    expect(herald.logs.find(({ msg }) => msg === 'stopped')).toMatchObject({ closed: 1, cut: 0 });
    for (const { pid } of workers) await gone(pid);
  });

  it('that is killed leaves its clients to workers that take their leave, and its ports to the next', async () => {
    const herald = await twoWorkers();
    const client = await connectWs(herald.publicPort);
    const workers = await workersOf(herald);
    await herald.restart({ signal: 'SIGKILL' });
    expect((await client.close()).code).toBe(1012);
    for (const { pid } of workers) await gone(pid);
    await connectWs(herald.publicPort);
  });

  it('says in one line that a port is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const folder = writeSetup({
      config: { workers: 2, listeners: [{ name: 'public', bind: `127.0.0.1:${port}` }] },
    });
    const { code, stderr } = await runCommand(['serve', '-c', `${folder}/herald.yaml`]);
    taken.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`^herald: cannot listen on 127.0.0.1 port ${port}: .*EADDRINUSE.*HERALD_LISTEN_FAILED`, 'm'),
    );
  });
});

describe('workers', () => {
  it.each([
    ['-1', '-1 is no number of workers (a whole number from 0 to 64, or auto)'],
    ['65', '65 is no number of workers'],
    ['1.5', '1.5 is no number of workers'],
    ['many', "'many' is no number of workers"],
  ])('of %s are refused', async (value, complaint) => {
    const folder = writeSetup({
      env: {},
      config: { workers: Number.isNaN(Number(value)) ? value : Number(value) },
    });
    const { code, stderr } = await runCommand(['serve', '-c', `${folder}/herald.yaml`]);
    expect(code).toBe(1);
    expect(stderr).toContain('herald.yaml:');
    expect(stderr.replaceAll('"', "'")).toContain(complaint);
  });

  it('of HERALD_WORKERS stand above the file', async () => {
    const herald = await aHerald({ env: { HERALD_WORKERS: '1' } });
    expect(await workersOf(herald)).toHaveLength(1);
  });
});
