// The commands that ask a running balancer or none at all: what they print where, and how they end.
import { join } from 'node:path';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { PoolExplanation, PoolSummary } from '../../src/protocol/admin-api.ts';
import { aFolder } from '../integration/platform/folder.ts';
import { eventually } from '../support/eventually.ts';
import { heraldPath, runCommand, startCommand, startProcess } from '../support/herald-command.ts';
import { startHerald, type HeraldProcess } from '../support/herald-process.ts';
import { aPolicy } from '../support/herald-setup.ts';
import { until } from '../support/until.ts';

let herald: HeraldProcess;

beforeAll(async () => {
  // Nobody listens at these ports: what is shown does not depend on it.
  herald = await startHerald({
    pools: {
      chat: {
        policy: 'chat',
        routes: [{ path: '/chat' }],
        nodes: [
          { id: 'a', address: '127.0.0.1:9' },
          { id: 'b', address: '127.0.0.1:10', capacity: 2 },
        ],
      },
      games: { policy: 'default', routes: [{ path: '/games' }] },
    },
    policies: { chat: aPolicy({ health: { check: 'off' } }) },
  });
});

afterAll(async () => {
  await herald.stop();
});

const escape = '\u001b';

describe('herald status', () => {
  it('draws a table of every pool, without colours where nobody looks', async () => {
    const { code, stdout, stderr } = await herald.cli('status');
    expect([code, stderr]).toEqual([0, '']);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('pool chat · 2 of 2 nodes eligible · 0 connections · by connections');
    expect(lines[1]).toMatch(/^NODE +STATE +LOAD +CONNS +MSG\/S +SHARE +LAG +REPORT$/);
    expect(lines[2]).toMatch(/^a +no report +░+ +0% +0 +0 +\d+% +- +-$/);
    expect(stdout).toContain('no nodes yet: none is configured and no agent has reported');
    expect(stdout).not.toContain(escape);
  });

  it('-o wide adds what was learned, and fits 140 columns', async () => {
    const { code, stdout, stderr } = await herald.cli('status', 'chat', '--output', 'wide');
    expect([code, stderr]).toEqual([0, '']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[1]).toBe('nothing learned yet');
    expect(lines[2]).toMatch(/REPORT +COST\/MSG +÷POOL +FULL +ADD\/CONN +PAIRS +FROM +AUTO$/);
    expect(lines[3]).toMatch(/^a +no report .*- +- +- +- +0 +- +-$/);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(140);
    expect((await herald.cli('explain', 'chat', '-o', 'wide')).code).toBe(2);
  });

  it('gives the same as JSON and as YAML', async () => {
    const json = await herald.cli('status', '-o', 'json');
    const yaml = await herald.cli('status', '--output=yaml');
    expect([json.code, yaml.code, json.stderr, yaml.stderr]).toEqual([0, 0, '', '']);
    // Proof of `as`: the JSON is the balancer's own (protocol/admin-api.ts).
    const { pools, takeover } = JSON.parse(json.stdout) as {
      pools: (PoolSummary & { members: { id: string }[] })[];
      takeover: unknown;
    };
    expect(takeover).toMatchObject({ generation: 1, isUnderWay: false, earlier: [] });
    expect(pools.map(({ pool, members }) => [pool, members.map(({ id }) => id)])).toEqual([
      ['chat', ['a', 'b']],
      ['games', []],
    ]);
    expect(parse(yaml.stdout)).toEqual({ pools, takeover });
  });

  it('of one pool shows that one alone, and suggests the right name for a wrong one', async () => {
    const one = await herald.cli('status', 'games');
    expect(one.stdout).toMatch(/^pool games /);
    expect(one.stdout).not.toContain('pool chat');
    expect(await herald.cli('status', 'chta')).toEqual({
      code: 1,
      signal: null,
      stdout: '',
      stderr: "herald: there is no pool 'chta'; did you mean 'chat'? [HERALD_POOL_UNKNOWN]\n",
    });
  });

  it('that cannot reach a balancer ends with 4 and says what to do', async () => {
    const missing = join(herald.folder, 'missing.sock');
    const { code, stdout, stderr } = await runCommand(['status', '-s', missing]);
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).toContain(`no balancer listens at ${missing}`);
    expect(stderr).toContain('herald serve');
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('finds the socket by the configuration, and says so when there is none', async () => {
    const byConfig = await runCommand(['status', '-c', join(herald.folder, 'herald.yaml')]);
    expect(byConfig.stdout).toMatch(/^pool chat /);
    const byFolder = await runCommand(['status'], { cwd: herald.folder });
    expect(byFolder.stdout).toMatch(/^pool chat /);
    const lost = await runCommand(['status'], { cwd: aFolder() });
    expect([lost.code, lost.stdout]).toEqual([4, '']);
    expect(lost.stderr).toMatch(/--socket or HERALD_SOCKET/);
  });

  // Broke once: nothing held the process while it waited for its next picture, and it ended with 13.
  it('--watch draws again and again until it is interrupted, which is its regular end', async () => {
    const watch = startCommand(['status', '--watch'], { env: { HERALD_SOCKET: herald.socketPath } });
    await until(
      () => watch.stdout.split('pool chat').length > 3,
      () => `${watch.stdout}${watch.stderr} ${watch.child.exitCode}`,
      20_000,
    );
    watch.child.kill('SIGINT');
    const { code, signal, stderr, stdout } = await watch.ended();
    expect([code, signal, stderr]).toEqual([0, null, '']);
    expect(stdout).not.toContain(escape);
    expect(stdout.endsWith('\n\n')).toBe(true);
  });

  it('--watch ends with 4 when the balancer goes away', async () => {
    const other = await startHerald();
    onTestFinished(async () => void (await other.stop()));
    const watch = startCommand(['status', '--watch'], { env: { HERALD_SOCKET: other.socketPath } });
    await until(
      () => watch.stdout.includes('pool chat'),
      () => watch.stderr,
      20_000,
    );
    await other.stop();
    const { code, stderr } = await watch.ended();
    expect([code, stderr.trim().split('\n').length]).toEqual([4, 1]);
    expect(stderr).toContain('[HERALD_UNREACHABLE]');
  });

  it('--watch with another form than tables is refused', async () => {
    const { code, stdout, stderr } = await herald.cli('status', '--watch', '-o', 'json');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('--watch draws tables');
  });

  it('into a pipe whose reader has gone ends without a word', async () => {
    // head ends after its first line: the second picture meets a closed pipe.
    const script = `"$NODE" "$HERALD" status --watch | head -n 1; echo "$\{PIPESTATUS[0]}"`;
    const run = await startProcess('bash', ['-c', script], {
      env: { NODE: process.execPath, HERALD: heraldPath, HERALD_SOCKET: herald.socketPath },
    }).ended();
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(run.stdout).toMatch(/^pool chat [^\n]*\n0\n$/);
  });
});

const lacks = (process.env['HERALD_TEST_LACKS'] ?? '').split(',');

describe('colours', () => {
  it('come with FORCE_COLOR although nobody looks', async () => {
    const { stdout } = await runCommand(['status', '-s', herald.socketPath], { env: { FORCE_COLOR: '1' } });
    expect(stdout).toContain(`${escape}[1mpool chat`);
  });

  it.skipIf(lacks.includes('python3-websockets'))(
    'come on a terminal, but not with NO_COLOR (skipped: there is no python3 to make a terminal)',
    async () => {
      const command = [process.execPath, heraldPath, 'status', '-s', herald.socketPath];
      const inTerminal = `import pty, sys; sys.exit(pty.spawn(${JSON.stringify(command)}) >> 8)`;
      const env = { TERM: 'xterm' };
      const coloured = await startProcess('/usr/bin/python3', ['-c', inTerminal], { env }).ended();
      expect(coloured.stdout).toContain(`${escape}[1mpool chat`);
      const plain = await startProcess('/usr/bin/python3', ['-c', inTerminal], {
        env: { ...env, NO_COLOR: '1' },
      }).ended();
      expect(plain.stdout).toContain('pool chat');
      expect(plain.stdout).not.toContain(escape);
    },
  );
});

describe('herald explain', () => {
  it('says in sentences and figures where the next connection goes', async () => {
    const { code, stdout, stderr } = await herald.cli('explain', 'chat');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^The next connection goes by share to 'b' \(67%\)/);
    expect(stdout).toMatch(/^NODE +SCORE +REPORTED +SINCE +SLOPE +BOUND +SHARE$/m);
    expect(stdout).toMatch(/^b: Scores /m);
    expect(stdout).not.toContain(escape);
    const json = await herald.cli('explain', 'chat', '-o', 'json');
    const answer = JSON.parse(json.stdout) as PoolExplanation;
    expect(answer).toMatchObject({ pool: 'chat', picker: 'waterfill', basis: 'connections' });
    expect(answer.nodes.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
    const yaml = await herald.cli('explain', 'chat', '-o', 'yaml');
    expect(parse(yaml.stdout)).toMatchObject({ pool: 'chat', picker: 'waterfill' });
  });

  it('of a pool without nodes says that nobody gets in, and of an unknown pool which it may be', async () => {
    const empty = await herald.cli('explain', 'games');
    expect(empty.code).toBe(0);
    expect(empty.stdout).toMatch(/no node/i);
    const unknown = await herald.cli('explain', 'game');
    expect([unknown.code, unknown.stdout]).toEqual([1, '']);
    expect(unknown.stderr).toContain("did you mean 'games'?");
  });
});

describe('herald policy check', () => {
  it('is content with what the running balancer runs on', async () => {
    const { code, stdout, stderr } = await runCommand([
      'policy',
      'check',
      join(herald.folder, 'herald.yaml'),
    ]);
    expect([code, stdout, stderr]).toEqual([0, 'ok: 2 policies, 2 pools\n', '']);
  });

  it('tells every problem of every file at its line and column, on stderr, and ends with 1', async () => {
    const head = 'apiVersion: herald/v1\nkind: Policy\n';
    const folder = aFolder({
      'one.yaml': `${head}name: one\nplace: { picker: waterfil, attempts: 0 }\n`,
      'two.yaml': `${head}name: two\nreports: { interval: 5 }\n`,
    });
    const { code, stdout, stderr } = await runCommand(['policy', 'check', 'one.yaml', 'two.yaml'], {
      cwd: folder,
    });
    expect([code, stdout]).toEqual([1, '']);
    const places = stderr
      .trim()
      .split('\n')
      .map((line) => line.slice(0, line.indexOf(': ')));
    expect(places).toEqual([
      'one.yaml:4:18 place.picker',
      'one.yaml:4:38 place.attempts',
      'two.yaml:4:22 reports.interval',
    ]);
    const json = await runCommand(['policy', 'check', '-o', 'json', 'one.yaml'], { cwd: folder });
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, problems: [{ line: 4 }, { line: 4 }] });
  });

  it('ends with 1 for a file that is not there', async () => {
    const { code, stdout, stderr } = await runCommand(['policy', 'check', 'gone.yaml'], { cwd: aFolder() });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('gone.yaml');
  });
});

