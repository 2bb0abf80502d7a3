import { describe, expect, it } from 'vitest';
import {
  haproxyHerald2016,
  herald2016Weight,
  leastConnections,
  leastconnKey,
  orcaWeight,
  orcaWeights,
  roundRobin,
  weightedRoundRobin,
  type BaselineNode,
} from '../../../src/simulate/baselines.ts';
import { quickRng } from '../../../src/simulate/chance.ts';
import { reporting } from './a-scenario.ts';

function aNode(parts: Partial<BaselineNode> = {}): BaselineNode {
  return { connections: 0, isUp: true, report: undefined, firstAtMs: NaN, reportedAtMs: NaN, ...parts };
}

function measured(cpu: number, throughput: number): BaselineNode {
  return aNode({ report: reporting(cpu, throughput), firstAtMs: 0, reportedAtMs: 20_000 });
}

describe('round robin', () => {
  it('takes each node in turn and steps over those that are down', () => {
    const choose = roundRobin();
    const nodes = [aNode(), aNode({ isUp: false }), aNode()];
    expect(Array.from({ length: 4 }, () => choose(nodes, 0))).toEqual([0, 2, 0, 2]);
  });
});

describe('every baseline', () => {
  it.each([roundRobin(), leastConnections(), haproxyHerald2016(), weightedRoundRobin(quickRng(1, 1))])(
    'finds no node where all are down or there is none',
    (choose) => {
      expect(choose([aNode({ isUp: false })], 0)).toBe(-1);
      expect(choose([], 0)).toBe(-1);
    },
  );
});

describe('leastconn', () => {
  it('compares (served + 1) × 4096 ÷ weight, 0 for an idle server', () => {
    expect(leastconnKey(0, 1)).toBe(0);
    expect(leastconnKey(9, 100)).toBe(409.6);
    expect(leastconnKey(9, 50)).toBe(819.2);
  });

  it('takes the node with the fewest connections', () => {
    const nodes = [aNode({ connections: 5 }), aNode({ connections: 3 }), aNode({ connections: 4 })];
    expect(leastConnections()(nodes, 0)).toBe(1);
  });

  it('with the weight of Herald 2016 takes more connections on a node with more headroom', () => {
    const nodes = [
      aNode({ connections: 10, report: reporting(0.8, 1) }),
      aNode({ connections: 30, report: reporting(0.2, 1) }),
    ];
    expect(haproxyHerald2016()(nodes, 0)).toBe(1);
  });
});

describe('the weight of Herald 2016', () => {
  it.each([
    [undefined, 100],
    [0, 100],
    [0.255, 74],
    [0.99, 1],
    [1, 1],
    [2, 1],
  ])('of utilization %s is %i', (utilization, weight) => {
    expect(herald2016Weight(utilization)).toBe(weight);
  });
});

describe('weighted round robin', () => {
  it('weighs qps ÷ utilization, and 0 without either', () => {
    expect(orcaWeight(reporting(0.5, 200))).toBe(400);
    expect(orcaWeight(reporting(0, 200))).toBe(0);
    expect(orcaWeight(reporting(0.5, 0))).toBe(0);
    expect(orcaWeight(undefined)).toBe(0);
  });

  it('gives nodes without a weight the mean of the others', () => {
    expect(orcaWeights([measured(0.5, 50), measured(0.5, 150), aNode()], 20_000)).toEqual([0.5, 1.5, 1]);
  });

  it('rotates plainly below two known weights', () => {
    expect(orcaWeights([measured(0.5, 50), aNode()], 20_000)).toEqual([1, 1]);
  });

  it('believes no weight in the blackout of 10 s, nor after 3 minutes', () => {
    const nodes = [measured(0.5, 50), measured(0.5, 150)];
    expect(orcaWeights(nodes, 9999)).toEqual([1, 1]);
    expect(orcaWeights(nodes, 10_000)).toEqual([0.5, 1.5]);
    expect(orcaWeights(nodes, 200_000)).toEqual([1, 1]);
  });

  it('picks in proportion to the weights', () => {
    const choose = weightedRoundRobin(quickRng(1, 1));
    const nodes = [measured(0.5, 50), measured(0.5, 150)];
    const picks = Array.from({ length: 400 }, () => choose(nodes, 20_000));
    expect(Math.abs(picks.filter((index) => index === 1).length - 300)).toBeLessThanOrEqual(1);
  });

  it('does not let a node that joins catch up on what it has missed', () => {
    const choose = weightedRoundRobin(quickRng(1, 1));
    const nodes = [measured(0.5, 100), measured(0.5, 100)];
    for (let pick = 0; pick < 200; pick += 1) choose(nodes, 20_000);
    const picks = Array.from({ length: 30 }, () => choose([...nodes, aNode()], 20_000));
    expect(Math.abs(picks.filter((index) => index === 2).length - 10)).toBeLessThanOrEqual(1);
  });
});
