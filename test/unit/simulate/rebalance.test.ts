// A fleet that is scaled out, in closed loop: reports with noise and delay, clients that back off, a pool that fills up
// again by placement alone. It must be level soon, with few disconnections, and never overshoot.
import { describe, expect, it } from 'vitest';
import { ruleOf } from '../../../src/simulate/rules.ts';
import { simulate, type RunResult } from '../../../src/simulate/run.ts';
import type { Scenario } from '../../../src/simulate/scenario.ts';
import { scenarioOf } from '../../../src/simulate/scenarios.ts';

const scaleOut = scenarioOf('scale-out');
const seeds = [1, 2, 3, 4, 5];
// Until a hot node has been hot for a minute nothing may happen; then it has another minute.
const twoMinutesMs = scaleOut.warmUpMs + 120_000;

const run = (rule: string, parts: Partial<Scenario>, seed: number): RunResult =>
  simulate({ ...scaleOut, ...parts }, ruleOf(rule), seed);

/** What is measured from two minutes after the scale-out on. */
const settled = { measuredFromMs: twoMinutesMs } as const;

describe('a fleet of four that gets two more, with connections that stay for hours', () => {
  it.each(seeds)(
    'is level within two minutes, by moving less than a tenth of its connections (seed %d)',
    (seed) => {
      const { ratio, moved } = run('herald, rebalance', settled, seed);
      expect(ratio).toBeLessThan(1.2);
      expect(moved).toBeGreaterThan(5);
      expect(moved).toBeLessThan(60);
    },
  );

  it.each(seeds)('stays as it is without a rebalance (seed %d)', (seed) => {
    const { ratio, moved } = run('herald (waterfill)', settled, seed);
    expect(ratio).toBeGreaterThan(1.4);
    expect(moved).toBe(0);
  });

  it.each(seeds)(
    'needs several times the moves by chance, and is not level after as long (seed %d)',
    (seed) => {
      const heaviest = run('herald, rebalance', settled, seed);
      const chance = run('herald, rebalance by chance', settled, seed);
      expect(chance.ratio).toBeGreaterThan(heaviest.ratio);
      // Those that stop early, since single light connections bring no relief that shows, have moved fewer.
      expect(chance.moved).toBeGreaterThan(2 * heaviest.moved);
    },
  );

  it.each(seeds)('never overshoots: no node is higher than the highest was before (seed %d)', (seed) => {
    const before = run('herald (waterfill)', {}, seed);
    const after = run('herald, rebalance', {}, seed);
    expect(after.highest).toBeLessThanOrEqual(before.highest + 0.05);
  });

  it.each(seeds)('is as level with reports that are slow and clients that back off (seed %d)', (seed) => {
    const slow = { report: { intervalMs: 5000, delayMs: 500, noise: 0.1 }, reconnectMs: 10_000 };
    const { ratio, highest, moved } = run(
      'herald, rebalance',
      { ...settled, ...slow, measuredFromMs: twoMinutesMs + 60_000 },
      seed,
    );
    expect(ratio).toBeLessThan(1.3);
    expect(highest).toBeLessThan(0.8);
    expect(moved).toBeLessThan(90);
  });
});

describe('a fleet that is level', () => {
  it.each(seeds)('moves nobody (seed %d)', (seed) => {
    expect(run('herald, rebalance', { joins: 0 }, seed).moved).toBe(0);
  });
});
