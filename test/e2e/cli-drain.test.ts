// Drains as an operator begins them: the built command, a real balancer, real WebSocket clients.
import { describe, expect, it } from 'vitest';
import type { AdminStateAnswer, Operation } from '../../src/protocol/operations.ts';
import { eventually } from '../support/eventually.ts';
import { follow } from '../support/follow-command.ts';
import { heraldPath } from '../support/herald-command.ts';
import { aHerald, type HeraldProcess } from '../support/herald-process.ts';
import { aPolicy } from '../support/herald-setup.ts';
import { hasTerminals, inTerminal } from '../support/terminal.ts';
import { connectWs } from '../support/ws-client.ts';
import { anEchoNode, someClients } from '../support/ws-fleet.ts';

/** A balancer with nodes a, b and c in `chat` and one in `games`. */
async function aFleet(drain: object = {}): Promise<HeraldProcess> {
  const nodes = [];
  for (const id of ['a', 'b', 'c']) nodes.push({ id, address: `127.0.0.1:${await anEchoNode()}` });
  return aHerald({
    pools: {
      chat: { policy: 'chat', routes: [{ path: '/chat' }], nodes },
      games: {
        policy: 'chat',
        routes: [{ path: '/games' }],
        nodes: [{ id: 'g', address: `127.0.0.1:${await anEchoNode()}` }],
      },
    },
    policies: { chat: aPolicy({ health: { check: 'off' }, drain: { deadline: '60s', ...drain } }) },
  });
}

const open = async (herald: HeraldProcess, id: string) => (await herald.nodes())[id]?.connections.open ?? 0;

describe('herald drain', () => {
  it('empties a node, tells every client, and ready takes it back', async () => {
    const herald = await aFleet();
    const clients = await someClients(herald.publicPort, { count: 30, path: '/chat' });
    const before = await open(herald, 'a');
    expect(before).toBeGreaterThan(0);
    const { code, stdout, stderr } = await herald.cli('drain', 'a', '--rate', '50/s', '--why', 'kernel');
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        /^drain of a done: \d+ of \d+ connections left when asked, .* back elsewhere \(drain-/,
      ),
    ]);
    expect(stderr).toMatch(/^drain of a is under way as drain-[a-z0-9-]+, until [\d:]+ UTC$/m);
    expect(await open(herald, 'a')).toBe(0);
    expect(new Set(clients.codes)).toEqual(new Set([1012]));
    expect((await herald.cli('operations')).stdout).toMatch(/^drain-\S+ +chat +a +done +100% +0/m);
    expect((await herald.cli('ready', 'a')).stdout).toBe('a: drain → ready\n');
    expect((await herald.cli('ready', 'a')).stdout).toBe('a was ready already\n');
    const { stdout: events } = await herald.cli('events', '--type', 'operation.*', '-o', 'json');
    // Proof of `as`: the command's own JSON.
    const { events: list } = JSON.parse(events) as { events: { type: string; why: string }[] };
    expect(list.map(({ type, why }) => [type, why])).toEqual([
      ['operation.started', 'kernel'],
      ['operation.ended', 'kernel'],
    ]);
  });

  it('with -o json prints the drain as it ended', async () => {
    const herald = await aFleet();
    await someClients(herald.publicPort, { count: 9, path: '/chat' });
    const { code, stdout, stderr } = await herald.cli('drain', 'a', 'b', '--rate', '100/s', '-o', 'json');
    expect([code, stderr]).toEqual([0, '']);
    const { operation } = JSON.parse(stdout) as AdminStateAnswer;
    expect(operation).toMatchObject({
      state: 'done',
      nodes: ['a', 'b'],
      progress: { waiting: 0, leaving: 0 },
    });
  });

  it('refuses to empty the whole pool with 3, and knows unknown nodes and those of other pools', async () => {
    const herald = await aFleet();
    await someClients(herald.publicPort, { count: 12, path: '/chat' });
    const refused = await herald.cli('drain', 'a', 'b', 'c');
    expect([refused.code, refused.stdout]).toEqual([3, '']);
    expect(refused.stderr).toMatch(
      /12 would have to go; --force drains all the same \[HERALD_DRAIN_REFUSED\]\n$/,
    );
    expect((await herald.cli('drain', 'a', 'b', 'c', '-n')).code).toBe(3);
    expect((await herald.nodes())['a']?.adminState).toBe('ready');
    const unknown = await herald.cli('drain', 'aa');
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("did you mean 'a'?")]);
    expect((await herald.cli('drain', 'a', 'g')).code).toBe(2);
  });

  it('of a client that never answers ends with 5 at the deadline', async () => {
    const herald = await aFleet();
    const { socket } = await connectWs(herald.publicPort, { path: '/games' });
    socket.pause();
    const late = await herald.cli('drain', 'g', '--force', '--deadline', '1s');
    expect([late.code, late.stdout]).toEqual([
      5,
      expect.stringMatching(/^drain of g reached its deadline: /),
    ]);
  });

  it('--detach gives an id that operations shows, follows and cancels', async () => {
    const herald = await aFleet();
    await someClients(herald.publicPort, { count: 12, path: '/chat' });
    const { code, stdout } = await herald.cli('drain', 'a', '--rate', '0.1/s', '--detach');
    const id = stdout.trim();
    expect([code, id]).toEqual([0, expect.stringMatching(/^drain-[a-z0-9-]+$/)]);
    expect((await herald.cli('operations', id)).stdout).toMatch(/^state +running/m);
    const following = await follow(herald, id);
    expect((await herald.cli('operations', id, '--cancel')).stdout).toContain('cancelled by local');
    expect((await following.ended()).code).toBe(1);
  });
});

describe.skipIf(!hasTerminals)('in a terminal (skipped: there is no python3 to make one)', () => {
  it('a drain draws one line of progress, and Ctrl-C leaves the drain alone', async () => {
    const herald = await aFleet();
    await someClients(herald.publicPort, { count: 30, path: '/chat' });
    const command = [process.execPath, heraldPath, 'drain', 'a', '--rate', '2/s', '-s', herald.socketPath];
    const run = await inTerminal(command, {
      size: [80, 12],
      steps: [{ until: String.raw`[1-9]\d*% .* left .* back .*/s`, keep: 'progress', send: '\u0003' }],
      env: { NO_COLOR: '1' },
    });
    expect([run.code, run.left]).toEqual([130, []]);
    const progress = run.kept['progress'] ?? [];
    expect(progress.filter((line) => /^drain a {2}/.test(line))).toHaveLength(1);
    for (const line of run.last) expect(line.length).toBeLessThanOrEqual(80);
    expect(run.last.join('\n')).toMatch(/the drain goes on without this command\n {2}follow it: .*--wait\n/);
    const list = await herald.admin<{ operations: Operation[] }>('/v1/operations');
    expect(list.operations[0]?.state).toBe('running');
    await eventually(
      () => open(herald, 'a'),
      (count) => count === 0,
    );
  });
});
