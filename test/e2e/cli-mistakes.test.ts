// Names that a real balancer does not know: one error, the nearest one, its exit code, and nothing is changed. Values
// that no command takes are in test/integration/cli/mistakes.test.ts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Operation } from '../../src/protocol/operations.ts';
import { startHerald, type HeraldProcess } from '../support/herald-process.ts';
import { aPolicy } from '../support/herald-setup.ts';

let herald: HeraldProcess;

beforeAll(async () => {
  const nodes = ['node-1', 'node-2'].map((id, i) => ({ id, address: `127.0.0.1:${i + 20}` }));
  herald = await startHerald({
    pools: {
      chat: { policy: 'chat', routes: [{ path: '/chat' }], nodes },
      games: {
        policy: 'chat',
        routes: [{ path: '/games' }],
        nodes: [{ id: 'game-1', address: '127.0.0.1:9' }],
      },
    },
    policies: { chat: aPolicy({ health: { check: 'off' } }) },
  });
});

afterAll(async () => {
  await herald.stop();
});

type Mistake = readonly [line: string, code: number, told: RegExp];

const names: readonly Mistake[] = [
  ['drain node-3', 1, /there is no node 'node-3'; did you mean 'node-\d'\? \[HERALD_NODE_UNKNOWN\]/],
  ['drain node-1 nod-2', 1, /there is no node 'nod-2'; did you mean 'node-2'\?/],
  ['ready node-1 nod-2', 1, /there is no node 'nod-2'; did you mean 'node-2'\?/],
  ['maint nod-2 node-1', 1, /there is no node 'nod-2'; did you mean 'node-2'\?/],
  ['drain node-1 game-1', 2, /node-1 is of pool chat, game-1 of games: drain each pool by itself/],
  ['rebalance caht', 1, /there is no pool 'caht'; did you mean 'chat'\? \[HERALD_POOL_UNKNOWN\]/],
  ['freeze gams', 1, /there is no pool 'gams'; did you mean 'games'\?/],
  ['explain caht', 1, /there is no pool 'caht'; did you mean 'chat'\?/],
  ['status caht', 1, /there is no pool 'caht'; did you mean 'chat'\?/],
  ['operations --pool caht', 1, /there is no pool 'caht'; did you mean 'chat'\?/],
  ['operations drain-1', 1, /drain-1.*\[HERALD_OPERATION_UNKNOWN\]/],
  ['operations drain-1 --cancel', 1, /\[HERALD_OPERATION_UNKNOWN\]/],
  ['policy show caht', 1, /'caht'; did you mean 'chat'\? \[HERALD_POLICY_UNKNOWN\]/],
  ['policy diff gone.yaml', 1, /gone\.yaml/],
];

describe('a name that nobody has', () => {
  it.each(names)('herald %s ends with %i', async (line, code, told) => {
    const run = await herald.cli(...line.split(' '));
    expect([run.code, run.stdout]).toEqual([code, '']);
    expect(run.stderr.trimEnd().split('\n')).toEqual([expect.stringMatching(told)]);
  });
});

describe('mistakes', () => {
  it('change nothing', async () => {
    for (const node of Object.values(await herald.nodes())) expect(node.adminState).toBe('ready');
    expect(await herald.admin<{ operations: Operation[] }>('/v1/operations')).toEqual({ operations: [] });
  });

  it('a node that is named twice is one node', async () => {
    const dry = await herald.cli('maint', 'node-1', 'node-1', '-n');
    expect(dry.stdout.trimEnd().split('\n')).toHaveLength(1);
  });
});
