// What commands print in 80 columns, where nodes have long names: nothing wider, no table broken, nothing lost in a pipe.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { widthOf } from '../../src/cli/table.ts';
import { heraldPath, runCommand, type CommandEnd } from '../support/herald-command.ts';
import { startHerald, type HeraldProcess } from '../support/herald-process.ts';
import { aPolicy } from '../support/herald-setup.ts';
import { hasTerminals, inTerminal } from '../support/terminal.ts';

// 24 characters each.
const ids = ['ip-10-0-128-201.internal', 'ip-10-0-128-202.internal', 'ip-10-0-128-203.internal'];
const [first = ''] = ids;

let herald: HeraldProcess;

beforeAll(async () => {
  herald = await startHerald({
    pools: {
      'chat-eu': {
        policy: 'chat',
        routes: [{ path: '/chat' }],
        nodes: ids.map((id, i) => ({ id, address: `127.0.0.1:${i + 20}` })),
      },
    },
    policies: { chat: aPolicy({ health: { check: 'off' } }) },
  });
  await herald.cli('freeze', '--why', 'incident 4711: nothing may move before the database is back');
});

afterAll(async () => {
  await herald.stop();
});

const within80 = (...args: string[]): Promise<CommandEnd> =>
  runCommand(args, { cwd: herald.folder, env: { HERALD_SOCKET: herald.socketPath, COLUMNS: '80' } });

function expectToFit(text: string, columns = 80): void {
  for (const line of text.split('\n')) expect([widthOf(line) <= columns, line]).toEqual([true, line]);
}

describe('in 80 columns', () => {
  it('status names every node in full in a line of its own, and says that the pool is frozen', async () => {
    const { code, stdout } = await within80('status');
    expect(code).toBe(0);
    expectToFit(stdout);
    for (const id of ids) expect(stdout).toMatch(new RegExp(`^${id}  no report .* - +-$`, 'm'));
    expect(stdout).toMatch(
      /^pool chat-eu .*\nfrozen since [-\d]+ [:\d]+ UTC by local: incident 4711: nothing may move\n {2}before/,
    );
    const { stdout: wide } = await within80('status', '-o', 'wide');
    expectToFit(wide, 140);
  });

  const commands = [
    ['explain', 'chat-eu'],
    ['operations'],
    ['top', '--once'],
    ['events'],
    ['drain', first, '--dry-run'],
    ['rebalance', 'chat-eu', '--dry-run'],
    ['policy', 'show', 'chat'],
    ['policy', 'diff', 'policies/chat.yaml'],
    ['freeze', '--dry-run'],
  ];

  it.each(commands.map((args) => [args.join(' '), args] as const))('%s fits', async (_line, args) => {
    const { stdout, stderr } = await within80(...args);
    expect([stdout === '', stderr]).toEqual([false, '']);
    expectToFit(stdout);
  });

  it('operations cuts long lists of nodes only, and shows one in full', async () => {
    const { stdout } = await within80('drain', ...ids.slice(0, 2), '--detach', '--force');
    const list = await within80('operations');
    expectToFit(list.stdout);
    expect(list.stdout).toContain(` ${first},…  `);
    const one = await within80('operations', stdout.trim());
    expectToFit(one.stdout);
    expect(one.stdout).toMatch(new RegExp(`^nodes +${ids[0]}, ${ids[1]}$`, 'm'));
    expect((await herald.cli('operations')).stdout).toContain(`${ids[0]}, ${ids[1]}  done`);
  });
});

describe('a frozen pool', () => {
  it('is one in the JSON of status and in top', async () => {
    const { pools } = JSON.parse((await herald.cli('status', '-o', 'json')).stdout) as {
      // Proof of `as`: the command's own JSON.
      pools: { freeze: unknown }[];
    };
    expect(pools[0]?.freeze).toMatchObject({
      frozen: true,
      by: 'local',
      why: expect.stringContaining('incident 4711'),
    });
    expect((await herald.cli('top', '--once')).stdout).toMatch(/\nfrozen by local · mean load/);
    expect((await herald.metrics()).get('herald_frozen{pool="chat-eu"}')).toBe(1);
  });
});

describe.skipIf(!hasTerminals)('in a terminal (skipped: there is no python3 to make one)', () => {
  it.each([
    ['80 columns', [80, 24]],
    ['60 columns', [60, 24]],
  ] as const)('of %s status breaks no line of its table', async (_what, size) => {
    const command = [process.execPath, heraldPath, 'status', '-s', herald.socketPath];
    const run = await inTerminal(command, { size, steps: [], env: { NO_COLOR: '1' } });
    expect(run.code).toBe(0);
    expect(run.raw).not.toContain('\u001b[');
    const rows = run.last.filter((line) => line.startsWith('ip-10'));
    expect(rows).toHaveLength(3);
    for (const row of rows) expect(row).toMatch(/^ip-10-0-\S+ +(no report|drain) .*-$/);
  });
});
