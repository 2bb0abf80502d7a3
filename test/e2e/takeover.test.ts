// A balancer is replaced by a new process while clients talk through it: nobody may notice.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NodeDetail } from '../../src/protocol/admin-api.ts';
import { aConfig } from '../support/herald-setup.ts';
import { eventually } from '../support/eventually.ts';
import {
  aKnocker,
  aReplaceableHerald,
  gone,
  kill,
  knockOverHttp,
  knockOverWebSocket,
  servingPids,
  someTalkers,
  takeOver,
  takeoverView,
} from '../support/takeover-house.ts';
import { aManager } from '../support/service-manager.ts';
import { connectWs } from '../support/ws-client.ts';
import { anEchoNode } from '../support/ws-fleet.ts';

/** A pool of one node that echoes. */
async function onePool(): Promise<object> {
  return { chat: { policy: 'chat', nodes: [{ id: 'a', address: `127.0.0.1:${await anEchoNode()}` }] } };
}

/** All that a node has, whichever process relays it. */
function countOf(node: NodeDetail | undefined): number | undefined {
  return node && node.connections.open + node.connections.dialling + node.connections.earlier;
}

describe('a takeover', () => {
  for (const form of ['fast', 'plain']) {
    it(`of a balancer of form ${form} under load closes nobody, loses no byte and refuses no connection`, async () => {
      const herald = await aReplaceableHerald({
        pools: await onePool(),
        config: { relay: { form } },
      });
      await herald.eligible('a');
      const talkers = await someTalkers(herald.publicPort, 100);
      const knockers = [
        aKnocker(() => knockOverWebSocket(herald.publicPort)),
        aKnocker(() => knockOverHttp({ port: herald.intakePort })),
        aKnocker(() => knockOverHttp({ socketPath: herald.socketPath })),
      ];
      await talkers.heardMore(5);
      const before = knockers.map(({ tries }) => tries());
      const pid = await takeOver(herald);
      const after = knockers.map(({ tries }) => tries());
      await talkers.heardMore(5);
      expect(pid).not.toBe(herald.pid);
      expect(kill(herald.pid, 0)).toBe(true);
      // Each tried in the time that the takeover took.
      before.forEach((tries, index) => expect(after[index]).toBeGreaterThan(tries));
      await Promise.all(knockers.map(({ stop }) => stop()));
      expect(knockers.flatMap(({ refusals }) => refusals)).toEqual([]);
      expect(talkers.complaints).toEqual([]);
      await eventually(
        () => takeoverView(herald),
        ({ generation, earlier }) => generation === 2 && earlier[0]?.connections === 100,
      );
      expect((await herald.cli('status')).stdout).toContain('100 connections still relayed by an earlier');
      // Placement sees what the node really has, and the old process is in the metrics of the new one.
      await eventually(herald.nodes, ({ a }) => countOf(a) === 100);
      const metrics = await herald.metrics();
      expect(metrics.get('herald_earlier_connections{}')).toBe(100);
      expect(metrics.get('herald_takeovers_total{outcome="done"}')).toBe(1);
      expect(metrics.get('herald_generation{}')).toBe(2);
      await talkers.leave();
      await gone(herald.pid);
      expect(talkers.complaints).toEqual([]);
      await eventually(
        () => takeoverView(herald),
        ({ earlier }) => earlier.length === 0,
      );
      await eventually(herald.nodes, ({ a }) => countOf(a) === 0);
      await knockOverWebSocket(herald.publicPort);
    });
  }

  it('can follow another while the first old process still relays, and all are counted', async () => {
    const herald = await aReplaceableHerald({ pools: await onePool() });
    await herald.eligible('a');
    const first = await someTalkers(herald.publicPort, 3);
    const secondPid = await takeOver(herald);
    await herald.eligible('a');
    const second = await someTalkers(herald.publicPort, 4);
    await takeOver(herald);
    await herald.eligible('a');
    const third = await someTalkers(herald.publicPort, 5);
    await eventually(herald.nodes, ({ a }) => countOf(a) === 12);
    const { earlier } = await takeoverView(herald);
    expect(earlier.map(({ generation, connections }) => [generation, connections])).toEqual([
      [1, 3],
      [2, 4],
    ]);
    // The middle one passes the first one's counts on, so it stays as long as that one does.
    await second.leave();
    await eventually(herald.nodes, ({ a }) => countOf(a) === 8);
    expect(kill(secondPid, 0)).toBe(true);
    await first.heardMore(2);
    await first.leave();
    await gone(herald.pid);
    await gone(secondPid);
    await eventually(herald.nodes, ({ a }) => countOf(a) === 5);
    expect([...first.complaints, ...second.complaints, ...third.complaints]).toEqual([]);
  });

  it('whose new process finds a broken configuration fails with the reason, and nothing has happened', async () => {
    const herald = await aReplaceableHerald({ pools: await onePool() });
    await herald.eligible('a');
    const talkers = await someTalkers(herald.publicPort, 3);
    const sound = readFileSync(join(herald.folder, 'herald.yaml'), 'utf8');
    herald.write('herald.yaml', 'apiVersion: herald/v1\nkind: Config\nlistenerz: []\n');
    const { code, stdout, stderr } = await herald.cli('serve', '--takeover', '--socket', herald.socketPath);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('listenerz');
    expect(stderr).toContain('[HERALD_TAKEOVER_FAILED]');
    await talkers.heardMore(2);
    expect(talkers.complaints).toEqual([]);
    expect(servingPids(herald)).toEqual([herald.pid]);
    await knockOverWebSocket(herald.publicPort);
    expect((await takeoverView(herald)).generation).toBe(1);
    expect((await herald.metrics()).get('herald_takeovers_total{outcome="failed"}')).toBe(1);
    herald.write('herald.yaml', sound);
    await takeOver(herald);
    await talkers.heardMore(2);
    expect(talkers.complaints).toEqual([]);
  });

  it('whose new process cannot bind an address of its own leaves everything as it was', async () => {
    const other = await aReplaceableHerald();
    const pools = await onePool();
    const herald = await aReplaceableHerald({ pools });
    await herald.eligible('a');
    const talkers = await someTalkers(herald.publicPort, 3);
    const taken = { name: 'more', bind: `127.0.0.1:${other.publicPort}` };
    const listeners = [{ name: 'public', bind: '127.0.0.1:0' }, taken];
    herald.write('herald.yaml', aConfig({ pools, listeners }));
    const { code, stderr } = await herald.cli('serve', '--takeover');
    expect(code).toBe(1);
    expect(stderr).toContain(String(other.publicPort));
    // The admin socket's file is still there, and changes are taken again.
    expect((await herald.cli('maint', 'a')).code).toBe(0);
    expect((await herald.cli('ready', 'a')).code).toBe(0);
    await talkers.heardMore(2);
    expect(talkers.complaints).toEqual([]);
    expect(kill(herald.pid, 0)).toBe(true);
  });

  it('is given up when the old process is told to end: its clients hear a goodbye, and no process is left', async () => {
    const herald = await aReplaceableHerald({ pools: await onePool(), graceSeconds: 5 });
    await herald.eligible('a');
    const client = await connectWs(herald.publicPort);
    herald.signal('SIGUSR2');
    await herald.logged('A new process is being started to take over.');
    herald.signal('SIGTERM');
    expect((await client.close()).code).toBe(1012);
    expect((await herald.ended()).code).toBe(0);
    expect(servingPids(herald)).toEqual([herald.pid]);
    await expect(knockOverWebSocket(herald.publicPort)).rejects.toThrow('ECONNREFUSED');
  });

  it('asked for by SIGUSR2 keeps what operators want; a later drain empties the old process, too', async () => {
    const [a, b] = [await anEchoNode(), await anEchoNode()];
    const nodes = [
      { id: 'a', address: `127.0.0.1:${a}` },
      { id: 'b', address: `127.0.0.1:${b}` },
    ];
    const herald = await aReplaceableHerald({ pools: { chat: { policy: 'chat', nodes } } });
    await herald.eligible('a', 'b');
    expect((await herald.cli('maint', 'b')).code).toBe(0);
    const clients = await Promise.all([1, 2, 3].map(() => connectWs(herald.publicPort)));
    herald.signal('SIGUSR2');
    await herald.logged('handed over');
    await eventually(
      () => takeoverView(herald).catch(() => undefined),
      (view) => view?.generation === 2 && view.earlier[0]?.connections === 3,
    );
    expect((await herald.nodes())['b']?.adminState).toBe('maint');
    expect((await herald.cli('ready', 'b')).code).toBe(0);
    await herald.eligible('a', 'b');
    const drained = await herald.cli('drain', 'a', '--deadline', '10s', '--force');
    expect(drained.code).toBe(0);
    for (const client of clients) expect((await client.close()).code).toBe(1012);
    await gone(herald.pid);
    await eventually(herald.nodes, ({ a }) => countOf(a) === 0);
  });

  it('goes on without the old process when that one is killed in the middle', async () => {
    const herald = await aReplaceableHerald({ pools: await onePool() });
    await herald.eligible('a');
    const from = herald.logs.length;
    herald.signal('SIGUSR2');
    // The new process is there, and has not asked for the state yet.
    await herald.logged('node added', from);
    herald.signal('SIGKILL');
    await gone(herald.pid);
    await herald.logged('serving', from);
    await herald.eligible('a');
    await knockOverWebSocket(herald.publicPort);
    expect(await takeoverView(herald)).toMatchObject({ generation: 2, earlier: [] });
    // The socket's file is the new one's now, also to remove.
    const [, pid = 0] = servingPids(herald);
    kill(pid, 'SIGTERM');
    await gone(pid);
    expect(existsSync(herald.socketPath)).toBe(false);
  });

  it('tells systemd which process the service is, and the old one says nothing more', async () => {
    const { env, states } = await aManager();
    const herald = await aReplaceableHerald({ pools: await onePool(), env });
    await eventually(states, (text) => text.includes(String(herald.pid)) && text.includes('READY=1'));
    const pid = await takeOver(herald);
    await gone(herald.pid);
    expect(states()).toContain(String(pid));
    expect(states()).not.toContain('STOPPING=1');
  });

  it('ends what the old process still relays when its time is over, as SIGTERM does', async () => {
    const config = { takeover: { relayFor: '1s' } };
    const herald = await aReplaceableHerald({ pools: await onePool(), config, graceSeconds: 5 });
    await herald.eligible('a');
    const client = await connectWs(herald.publicPort);
    await takeOver(herald);
    expect((await client.close()).code).toBe(1012);
    await gone(herald.pid);
    await knockOverWebSocket(herald.publicPort);
  });
});
