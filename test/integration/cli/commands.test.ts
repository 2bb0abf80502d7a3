// The commands that change something, run against a stub of the admin API: what they send, print and end with.
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import type { AdminStateAnswer, RebalanceAnswer } from '../../../src/protocol/operations.ts';
import { aNodeDetail, anOperation, aProgress } from '../../support/an-operation.ts';
import { runHerald, type RunOptions } from '../../support/cli-run.ts';
import { aStubAdmin, inTurn, refusal, type StubHandler } from '../../support/stub-admin.ts';

const forecast = {
  connections: 100,
  utilizationBefore: 0.4,
  utilizationAfter: 0.53,
  isRefused: false,
  sentence: '100 connections of a go to 3 nodes: mean utilization rises from 40.0 % to 53.0 %',
};

const over = anOperation({
  state: 'done',
  etaMs: null,
  endedAt: '2026-01-31T12:01:00.000Z',
  progress: aProgress({ total: 100, closed: 100, returned: 98 }),
});

function begun(changes: Partial<AdminStateAnswer> = {}): AdminStateAnswer {
  return { nodes: ['a'], adminState: 'drain', operation: anOperation(), forecast, ...changes };
}

/** A balancer that drains node a and is `ends` at last. */
async function aDrainingStub(ends: unknown, handlers: Record<string, StubHandler> = {}) {
  return aStubAdmin({
    'PUT /v1/nodes/a/admin-state': () => begun(),
    'GET /v1/operations/drain-1': inTurn<unknown>(anOperation(), anOperation({ etaMs: 3000 }), ends),
    ...handlers,
  });
}

async function herald(stub: { socketPath: string }, args: string[], options: RunOptions = {}) {
  return runHerald([...args, '-s', stub.socketPath], options);
}

