// Several balancers with the code of the daemon, words that take 100 to 200 ms, and reports every five seconds.
import { describe, expect, it } from 'vitest';
import { sharingArms, sharingScenarios } from '../../../../src/simulate/peers/sharing.ts';
import { simulate } from '../../../../src/simulate/run.ts';
import type { Scenario } from '../../../../src/simulate/scenario.ts';
import { aScenario } from '../a-scenario.ts';

const fleet = aScenario({
  nodes: 6,
  connections: 240,
  holdMs: 15_000,
  redrawMs: 15_000,
  messageSigma: 0.3,
  report: { intervalMs: 5000, delayMs: 100, noise: 0.05 },
  warmUpMs: 25_000,
  durationMs: 60_000,
  messagesEveryMs: 100,
});

const [one, apart, sharing] = sharingArms(4);

function run(arm: typeof one, seed: number, scenario: Scenario = fleet) {
  if (arm === undefined) throw new Error('there are three arms');
  return simulate(arm.of(scenario), arm.rule, seed);
}

const seeds = [1, 2, 3, 4];

/** Means of all seeds. */
function meansOf(arm: typeof one): { readonly ratio: number; readonly error: number } {
  const runs = seeds.map((seed) => run(arm, seed));
  const mean = (figure: 'ratio' | 'error') => runs.reduce((sum, each) => sum + each[figure], 0) / runs.length;
  return { ratio: mean('ratio'), error: mean('error') };
}

describe('four balancers that share', () => {
  it('keep a fleet within 5 % of what one balancer leaves, and know its load better than four apart', () => {
    const shared = meansOf(sharing);
    expect(shared.ratio).toBeLessThan(meansOf(one).ratio * 1.05);
    expect(shared.error).toBeLessThan(meansOf(apart).error);
  });

  it('give the same result for the same seed and another one for another', () => {
    const short = { ...fleet, connections: 80, durationMs: 40_000 };
    const first = run(sharing, 7, short);
    expect(run(sharing, 7, short)).toEqual(first);
    expect(run(sharing, 8, short)).not.toEqual(first);
  });

  it('lose no connection when nodes join and crash', () => {
    const { opened, closed, open } = run(sharing, 1, { ...fleet, joins: 2, crashes: 1, durationMs: 50_000 });
    expect(opened).toBeGreaterThan(fleet.connections);
    expect(opened).toBe(closed + open);
  });
});

it('every scenario with one balancer is run with reports every five seconds', () => {
  const all = sharingScenarios();
  expect(all.map(({ name }) => name)).toContain('crash');
  expect(new Set(all.map(({ report }) => report.intervalMs))).toEqual(new Set([5000]));
});