describe('herald', () => {
  const usageErrors: [string, string[], RegExp][] = [
    ['an unknown command', ['stauts'], /unknown command 'stauts'[\s\S]*status/],
    ['an unknown option', ['status', '--jsn'], /unknown option '--jsn'/],
    ['a missing argument', ['explain'], /missing required argument 'POOL'/],
    ['a superfluous argument', ['status', 'chat', 'games'], /too many arguments/],
    ['an unknown form of output', ['status', '-o', 'xml'], /table, wide, json, yaml/],
    ['a grace that is no number', ['serve', '--grace', 'soon'], /--grace/],
    ['a seed that is no number', ['demo', '--seed', 'x'], /--seed/],
    ['no command at all', [], /Usage: herald/],
    ['a group without a command', ['policy'], /Usage: herald policy/],
  ];

  it.each(usageErrors)('answers %s with 2, on stderr alone', async (_what, args, told) => {
    const { code, stdout, stderr } = await runCommand(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(told);
  });

  it('prints help and version on stdout and ends with 0', async () => {
    const help = await runCommand(['--help']);
    expect([help.code, help.stderr]).toEqual([0, '']);
    for (const command of ['serve', 'status', 'explain', 'policy', 'demo'])
      expect(help.stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    const one = await runCommand(['status', '--help']);
    expect([one.code, one.stderr]).toEqual([0, '']);
    expect(one.stdout).toContain('--watch');
    const version = await runCommand(['--version']);
    expect(version).toMatchObject({ code: 0, stderr: '' });
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\S*\n$/);
  });

  it('leaves a balancer that it only asked as it was', async () => {
    const before = await herald.admin<{ pools: PoolSummary[] }>('/v1/pools');
    await herald.cli('status');
    await herald.cli('explain', 'chat');
    const after = await eventually(
      () => herald.admin<{ pools: PoolSummary[] }>('/v1/pools'),
      () => true,
    );
    expect(after).toEqual(before);
  });
});