describe('herald drain', () => {
  it('stays until the node is empty, and says what became of its connections', async () => {
    const stub = await aDrainingStub(over);
    const args = ['drain', 'a', '--deadline', '10m', '--rate', '20/s', '--why', 'kernel update'];
    expect(await herald(stub, args)).toEqual({
      code: 0,
      stdout: 'drain of a done: 100 said goodbye, 98 back elsewhere (drain-1)\n',
      stderr: `${forecast.sentence}\ndrain of a is under way as drain-1, until 12:10:00 UTC\n`,
    });
    expect(stub.bodies('PUT /v1/nodes/a/admin-state')).toEqual([
      { adminState: 'drain', deadlineMs: 600_000, ratePerSecond: 20, why: 'kernel update' },
    ]);
  });

  it('draws its progress in place on a terminal and leaves nothing of it behind', async () => {
    const { code, stderr } = await herald(await aDrainingStub(over), ['drain', 'a'], { isTerminal: true });
    expect(code).toBe(0);
    expect(stderr).toContain('drain a  ██████████░░░░░░ 60%  40 of 100 left  50 back  5/s  ETA 8s\u001b[K\n');
    expect(stderr).toContain('\u001b[1Adrain a ');
    expect(stderr).toContain('ETA 3s');
    expect(stderr.endsWith('\u001b[1A\u001b[J')).toBe(true);
  });

  it('with -o prints one document, the operation as it ended, and nothing beside it', async () => {
    const json = await herald(await aDrainingStub(over), ['drain', 'a', '-o', 'json']);
    expect(json).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(json.stdout)).toEqual(begun({ operation: over }));
    const yaml = await herald(await aDrainingStub(over), ['drain', 'a', '-o', 'yaml']);
    expect(parse(yaml.stdout)).toEqual(begun({ operation: over }));
  });

  const ends: [string, Partial<typeof over>, number, RegExp][] = [
    [
      '5 at the deadline',
      { state: 'deadline', progress: aProgress({ total: 9, cut: 9 }) },
      5,
      /9 cut at the deadline/,
    ],
    [
      '1 when somebody else cancels it',
      { state: 'cancelled', reason: 'cancelled by ann' },
      1,
      /cancelled by ann/,
    ],
    ['1 when it stops by itself', { state: 'stopped', reason: 'the pool is gone' }, 1, /the pool is gone/],
  ];

  it.each(ends)('ends with %s', async (_what, end, code, told) => {
    const run = await herald(await aDrainingStub({ ...over, ...end }), ['drain', 'a']);
    expect(run.code).toBe(code);
    expect(run.stdout).toMatch(told);
  });

  it('that is refused ends with 3, says by how much and how to do it all the same', async () => {
    const sentence = '100 connections of a go to 1 node: mean utilization rises from 80.0 % to 160.0 %';
    const message = `drain of a refused: ${sentence}. Use force to drain all the same`;
    const stub = await aStubAdmin({
      'PUT /v1/nodes/a/admin-state': (_, response) => refusal(response, 'HERALD_DRAIN_REFUSED', message),
    });
    expect(await herald(stub, ['drain', 'a'])).toEqual({
      code: 3,
      stdout: '',
      stderr: `herald: drain of a refused: ${sentence}; --force drains all the same [HERALD_DRAIN_REFUSED]\n`,
    });
    await herald(stub, ['drain', 'a', '--force']);
    expect(stub.bodies('PUT /v1/nodes/a/admin-state')).toEqual([
      { adminState: 'drain' },
      { adminState: 'drain', force: true },
    ]);
  });

  it('--dry-run changes nothing and ends as the drain would', async () => {
    const refused = { ...forecast, isRefused: true };
    const answers = inTurn(begun({ operation: null }), begun({ operation: null, forecast: refused }));
    const stub = await aStubAdmin({ 'PUT /v1/nodes/a/admin-state': answers });
    const fits = await herald(stub, ['drain', 'a', '--dry-run']);
    expect(fits).toMatchObject({ code: 0, stderr: '' });
    expect(fits.stdout).toBe(`${forecast.sentence}\nnothing was changed: this was a dry run\n`);
    expect(await herald(stub, ['drain', 'a', '-n'])).toMatchObject({ code: 3 });
    expect(await herald(stub, ['drain', 'a', '-n', '--force'])).toMatchObject({ code: 0 });
    expect(stub.bodies('PUT /v1/nodes/a/admin-state')[0]).toEqual({ adminState: 'drain', dryRun: true });
  });

  it('--detach prints the id alone on stdout and does not wait', async () => {
    const stub = await aDrainingStub(over);
    const { code, stdout, stderr } = await herald(stub, ['drain', 'a', '--detach']);
    expect([code, stdout]).toEqual([0, 'drain-1\n']);
    expect(stderr).toContain('`herald operations drain-1 --wait`');
    expect(stub.asked).toHaveLength(1);
    const json = await herald(stub, ['drain', 'a', '--detach', '-o', 'json']);
    expect(JSON.parse(json.stdout)).toEqual(begun());
  });

  it('of several nodes is one request for all of them, each named once', async () => {
    const nodes = [aNodeDetail({ id: 'a' }), aNodeDetail({ id: 'b' })];
    const stub = await aDrainingStub(over, {
      'GET /v1/nodes/a': () => nodes[0],
      'GET /v1/pools/chat/nodes': () => ({ pool: 'chat', nodes }),
      'POST /v1/pools/chat/drains': () => begun({ nodes: ['a', 'b'] }),
    });
    expect((await herald(stub, ['drain', 'a', 'b', 'a'])).code).toBe(0);
    expect(stub.bodies('POST /v1/pools/chat/drains')).toEqual([{ nodes: ['a', 'b'] }]);
  });

  it('of nodes of two pools is refused before anything is changed', async () => {
    const stub = await aStubAdmin({
      'GET /v1/nodes/a': () => aNodeDetail({ id: 'a' }),
      'GET /v1/nodes/g': () => aNodeDetail({ id: 'g', pool: 'games' }),
      'GET /v1/pools/chat/nodes': () => ({ pool: 'chat', nodes: [aNodeDetail({ id: 'a' })] }),
    });
    const { code, stderr } = await herald(stub, ['drain', 'a', 'g']);
    expect([code, stderr]).toEqual([
      2,
      'herald: a is of pool chat, g of games: drain each pool by itself [HERALD_USAGE]\n',
    ]);
  });

  it('--self drains the node that HERALD_NODE_ID names', async () => {
    const stub = await aDrainingStub(over);
    const { code } = await herald(stub, ['drain', '--self'], { env: { HERALD_NODE_ID: 'a' } });
    expect(code).toBe(0);
    expect(stub.bodies('PUT /v1/nodes/a/admin-state')).toEqual([{ adminState: 'drain', self: true }]);
  });

  it('interrupted says that the drain goes on and how to end it, and ends with 130', async () => {
    const interrupt = new AbortController();
    const stub = await aDrainingStub(anOperation());
    const { code, stdout, stderr } = await herald(stub, ['drain', 'a'], {
      isTerminal: true,
      signal: interrupt.signal,
      onOutput: ({ stderr: said }) => said.includes('ETA 3s') && interrupt.abort(new Error('interrupted')),
    });
    expect([code, stdout]).toEqual([130, '']);
    expect(stderr).toContain('the drain goes on without this command');
    expect(stderr).toContain('herald operations drain-1 --cancel');
    expect(stderr).toContain('herald ready a');
    expect(stub.asked.filter(({ what }) => what.startsWith('DELETE'))).toEqual([]);
  });

  it('outlives a balancer that restarts, and says so', async () => {
    let asked = 0;
    const stub = await aDrainingStub(over, {
      'GET /v1/operations/drain-1': (_, response) => {
        asked += 1;
        if (asked === 2 || asked === 3) return void response.destroy();
        return asked > 4 ? over : anOperation();
      },
    });
    const { code, stderr } = await herald(stub, ['drain', 'a']);
    expect(code).toBe(0);
    expect(stderr.match(/does not answer/g)).toHaveLength(1);
    expect(stderr).toContain('answers again');
  });

  it('gives a balancer up that does not come back, with 4', async () => {
    const stub = await aDrainingStub(over, {
      'GET /v1/operations/drain-1': (_, response) => void response.destroy(),
    });
    const { code, stderr } = await herald(stub, ['drain', 'a']);
    expect(code).toBe(4);
    expect(stderr).toContain('[HERALD_UNREACHABLE]');
  });

  it.each([
    ['no node', ['drain'], /which node\?/],
    ['--self without an id', ['drain', '--self'], /HERALD_NODE_ID/],
    ['--self with two nodes', ['drain', '--self', 'a', 'b'], /one node/],
    ['a deadline that is over', ['drain', 'a', '--deadline', '0s'], /lies ahead/],
    ['a deadline without unit', ['drain', 'a', '--deadline', '10'], /10 has no unit \(write 10s or 10ms\)/],
    ['a rate of nothing', ['drain', 'a', '--rate', '0/s'], /nothing would move at this rate/],
    ['a negative rate', ['drain', 'a', '--rate', '-3/s'], /not a rate/],
    ['a reason of two lines', ['drain', 'a', '--why', 'one\ntwo'], /more than one line/],
    ['a reason that is too long', ['drain', 'a', '--why', 'x'.repeat(201)], /200 at most/],
  ])('with %s ends with 2 and asks nobody', async (_what, args, told) => {
    const stub = await aStubAdmin({});
    const { code, stdout, stderr } = await herald(stub, args);
    expect([code, stdout, stub.asked.length]).toEqual([2, '', 0]);
    expect(stderr).toMatch(told);
  });

  it('that this caller may not begin ends with 4', async () => {
    const stub = await aStubAdmin({
      'PUT /v1/nodes/a/admin-state': (_, response) =>
        refusal(response, 'HERALD_NOT_ALLOWED', "token 'grafana' has the role 'read', this needs 'operate'"),
    });
    const { code, stderr } = await herald(stub, ['drain', 'a']);
    expect([code, stderr]).toEqual([
      4,
      "herald: token 'grafana' has the role 'read', this needs 'operate' [HERALD_NOT_ALLOWED]\n",
    ]);
  });
});

