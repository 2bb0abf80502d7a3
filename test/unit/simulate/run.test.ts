import { describe, expect, it } from 'vitest';
import type { SimulatedBalancer } from '../../../src/simulate/balancer.ts';
import { ruleOf, rules, type Rule } from '../../../src/simulate/rules.ts';
import { simulate } from '../../../src/simulate/run.ts';
import { aScenario } from './a-scenario.ts';

/** Sends everybody to one node, or to nobody for -1. */
function always(node: number): Rule {
  const nothing = (): void => undefined;
  const balancer: SimulatedBalancer = {
    place: () => node,
    scores: () => undefined,
    shed: () => [],
    opened: nothing,
    closed: nothing,
    carried: nothing,
    reported: nothing,
    joined: nothing,
    crashed: nothing,
    tick: nothing,
  };
  return { name: 'always', isBaseline: true, create: (_, rngs) => rngs.map(() => balancer) };
}

describe.each(rules)('a run of $name', (rule) => {
  const eventful = aScenario({ sizes: [0.5, 1, 2], joins: 2, crashes: 1 });

  it('gives the same result for the same seed and another one for another', () => {
    const first = simulate(eventful, rule, 7);
    expect(simulate(eventful, rule, 7)).toEqual(first);
    expect(simulate(eventful, rule, 8)).not.toEqual(first);
  });

  it('loses no connection: what was opened has closed or is open', () => {
    const { opened, closed, open, refused } = simulate(eventful, rule, 1);
    expect(opened).toBeGreaterThan(eventful.connections);
    expect(opened).toBe(closed + open);
    expect(refused).toBe(0);
  });

  it('is level on one node, whatever it does', () => {
    expect(simulate(aScenario({ nodes: 1 }), rule, 1).ratio).toBe(1);
  });

  it('keeps the offered load near what the scenario asks for', () => {
    const calm = aScenario({ nodes: 1, connections: 2000, costSigma: 0.2, messageSigma: 0.1 });
    const { p99, over90 } = simulate(calm, rule, 1);
    expect(p99).toBeGreaterThan(0.45);
    expect(p99).toBeLessThan(0.6);
    expect(over90).toBe(0);
  });
});

describe('a run', () => {
  it('shows the worst ratio for a rule that fills one node: as many as there are nodes, without idle load', () => {
    const { ratio, over90 } = simulate(aScenario({ intercept: 0 }), always(0), 1);
    expect(ratio).toBeCloseTo(4, 9);
    expect(over90).toBeCloseTo(0.25, 2);
  });

  it('sends a client that found no node back later, and counts it', () => {
    const { opened, refused, ratio } = simulate(aScenario(), always(-1), 1);
    expect(opened).toBe(0);
    expect(refused).toBeGreaterThan(80);
    expect(ratio).toBe(1);
  });

  it('meets every rule with the same clients', () => {
    const counts = rules.map((rule) => {
      const { opened, closed, open } = simulate(aScenario(), rule, 3);
      return { opened, closed, open };
    });
    for (const each of counts) expect(each).toEqual(counts[0]);
  });

  it('takes a crashed node out and brings its clients back', () => {
    const calm = simulate(aScenario(), always(1), 2);
    const crashed = simulate(aScenario({ crashes: 1 }), always(1), 2);
    expect(crashed.opened).toBe(calm.opened);
    const level = aScenario({ nodes: 2, crashes: 1, connections: 400, costSigma: 0, messageSigma: 0 });
    const { p99, ratio } = simulate(level, ruleOf('round robin'), 2);
    // One of two is left: it carries twice the load and is level with itself.
    expect(ratio).toBe(1);
    expect(p99).toBeGreaterThan(0.8);
  });

  it('levels nodes of unequal size by reports where counting connections cannot', () => {
    const unequal = aScenario({ sizes: [0.5, 2], connections: 800, costSigma: 0.5, messageSigma: 0.2 });
    const ratios = new Map(rules.map((rule) => [rule.name, simulate(unequal, rule, 1).ratio]));
    expect(ratios.get('herald (waterfill)')).toBeLessThan(ratios.get('least connections') ?? 0);
  });

  it('knows the load of every node to a sixth, reports and relay together, and nothing of the kind by counting', () => {
    const unequal = aScenario({ sizes: [0.5, 1, 2], connections: 800 });
    expect(simulate(unequal, ruleOf('herald (waterfill)'), 1).error).toBeLessThan(1 / 6);
    expect(simulate(unequal, ruleOf('least connections'), 1).error).toBeNaN();
  });

  it('names the rules there are for one that is not', () => {
    expect(() => ruleOf('round-robin')).toThrow("no rule 'round-robin' (did you mean round robin?");
  });

  it('refuses a scenario that cannot be before it begins', () => {
    expect(() => simulate(aScenario({ crashes: 4 }), always(0), 1)).toThrow('leave at least one');
  });
});
