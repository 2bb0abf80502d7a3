// `herald top` on real screens, and what it leaves of a terminal however it ends.
import { beforeAll, afterAll, describe, expect, it } from 'vitest';
import { heraldPath, runCommand } from '../support/herald-command.ts';
import { startHerald, type HeraldProcess } from '../support/herald-process.ts';
import { aPolicy } from '../support/herald-setup.ts';
import { aNodeDetail, aPoolSummary } from '../support/an-operation.ts';
import { aStubAdmin, inTurn } from '../support/stub-admin.ts';
import { hasTerminals, inTerminal, type TerminalEnd } from '../support/terminal.ts';

let herald: HeraldProcess;

beforeAll(async () => {
  // Nobody listens at these ports: what is shown does not depend on it.
  const nodes = Array.from({ length: 12 }, (_, i) => ({
    id: `node-${i + 1}`,
    address: `127.0.0.1:${i + 20}`,
  }));
  herald = await startHerald({
    pools: {
      chat: { policy: 'chat', routes: [{ path: '/chat' }], nodes },
      games: { policy: 'chat', routes: [{ path: '/games' }], nodes: [{ id: 'g', address: '127.0.0.1:9' }] },
    },
    policies: { chat: aPolicy({ health: { check: 'off' } }) },
  });
});

afterAll(async () => {
  await herald.stop();
});

const top = (...args: string[]) => [process.execPath, heraldPath, 'top', '-s', herald.socketPath, ...args];

function expectAsBefore({ isSecondScreen, isCursorShown, isLineMode }: TerminalEnd): void {
  expect({ isSecondScreen, isCursorShown, isLineMode }).toEqual({
    isSecondScreen: false,
    isCursorShown: true,
    isLineMode: true,
  });
}

describe('herald top without a terminal', () => {
  it('prints one table of a pool and ends', async () => {
    const { code, stdout, stderr } = await herald.cli('top', 'games');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^pool games \(2 of 2\) · 1 of 1 nodes eligible/);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).not.toContain('q quit');
    expect((await herald.cli('top', '--once')).stdout.match(/^node-\d+ /gm)).toHaveLength(12);
  });

  it('of an unknown pool suggests the nearest, and without a balancer ends with 4', async () => {
    const unknown = await herald.cli('top', 'game');
    expect([unknown.code, unknown.stdout]).toEqual([1, '']);
    expect(unknown.stderr).toContain("did you mean 'games'?");
    expect((await runCommand(['top', '-s', '/nowhere/h.sock'])).code).toBe(4);
  });
});

describe.skipIf(!hasTerminals)('herald top (skipped: there is no python3 to make a terminal)', () => {
  it('fills the screen, sorts, scrolls, changes pools, follows the size, and quits', async () => {
    const run = await inTerminal(top(), {
      size: [80, 12],
      steps: [
        { until: 'q quit', keep: 'first', send: 'ssss' },
        { until: 'sort .node', keep: 'sorted', send: '\u001b[' },
        { send: 'B\u001b[B' },
        { until: '^3-10 of 12', keep: 'scrolled', send: 'p' },
        { until: '^g ', keep: 'games', send: 'p' },
        { until: '^node-1 ', resize: [140, 20] },
        { until: '^node-12 ', keep: 'large', send: 'q' },
      ],
      env: { NO_COLOR: '1' },
    });
    expect([run.code, run.left]).toEqual([0, []]);
    expectAsBefore(run);
    const { first = [], sorted = [], scrolled = [], large = [] } = run.kept;
    expect(first[0]).toMatch(/^pool chat \(1 of 2\) · 12 of 12 nodes eligible · 0 connections/);
    expect(first[2]).toMatch(/^NODE {5}STATE {6}LOAD▼ +CONNS +MSG\/S +SHARE +REPORT$/);
    expect(first[11]).toMatch(/^1-8 of 12 · q quit/);
    expect(sorted[3]).toMatch(/^node-1 /);
    expect(scrolled[3]).toMatch(/^node-3 /);
    expect(large[14]).toMatch(/^node-12 /);
    expect(run.raw).not.toMatch(/\u001b\[\d+m/);
  });

  it.each([
    ['Ctrl-C', { send: '\u0003' }, 0],
    ['SIGTERM', { signal: 'SIGTERM' as const }, 0],
    ['SIGINT', { signal: 'SIGINT' as const }, 0],
  ])('gives the terminal back at %s', async (_what, how, code) => {
    const run = await inTerminal(top(), { size: [80, 24], steps: [{ until: 'q quit', ...how }] });
    expect([run.code, run.left]).toEqual([code, []]);
    expectAsBefore(run);
    expect(run.raw).toContain('\u001b[?1049h');
  });

  it('keeps the last picture while the balancer is away, and says what is wrong', async () => {
    const other = await startHerald({ pools: { only: { policy: 'chat', routes: [{ path: '/' }] } } });
    const played = inTerminal([process.execPath, heraldPath, 'top', '-s', other.socketPath], {
      size: [80, 10],
      steps: [{ until: 'HERALD_UNREACHABLE|does not answer|no balancer', keep: 'away', send: 'q' }],
    });
    const stopped = other.stop();
    const run = await played;
    await stopped;
    // Stopped before the first look, it never took the screen: that is 4. Later, it stays.
    if (run.code === 4) expect(run.raw).not.toContain('\u001b[?1049h');
    else expect([run.code, run.kept['away']?.[0]]).toEqual([0, expect.stringContaining('pool only')]);
    expectAsBefore(run);
  });

  it('gives the terminal back when it meets a defect', async () => {
    const pools = inTurn<unknown>({ pools: [aPoolSummary()] }, { pools: [aPoolSummary()] }, { pools: null });
    const stub = await aStubAdmin({
      'GET /v1/pools': pools,
      'GET /v1/pools/chat/nodes': () => ({ pool: 'chat', nodes: [aNodeDetail({ id: 'a' })] }),
    });
    const run = await inTerminal([process.execPath, heraldPath, 'top', '-s', stub.socketPath], {
      size: [80, 24],
      steps: [{ until: 'q quit', keep: 'before' }],
    });
    expect([run.code, run.left]).toEqual([1, []]);
    expectAsBefore(run);
    expect(run.last.join('\n')).toContain('TypeError');
  });

  it('on a dumb terminal prints one table', async () => {
    const run = await inTerminal(top('games'), { size: [80, 12], steps: [], env: { TERM: 'dumb' } });
    expect(run.code).toBe(0);
    expect(run.raw).not.toContain('\u001b');
    expect(run.last[0]).toMatch(/^pool games/);
  });
});