describe('herald ready and herald maint', () => {
  it('say what each node was, and change none when one is unknown', async () => {
    const stub = await aStubAdmin({
      'GET /v1/nodes/a': () => aNodeDetail({ id: 'a', adminState: 'drain' }),
      'GET /v1/nodes/b': () => aNodeDetail({ id: 'b' }),
      'GET /v1/nodes/bb': (_, response) =>
        refusal(response, 'HERALD_NODE_UNKNOWN', "there is no node 'bb'; did you mean 'b'?"),
      'PUT /v1/nodes/a/admin-state': () => begun({ operation: null, forecast: null }),
      'PUT /v1/nodes/b/admin-state': () => begun({ operation: null, forecast: null }),
    });
    const ready = await herald(stub, ['ready', 'a', 'b', '--why', 'patched']);
    expect(ready).toEqual({ code: 0, stdout: 'a: drain → ready\nb was ready already\n', stderr: '' });
    expect(stub.bodies('PUT /v1/nodes/a/admin-state')).toEqual([{ adminState: 'ready', why: 'patched' }]);
    const maint = await herald(stub, ['maint', 'b']);
    expect(maint.stdout).toBe('b: ready → maint; 100 open connections stay until they end\n');
    const dry = await herald(stub, ['maint', 'b', '--dry-run', '-o', 'json']);
    expect(JSON.parse(dry.stdout)).toEqual({
      nodes: [{ id: 'b', before: 'ready', adminState: 'maint', open: 100 }],
    });
    const puts = stub.asked.filter(({ what }) => what.startsWith('PUT')).length;
    const unknown = await herald(stub, ['ready', 'a', 'bb']);
    expect([unknown.code, unknown.stdout]).toEqual([1, '']);
    expect(unknown.stderr).toContain("did you mean 'b'?");
    expect(stub.asked.filter(({ what }) => what.startsWith('PUT'))).toHaveLength(puts);
  });
});

