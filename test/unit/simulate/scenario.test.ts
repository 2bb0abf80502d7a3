import { describe, expect, it } from 'vitest';
import { checkScenario, type Scenario } from '../../../src/simulate/scenario.ts';
import { scenarioOf, scenarios } from '../../../src/simulate/scenarios.ts';
import { aScenario } from './a-scenario.ts';

const report = { intervalMs: 1000, delayMs: 100, noise: 0.05 };

const impossible: [string, Partial<Scenario>][] = [
  ['nodes is 0', { nodes: 0 }],
  ['nodes is 2.5', { nodes: 2.5 }],
  ['connections is NaN', { connections: NaN }],
  ['connections is 1000000000', { connections: 1e9 }],
  ['balancers is 0', { balancers: 0 }],
  ['joins is -1', { joins: -1 }],
  ['crashes is 4 of 4 nodes', { crashes: 4 }],
  ['sizes is empty', { sizes: [] }],
  ['sizes[1] is 0', { sizes: [1, 0] }],
  ['holdMs is 0', { holdMs: 0 }],
  ['redrawMs is Infinity', { redrawMs: Infinity }],
  ['reconnectMs is -1', { reconnectMs: -1 }],
  ['measuring begins at 30000 of 30000 ms', { warmUpMs: 30_000 }],
  ['durationMs is 12345: a multiple of 100', { durationMs: 12_345 }],
  ['report.intervalMs is 0', { report: { ...report, intervalMs: 0 } }],
  ['report.delayMs is 50', { report: { ...report, delayMs: 50 } }],
  ['report.delayMs is 0', { report: { ...report, delayMs: 0 } }],
  ['report.noise is 1', { report: { ...report, noise: 1 } }],
  ['intercept is -0.1', { intercept: -0.1 }],
  ['meanUtilization is 1:', { meanUtilization: 1 }],
  ['meanUtilization is 0.02', { meanUtilization: 0.02 }],
  ['messagesPerSecond is 0', { messagesPerSecond: 0 }],
  ['costSigma is 1 and messageSigma 2', { messageSigma: 2 }],
];

describe('a scenario', () => {
  it.each(impossible)('is refused when %s', (message, parts) => {
    expect(() => checkScenario(aScenario(parts))).toThrow(message);
  });

  it('that cannot be for several reasons is refused once, with all of them and a code', () => {
    const check = () => checkScenario(aScenario({ nodes: 0, holdMs: 0, intercept: 2 }));
    expect(check).toThrow(expect.objectContaining({ code: 'HERALD_SCENARIO_INVALID' }));
    expect(check).toThrow(/^scenario 'small' cannot be: nodes is 0.*; holdMs is 0.*; intercept is 2/);
  });

  it('of the table can be', () => {
    expect(scenarios.map((scenario) => checkScenario(scenario).name)).toEqual([
      'steady',
      'sizes',
      'four-balancers',
      'join',
      'crash',
      'scale-out',
      'churn',
    ]);
  });

  it('is found by its name, and a misspelt name is answered with the right one', () => {
    expect(scenarioOf('join').joins).toBe(5);
    expect(() => scenarioOf('stedy')).toThrow("no scenario 'stedy' (did you mean steady?)");
  });
});
