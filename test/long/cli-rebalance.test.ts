// Rebalances as an operator begins them: the built command, a real balancer, nodes that report, clients that talk.
import { describe, expect, it } from 'vitest';
import type { Operation, RebalanceAnswer } from '../../src/protocol/operations.ts';
import { eventually } from '../support/eventually.ts';
import { follow } from '../support/follow-command.ts';
import { heraldPath } from '../support/herald-command.ts';
import type { HeraldProcess } from '../support/herald-process.ts';
import { aHotFleet } from '../support/hot-fleet.ts';
import { hasTerminals, inTerminal } from '../support/terminal.ts';

const operations = async (herald: HeraldProcess) =>
  (await herald.admin<{ operations: Operation[] }>('/v1/operations')).operations;

const openOn = async (herald: HeraldProcess, id: string) => (await herald.nodes())[id]?.connections.open ?? 0;

describe('herald rebalance', () => {
  it('of a hot pool moves connections off its hot node until all are level, and says so', async () => {
    const { herald, codes } = await aHotFleet({ isCalm: true });
    const before = await openOn(herald, 'a');
    const dry = await herald.cli('rebalance', 'chat', '--dry-run');
    expect([dry.code, dry.stderr, codes()]).toEqual([0, '', []]);
    expect(dry.stdout).toMatch(
      /^moving \d+ connections \(.*\d+ from a.*\) would bring max ÷ mean from [\d.]+ to about [\d.]+\n/,
    );
    expect(dry.stdout).toMatch(/^NODE +WOULD MOVE +RELIEF\na +\d+ +\d+%\n/m);
    expect(dry.stdout).toMatch(/\nnothing was changed: this was a dry run\n$/);
    expect(await operations(herald)).toEqual([]);

    const { code, stdout, stderr } = await herald.cli('rebalance', 'chat', '--rate', '4/s', '--why', 'hot');
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        /^rebalance of chat done: .*, was [\d.]+, \d+ connections moved, \d+ back elsewhere.* \(rebalance-/,
      ),
    ]);
    expect(stderr).toMatch(/^moving \d+ .*\nrebalance of chat is under way as rebalance-[a-z0-9-]+\n$/);
    expect(await openOn(herald, 'a')).toBeLessThan(before);
    const [operation] = await operations(herald);
    expect(operation).toMatchObject({ kind: 'rebalance', state: 'done', by: 'local', why: 'hot' });
    expect(operation?.nodes).toContain('a');
    expect(new Set(codes())).toEqual(new Set([1012]));
    expect((await herald.cli('operations')).stdout).toMatch(/^rebalance-\S+ +chat +\S.* done +100% +0/m);
  });

  it('of a level pool says so and begins nothing', async () => {
    const { herald, codes } = await aHotFleet({ isHot: false });
    await eventually(
      () => herald.cli('rebalance', 'chat', '-n'),
      ({ stdout }) => stdout.startsWith("nothing to move in pool 'chat'"),
    );
    const { code, stdout, stderr } = await herald.cli('rebalance', 'chat');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^nothing to move in pool 'chat': max ÷ mean is [\d.]+, or .*\n$/);
    expect([await operations(herald), codes()]).toEqual([[], []]);
  });

  it('with -o json prints the rebalance as it ended, and with a dry run the plan alone', async () => {
    const { herald } = await aHotFleet({ isCalm: true });
    const plan = JSON.parse((await herald.cli('rebalance', 'chat', '-n', '-o', 'json')).stdout);
    // Proof of `as`: the command's own JSON, here and below.
    expect((plan as RebalanceAnswer).operation).toBeNull();
    expect((plan as RebalanceAnswer).moves.map(({ node }) => node)).toContain('a');
    const { code, stdout, stderr } = await herald.cli('rebalance', 'chat', '--rate', '4/s', '-o', 'json');
    expect([code, stderr]).toEqual([0, '']);
    const { operation } = JSON.parse(stdout) as RebalanceAnswer;
    expect(operation).toMatchObject({ kind: 'rebalance', pool: 'chat', state: 'done', etaMs: null });
    expect(operation?.imbalance.now ?? NaN).toBeLessThan(operation?.imbalance.before ?? NaN);
  });

  it('--detach prints an id; a second operator and a dry run are refused until it is cancelled', async () => {
    const { herald } = await aHotFleet();
    const { code, stdout, stderr } = await herald.cli('rebalance', 'chat', '--rate', '0.1/s', '--detach');
    const id = stdout.trim();
    expect([code, id]).toEqual([0, expect.stringMatching(/^rebalance-[a-z0-9-]+$/)]);
    expect(stderr).toContain(`\`herald operations ${id} --wait\` follows it`);

    const second = await herald.cli('rebalance', 'chat');
    expect([second.code, second.stdout]).toEqual([3, '']);
    expect(second.stderr).toContain(`pool 'chat' is being rebalanced already (${id})`);
    expect(second.stderr).toContain('[HERALD_OPERATION_RUNNING]');
    const dry = await herald.cli('rebalance', 'chat', '-n');
    expect([dry.code, dry.stdout]).toEqual([
      3,
      expect.stringContaining(`would be refused: pool 'chat' is being rebalanced already (${id})`),
    ]);

    const following = await follow(herald, id);
    expect((await herald.cli('operations', id, '--cancel')).stdout).toContain('cancelled by local');
    const end = await following.ended();
    expect([end.code, end.stdout]).toEqual([1, expect.stringMatching(/^rebalance of chat cancelled: /)]);
  });

  it('of two operators at once only one begins', async () => {
    const { herald } = await aHotFleet();
    const slow = ['rebalance', 'chat', '--rate', '0.1/s', '--detach'];
    const both = await Promise.all([herald.cli(...slow), herald.cli(...slow)]);
    expect(both.map(({ code }) => code).toSorted()).toEqual([0, 3]);
    expect(await operations(herald)).toHaveLength(1);
  });

  it('of a frozen pool is refused with 3 until it is released, and so is its dry run', async () => {
    const { herald, codes } = await aHotFleet();
    await herald.cli('freeze', 'chat', '--why', 'incident 4711');
    const frozen = await herald.cli('rebalance', 'chat');
    expect([frozen.code, frozen.stdout]).toEqual([3, '']);
    expect(frozen.stderr).toMatch(
      /^herald: pool 'chat' is frozen by local \(incident 4711\): .* \[HERALD_FROZEN\]\n$/,
    );
    const dry = await herald.cli('rebalance', 'chat', '-n');
    expect([dry.code, dry.stdout]).toEqual([
      3,
      expect.stringMatching(
        /^would be refused: pool 'chat' is frozen by local \(incident 4711\): release it first/m,
      ),
    ]);
    expect([await operations(herald), codes()]).toEqual([[], []]);
    await herald.cli('freeze', 'chat', '--release');
    expect((await herald.cli('rebalance', 'chat', '--rate', '4/s', '--detach')).code).toBe(0);
  });

  it('of an unknown pool suggests the nearest, and changes nothing', async () => {
    const { herald } = await aHotFleet({ isHot: false });
    expect(await herald.cli('rebalance', 'cht')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: "herald: there is no pool 'cht'; did you mean 'chat'? [HERALD_POOL_UNKNOWN]\n",
    });
  });
});

describe.skipIf(!hasTerminals)('in a terminal (skipped: there is no python3 to make one)', () => {
  it('a rebalance draws one line of progress, and Ctrl-C leaves the rebalance alone', async () => {
    const { herald } = await aHotFleet();
    const command = [process.execPath, heraldPath, 'rebalance', 'chat', '--rate', '0.5/s'];
    const run = await inTerminal([...command, '-s', herald.socketPath], {
      size: [80, 12],
      steps: [{ until: '^rebalance chat .*[1-9] moved', keep: 'progress', send: '\u0003' }],
      env: { NO_COLOR: '1' },
    });
    expect([run.code, run.left]).toEqual([130, []]);
    const progress = run.kept['progress']?.filter((line) => /^rebalance chat {2}/.test(line)) ?? [];
    expect(progress).toEqual([expect.stringMatching(/ moved {2}\d+ returned {2}max ÷ mean [\d.]+ → [\d.]+/)]);
    expect(run.last.join('\n')).toMatch(/the rebalance goes on without this command\n {2}follow it: /);
    expect(run.last.join('\n')).not.toContain('undo it');
    expect((await operations(herald))[0]?.state).toBe('running');
  });
});