const moving = anOperation({
  id: 'rebalance-1',
  kind: 'rebalance',
  deadlineAt: null,
  progress: aProgress({ total: 12, leaving: 2, closed: 10, returned: 9 }),
  imbalance: { before: 1.5, now: 1.3, predicted: 1.1 },
});

function plan(changes: Partial<RebalanceAnswer> = {}): RebalanceAnswer {
  return {
    operation: moving,
    moves: [{ node: 'a', connections: 30, utilization: 0.9 }],
    imbalance: { now: 1.5, predicted: 1.1 },
    sentence: '30 connections of a would level the pool.',
    refusal: null,
    ...changes,
  };
}

describe('herald rebalance', () => {
  it('stays until the pool is level', async () => {
    const ended = { ...moving, state: 'done' as const, reason: 'The pool is level.' };
    const stub = await aStubAdmin({
      'POST /v1/pools/chat/rebalance': () => plan(),
      'GET /v1/operations/rebalance-1': inTurn<unknown>(moving, ended),
    });
    const run = await herald(stub, ['rebalance', 'chat', '--rate', '2/s'], { isTerminal: true });
    expect(run.code).toBe(0);
    expect(run.stderr).toContain('rebalance chat  10 moved  9 returned  max ÷ mean 1.30 → 1.10  5/s  ETA 8s');
    expect(run.stdout).toContain('The pool is level.');
    expect(stub.bodies('POST /v1/pools/chat/rebalance')).toEqual([{ ratePerSecond: 2 }]);
  });

  it('that stops by itself ends with 1 and the reason', async () => {
    const stopped = {
      ...moving,
      state: 'stopped' as const,
      reason: 'Load does not follow connections here.',
    };
    const stub = await aStubAdmin({
      'POST /v1/pools/chat/rebalance': () => plan(),
      'GET /v1/operations/rebalance-1': () => stopped,
    });
    const { code, stdout } = await herald(stub, ['rebalance', 'chat']);
    expect(code).toBe(1);
    expect(stdout).toContain('Load does not follow connections here.');
  });

  it('--dry-run shows the plan; a level pool needs none', async () => {
    const answers = inTurn(
      plan({ operation: null }),
      plan({
        operation: null,
        moves: [],
        sentence: 'The pool is level.',
        imbalance: { now: 1.02, predicted: 1.02 },
      }),
    );
    const stub = await aStubAdmin({ 'POST /v1/pools/chat/rebalance': answers });
    const dry = await herald(stub, ['rebalance', 'chat', '-n']);
    expect(dry.stdout.split('\n')).toEqual([
      '30 connections of a would level the pool.',
      'NODE  WOULD MOVE  RELIEF',
      'a             30     90%',
      'nothing was changed: this was a dry run',
      '',
    ]);
    const level = await herald(stub, ['rebalance', 'chat']);
    expect(level).toMatchObject({ code: 0, stderr: '' });
    expect(level.stdout).toBe('The pool is level.\n');
  });

  it('--dry-run of what would be refused says so, with 3', async () => {
    const refusal = { code: 'HERALD_FROZEN', message: "pool 'chat' is frozen by ada" };
    const stub = await aStubAdmin({
      'POST /v1/pools/chat/rebalance': () => plan({ operation: null, refusal }),
    });
    const { code, stdout } = await herald(stub, ['rebalance', 'chat', '-n']);
    expect(code).toBe(3);
    expect(stdout).toContain("would be refused: pool 'chat' is frozen by ada\n");
    expect(stdout).not.toContain('nothing was changed');
  });

  it('of a frozen pool, or beside another one, is refused with 3', async () => {
    const frozen = await aStubAdmin({
      'POST /v1/pools/chat/rebalance': (_, response) =>
        refusal(response, 'HERALD_FROZEN', "pool 'chat' is frozen"),
    });
    const first = await herald(frozen, ['rebalance', 'chat']);
    expect(first.code).toBe(3);
    expect(first.stderr).toContain('`herald status` shows who froze it');
    const running = await aStubAdmin({
      'POST /v1/pools/chat/rebalance': (_, response) =>
        refusal(response, 'HERALD_OPERATION_RUNNING', "pool 'chat' is being rebalanced"),
    });
    expect(await herald(running, ['rebalance', 'chat'])).toMatchObject({ code: 3 });
  });
});

