// What a person may get wrong at the command line before any balancer is asked: one error, and 2.
import { describe, expect, it } from 'vitest';
import { runHerald } from '../../support/cli-run.ts';

type Mistake = readonly [line: string, told: RegExp];

const values: readonly Mistake[] = [
  [
    'drain node-1 --rate 0',
    /^herald: option '-r, --rate <rate>' argument '0': 0 has no unit \(write 0\/s\); see/,
  ],
  ['drain node-1 --rate 0/s', /argument '0\/s': nothing would move at this rate: write such as 20\/s/],
  ['drain node-1 --rate=-1/s', /"-1\/s" is not a rate/],
  ['drain node-1 --rate 20', /20 has no unit \(write 20\/s\)/],
  ['drain node-1 --rate 20/m', /"20\/m" is not a rate/],
  ['rebalance chat --rate 0', /0 has no unit/],
  ['rebalance chat --rate 9999999/s', /is too large \(at most 1000000\/s\)/],
  ['drain node-1 --deadline 0s', /argument '0s': a deadline lies ahead, such as 10m/],
  ['drain node-1 --deadline=-5m', /"-5m" is not a duration/],
  ['drain node-1 --deadline 10', /10 has no unit \(write 10s or 10ms\)/],
  ['drain node-1 --deadline soon', /"soon" is not a duration/],
  ['drain node-1 --deadline 8760h', /"8760h" is too large \(at most 168h\)/],
  ['drain node-1 --deadline', /argument missing/],
  ['drain node-1 --wait --detach', /'--wait' cannot be used with option '--detach'/],
  ['rebalance chat --detach --wait', /'--wait' cannot be used with option '--detach'/],
  ['status -o xml', /argument 'xml': allowed choices are table, wide, json, yaml; see/],
  ['status --watch -o json', /--watch draws tables/],
  ['status --wtch', /unknown option '--wtch'; did you mean --watch\?; see/],
  ['stauts', /unknown command 'stauts'; did you mean status\?; see/],
  ['operations x --why y', /--why goes with --cancel/],
];

const empty: readonly Mistake[] = [
  ['drain ""', /^herald: argument 'NODE' is empty/],
  ['drain node-1 ""', /^herald: argument 'NODE' is empty/],
  ['ready ""', /^herald: argument 'NODE' is empty/],
  ['maint ""', /^herald: argument 'NODE' is empty/],
  ['rebalance ""', /^herald: argument 'POOL' is empty/],
  ['freeze ""', /^herald: argument 'POOL' is empty/],
  ['status ""', /^herald: argument 'POOL' is empty/],
  ['top ""', /^herald: argument 'POOL' is empty/],
  ['explain ""', /^herald: argument 'POOL' is empty/],
  ['operations ""', /^herald: argument 'ID' is empty/],
  ['operations --pool ""', /^herald: --pool is empty/],
  ['events --pool ""', /^herald: --pool is empty/],
  ['policy show ""', /^herald: argument 'NAME' is empty/],
  ['status --socket ""', /^herald: --socket is empty/],
  ['status --url ""', /^herald: --url is empty/],
  ['drain', /which node\?/],
  ['ready', /missing required argument 'NODE'/],
  ['rebalance', /missing required argument 'POOL'/],
  ['rebalance chat games', /too many arguments/],
];

describe.each([
  ['a value that cannot be meant', values],
  ['an empty name', empty],
] as const)('%s', (_what, mistakes) => {
  it.each(mistakes)('herald %s ends with 2, and asks nobody', async (line, told) => {
    const args = line.split(' ').map((word) => (word === '""' ? '' : word));
    // Whoever asks is told that nobody is there, and ends with 4.
    const run = await runHerald(args, { env: { HERALD_SOCKET: '/nowhere/h.sock' } });
    expect([run.code, run.stdout]).toEqual([2, '']);
    expect(run.stderr.trimEnd().split('\n')).toEqual([expect.stringMatching(told)]);
    expect(run.stderr).toContain('[HERALD_USAGE]');
  });
});
