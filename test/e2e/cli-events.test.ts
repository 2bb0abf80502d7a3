// `herald events` against a real balancer: where it ends by itself, and what it outlives.
import { describe, expect, it } from 'vitest';
import { runCommand, startCommand } from '../support/herald-command.ts';
import { aHerald, type HeraldProcess } from '../support/herald-process.ts';
import { aPolicy } from '../support/herald-setup.ts';
import { until } from '../support/until.ts';

const aFleet = () =>
  aHerald({
    pools: {
      chat: { policy: 'chat', routes: [{ path: '/' }], nodes: [{ id: 'a', address: '127.0.0.1:9' }] },
    },
    // One node is enough: a recommendation would be an event some seconds after the start, between any two commands.
    policies: { chat: aPolicy({ health: { check: 'off' }, scale: { min: 1 } }) },
  });

describe('herald events', () => {
  it('of a balancer where nothing has happened says so and ends', async () => {
    const herald = await aHerald();
    const none = await herald.cli('events');
    expect(none).toMatchObject({ code: 0, stdout: '', stderr: 'no events: nothing has happened yet\n' });
    const json = await herald.cli('events', '-o', 'json');
    expect([json.code, json.stderr, JSON.parse(json.stdout)]).toEqual([0, '', { events: [] }]);
    const yaml = await herald.cli('events', '-o', 'yaml');
    expect([yaml.code, yaml.stderr, yaml.stdout]).toEqual([0, '', 'events: []\n']);
  });

  it('prints what is kept and ends, also behind the last one and with a filter that nothing passes', async () => {
    const herald = await aFleet();
    await herald.cli('freeze', 'chat', '--why', 'test');
    const all = await herald.cli('events');
    expect([all.code, all.stderr]).toEqual([0, '']);
    expect(all.stdout).toMatch(/ {2}freeze\.began {2}chat {2}.* \(local: test\)$/m);
    const { stdout } = await herald.cli('events', '-o', 'json');
    // Proof of `as`: the command's own JSON.
    const lastId = (JSON.parse(stdout) as { events: { id: number }[] }).events.at(-1)?.id;
    const none = { code: 0, stdout: '', stderr: 'no event that is kept is one of these\n' };
    expect(await herald.cli('events', '--since', String(lastId))).toMatchObject(none);
    expect(await herald.cli('events', '--type', 'rebalance.*')).toMatchObject(none);
    const unknown = await herald.cli('events', '--pool', 'cht');
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("did you mean 'chat'?")]);
  });

  it('without a balancer ends with 4, with --follow as well', async () => {
    for (const more of [[], ['--follow']]) {
      const { code, stdout, stderr } = await runCommand(['events', '-s', '/nowhere/h.sock', ...more]);
      expect([code, stdout]).toEqual([4, '']);
      expect(stderr).toMatch(/^herald: no balancer listens at \/nowhere\/h\.sock: .*\n$/);
    }
  });
});

describe('herald events --follow', () => {
  const follow = (herald: HeraldProcess) =>
    startCommand(['events', '--follow', '-o', 'json', '--since', '0'], {
      env: { HERALD_SOCKET: herald.socketPath },
    });

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'goes on over a restart by %s, says so, and misses nothing of the new balancer',
    async (signal) => {
      const herald = await aFleet();
      const run = follow(herald);
      const told = (type: string) =>
        run.stdout.split('\n').filter((line) => line.includes(`"type":"${type}"`)).length;
      const untilTold = (type: string, count: number) =>
        until(
          () => told(type) >= count,
          () => run.stdout + run.stderr,
          20_000,
        );
      await untilTold('node.added', 1);
      await herald.restart({ signal });
      await untilTold('node.added', 2);
      await herald.cli('freeze', 'chat', '--why', 'restarted');
      await untilTold('freeze.began', 1);
      run.child.kill('SIGINT');
      const { code, stdout, stderr } = await run.ended();
      expect([code, told('freeze.began')]).toEqual([0, 1]);
      for (const line of stdout.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('type');
      const lines = stderr.trimEnd().split('\n');
      const ended = signal === 'SIGTERM' ? ['the stream ends: the balancer stops'] : [];
      expect(lines).toEqual([
        ...ended,
        `${herald.socketPath} lets go of the stream; coming back`,
        `${herald.socketPath} answers again`,
        'Events before these are not kept any more, or are those of another process.',
      ]);
    },
  );
});
