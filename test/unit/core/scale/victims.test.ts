import { describe, expect, it } from 'vitest';
import { victimOf, victimOrder } from '../../../../src/core/scale/victims.ts';
import type { ScaleNode } from '../../../../src/core/scale/scale-sample.ts';
import { aSample, aScaleNode, aScalePolicy, nodesAt, recommended } from './a-scale.ts';

const idsOf = (nodes: readonly ScaleNode[], victims: 'any' | 'ordinal' | 'external') =>
  victimOrder(nodes, victims).map(({ node }) => node.id);

describe('any', () => {
  it('takes the fewest connections, then the least load, then the youngest, then the first id', () => {
    const nodes = [
      aScaleNode({ id: 'f', connections: 5 }),
      aScaleNode({ id: 'e', connections: 5 }),
      aScaleNode({ id: 'd', connections: 5, utilization: NaN }),
      aScaleNode({ id: 'c', connections: 5, joinedAtMs: 10 }),
      aScaleNode({ id: 'b', connections: 5, utilization: 0.1 }),
      aScaleNode({ id: 'a', connections: 9, utilization: 0 }),
      aScaleNode({ id: 'z', connections: 1, utilization: 0.9 }),
    ];
    expect(idsOf(nodes, 'any')).toEqual(['z', 'b', 'c', 'e', 'f', 'd', 'a']);
  });

  it('keeps zones even', () => {
    const nodes = [
      aScaleNode({ id: 'a1', zone: 'a', connections: 1 }),
      aScaleNode({ id: 'b1', zone: 'b', connections: 50 }),
      aScaleNode({ id: 'b2', zone: 'b', connections: 60 }),
      aScaleNode({ id: 'b3', zone: '', connections: 70 }),
    ];
    expect(idsOf(nodes, 'any')).toEqual(['b1', 'a1', 'b2', 'b3']);
    expect(victimOrder(nodes, 'any').map(victimOf)[0]).toEqual({
      id: 'b1',
      zone: 'b',
      connections: 50,
      reason: '50 connections to move, one of 2 in zone b',
    });
    expect(victimOrder(nodes, 'any').at(-1)?.reason).toBe(
      '70 connections to move, one of 1 in zone without a name',
    );
    expect(victimOrder(nodes.slice(0, 1), 'any')[0]?.reason).toBe('1 connection to move');
  });

  it('takes nobody that leaves or is down already', () => {
    const nodes = [aScaleNode({ id: 'a', phase: 'leaving' }), aScaleNode({ id: 'b', phase: 'down' })];
    expect(idsOf(nodes, 'any')).toEqual([]);
  });
});

describe('ordinal', () => {
  it('takes the highest number at the end, nodes without one last', () => {
    const nodes = ['chat-2', 'chat-10', 'web', 'chat-9', 'db'].map((id) => aScaleNode({ id }));
    expect(idsOf(nodes, 'ordinal')).toEqual(['chat-10', 'chat-9', 'chat-2', 'web', 'db']);
    expect(victimOrder(nodes, 'ordinal').map(({ reason }) => reason)).toContain('highest ordinal, 10');
    expect(victimOrder(nodes, 'ordinal').at(-1)?.reason).toBe('has no ordinal');
  });
});

describe('external', () => {
  it('names nobody, and takes the largest to go', () => {
    const nodes = [...nodesAt(0.3, 3), aScaleNode({ id: 'big', size: 2, utilization: 0.3 })];
    // Without the large one 1.5 of load are left for three nodes, which hold 1.8; without a small one there is more room.
    expect(recommended(aSample(nodes), aScalePolicy({ victims: 'external' }))).toMatchObject({
      desired: 3,
      action: 'in',
      victims: [],
    });
    expect(idsOf(nodes, 'external')[0]).toBe('big');
  });
});

describe('zones to survive', () => {
  it('keep their last node', () => {
    const nodes = [
      aScaleNode({ id: 'a', zone: 'a', utilization: 0.01 }),
      aScaleNode({ id: 'b', zone: 'b', utilization: 0.01 }),
    ];
    expect(recommended(aSample(nodes), aScalePolicy())).toMatchObject({ desired: 1 });
    const zoned = aScalePolicy({ survive: 1, surviveOf: 'zone' });
    expect(recommended(aSample(nodes), zoned)).toMatchObject({ desired: 2, victims: [] });
  });
});
