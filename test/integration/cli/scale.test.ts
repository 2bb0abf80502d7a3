// `herald scale` and the line about scaling of `herald status`, run against a stub of the admin API.
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { anUnknownScaling, aScaling } from '../../support/a-scaling.ts';
import { runHerald, type RunOptions } from '../../support/cli-run.ts';
import { aStubAdmin, inTurn, refusal, type StubHandler } from '../../support/stub-admin.ts';

const path = 'GET /v1/pools/chat/scaling';

const outward = aScaling({
  action: 'out',
  desiredNodes: 5,
  wantedNodes: 6,
  startingNodes: 1,
  load: 0.8,
  totalLoad: 2.412,
  forecastLoad: 2.95,
  reason:
    'total load 2.41 nodes of cpu (2.95 smoothed and 90 s ahead) ÷ target 60% = 4.92: 6; 2 serve, 1 is starting',
});

const inward = aScaling({
  action: 'in',
  desiredNodes: 2,
  reason: 'Two suffice.',
  victims: [
    { id: 'node-3', zone: 'eu-1', connections: 12, reason: '12 connections, the fewest of its zone' },
    { id: 'node-1', zone: '', connections: 140, reason: '140 connections' },
  ],
});

async function herald(handler: StubHandler, args: string[], options: RunOptions = {}) {
  const stub = await aStubAdmin({ [path]: handler });
  return { stub, ...(await runHerald(['scale', 'chat', ...args, '-s', stub.socketPath], options)) };
}

describe('herald scale', () => {
  it('says what is recommended, by which figures and why, in 80 columns', async () => {
    const { code, stdout, stderr } = await herald(() => outward, []);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual([
      'pool chat: scale out to 5 nodes',
      'nodes     2 serve, 1 starting; 5 desired; 6 wanted without windows and steps;',
      '          min 1, max 10',
      'load      2.41 of 3 nodes: 80%, target 60%, filled by cpu',
      'forecast  2.95 nodes when a node started now would serve',
      'reason    total load 2.41 nodes of cpu (2.95 smoothed and 90 s ahead) ÷ target',
      '          60% = 4.92: 6; 2 serve, 1 is starting',
      '',
    ]);
  });

  it('names who would go, with their connections', async () => {
    const { stdout } = await herald(() => inward, []);
    expect(stdout.split('\n').slice(-4)).toEqual([
      'VICTIM  ZONE  CONNS  WHY',
      'node-3  eu-1     12  12 connections, the fewest of its zone',
      'node-1  -       140  140 connections',
      '',
    ]);
  });

  it('asks for an unknown load too, shows it, and ends with 1', async () => {
    const { code, stdout, stub } = await herald(() => anUnknownScaling({ isFrozen: true }), []);
    expect(code).toBe(1);
    expect(stub.asked[0]?.what).toBe(`${path}?allowUnknown=true`);
    expect(stdout).toContain('pool chat: load unknown, keep 3 nodes\n');
    expect(stdout).toContain('load      not known\nreason    No node of the pool has a valid report.\n');
    expect(stdout).toContain('frozen    automatic actions are stopped');
  });

  it('with -o prints the document of the API, whose exit code is the same', async () => {
    const json = await herald(() => inward, ['-o', 'json']);
    expect(JSON.parse(json.stdout)).toEqual(inward);
    const yaml = await herald(() => anUnknownScaling(), ['-o', 'yaml']);
    expect([parse(yaml.stdout), yaml.code]).toEqual([anUnknownScaling(), 1]);
  });

  it('--watch prints a line for each change where nobody looks', async () => {
    const stop = new AbortController();
    const moved = { ...outward, totalLoad: 2.5, at: '2026-01-01T00:00:05.000Z' };
    const come = aScaling({ nodes: 5, desiredNodes: 5, capacity: 5, at: '2026-01-01T00:01:00.000Z' });
    let asked = 0;
    const answers = inTurn(outward, moved, come);
    const handler = () => {
      asked += 1;
      if (asked === 5) stop.abort();
      return answers();
    };
    const { stdout } = await herald(handler, ['--watch'], { signal: stop.signal });
    expect(stdout.split('\n')).toEqual([
      '2026-01-01T00:00:00.000Z  scale out to 5 nodes · 2 serve, 1 starting · load 2.41 of 3',
      '2026-01-01T00:01:00.000Z  keep 5 nodes · 5 serve · load 1.8 of 5',
      '',
    ]);
  });

  it('--watch with -o is a mistake', async () => {
    const { code, stderr } = await herald(() => inward, ['--watch', '-o', 'json']);
    expect(code).toBe(2);
    expect(stderr).toContain('--watch is for people');
  });

  it('of a pool that is not there ends with 1 and the nearest name', async () => {
    const told = "there is no pool 'chat'; did you mean 'chats'?";
    const { code, stderr } = await herald(
      (_, response) => refusal(response, 'HERALD_POOL_UNKNOWN', told),
      [],
    );
    expect(code).toBe(1);
    expect(stderr).toContain(told);
  });
});

describe('herald status', () => {
  async function statusWith(handlers: Record<string, StubHandler>): Promise<string[]> {
    const summary = {
      pool: 'chat',
      picker: 'waterfill',
      basis: 'load',
      panic: false,
      nodes: { total: 0, eligible: 0 },
      connections: { open: 0, dialling: 0, earlier: 0 },
      imbalance: null,
    };
    const stub = await aStubAdmin({
      'GET /v1/pools/chat': () => summary,
      'GET /v1/pools/chat/nodes': () => ({ pool: 'chat', nodes: [] }),
      ...handlers,
    });
    const { code, stdout } = await runHerald(['status', 'chat', '-s', stub.socketPath]);
    expect(code).toBe(0);
    return stdout.split('\n');
  }

  it('has a line about scaling', async () => {
    const lines = await statusWith({ [path]: () => inward });
    expect(lines[1]).toBe('scale in to 2 nodes · 3 serve · load 1.8 of 3');
  });

  it('has none where nothing is known and nothing to be done', async () => {
    const lines = await statusWith({ [path]: () => anUnknownScaling() });
    expect(lines[1]).toMatch(/^NODE/);
  });

  it('has none from a balancer that recommends nothing', async () => {
    expect((await statusWith({}))[1]).toMatch(/^NODE/);
    const off: StubHandler = (_, response) => refusal(response, 'HERALD_NOT_AVAILABLE', 'none');
    expect((await statusWith({ [path]: off }))[1]).toMatch(/^NODE/);
  });
});