describe('herald operations', () => {
  const handlers = {
    'GET /v1/operations': () => ({ operations: [anOperation(), over] }),
    'GET /v1/operations/drain-1': () => anOperation(),
    'DELETE /v1/operations/drain-1': () => anOperation({ state: 'cancelled', reason: 'cancelled by local' }),
  };

  it('lists, shows and cancels', async () => {
    const stub = await aStubAdmin(handlers);
    const list = await herald(stub, ['operations', '--pool', 'chat']);
    expect(list.stdout.split('\n')).toHaveLength(4);
    expect(stub.asked[0]?.what).toBe('GET /v1/operations?pool=chat');
    expect((await herald(stub, ['operations', 'drain-1'])).stdout).toMatch(/^drain drain-1\nstate +running/);
    const cancelled = await herald(stub, ['operations', 'drain-1', '--cancel', '--why', 'wrong node']);
    expect(cancelled.code).toBe(0);
    expect(cancelled.stdout).toContain('cancelled by local');
    expect(stub.asked.at(-1)?.headers['herald-why']).toBe('wrong node');
    const json = await herald(stub, ['operations', '-o', 'json']);
    expect(JSON.parse(json.stdout)).toEqual({ operations: [anOperation(), over] });
  });

  it('--wait follows one to its end', async () => {
    const stub = await aStubAdmin({ 'GET /v1/operations/drain-1': inTurn<unknown>(anOperation(), over) });
    expect(await herald(stub, ['operations', 'drain-1', '--wait'])).toMatchObject({ code: 0 });
    const json = await herald(stub, ['operations', 'drain-1', '--wait', '-o', 'json']);
    expect(JSON.parse(json.stdout)).toEqual(over);
  });

  it('--cancel of one that is over says that nothing was ended', async () => {
    const stub = await aStubAdmin({
      'GET /v1/operations/drain-1': () => over,
      'DELETE /v1/operations/drain-1': () => over,
    });
    const { stdout } = await herald(stub, ['operations', 'drain-1', '--cancel']);
    expect(stdout).toContain('it was over already: done');
  });

  it.each([
    [['operations', '--cancel'], /needs the id/],
    [['operations', '--wait'], /needs the id/],
    [['operations', 'x', '--cancel', '--wait'], /exclude each other/],
    [['operations', 'x', '--pool', 'chat'], /goes with the list/],
    [['operations', 'x', '--why', 'y'], /goes with --cancel/],
  ])('%j is a mistake', async (args, told) => {
    const { code, stderr } = await herald(await aStubAdmin({}), args);
    expect(code).toBe(2);
    expect(stderr).toMatch(told);
  });
});

describe('herald freeze', () => {
  const free = { frozen: false, by: '', why: '', since: null };
  const frozen = { frozen: true, by: 'ann', why: 'incident 12', since: '2026-01-31T12:00:00.000Z' };

  it('freezes one pool or all, and says since when, by whom and why', async () => {
    const stub = await aStubAdmin({
      'GET /v1/freeze': () => free,
      'PUT /v1/freeze': () => frozen,
      'GET /v1/pools/chat/freeze': () => frozen,
      'PUT /v1/pools/chat/freeze': () => free,
    });
    const all = await herald(stub, ['freeze', '--why', 'incident 12']);
    expect(all.stdout).toBe('every pool: frozen now, since 2026-01-31T12:00:00.000Z by ann: incident 12\n');
    expect(stub.bodies('PUT /v1/freeze')).toEqual([{ frozen: true, why: 'incident 12' }]);
    const released = await herald(stub, ['freeze', 'chat', '--release']);
    expect(released.stdout).toMatch(/^pool chat: released \(was frozen since .* by ann: incident 12\)\n$/);
    expect(await herald(stub, ['freeze', 'chat', '--dry-run'])).toMatchObject({ code: 0 });
    expect(stub.asked.filter(({ what }) => what.startsWith('PUT'))).toHaveLength(2);
  });

  it('--release of one pool while all are frozen says that it stays frozen, with 1', async () => {
    const stub = await aStubAdmin({
      'GET /v1/pools/chat/freeze': () => frozen,
      'PUT /v1/pools/chat/freeze': () => frozen,
    });
    const { code, stdout, stderr } = await herald(stub, ['freeze', 'chat', '--release']);
    expect([code, stdout.split(',')[0]]).toEqual([1, 'pool chat: frozen']);
    expect(stderr).toContain('every pool is frozen together');
  });
});
