// What a bound of hashed clients is a part of.
import { describe, expect, it } from 'vitest';
import { assess } from '../../../../src/core/assess.ts';
import { createEligibleSum } from '../../../../src/core/pick/eligible-sum.ts';
import { aNode } from '../../../support/a-node.ts';
import { aPlainPolicy } from '../../../support/a-policy.ts';
import { aSnapshot } from '../../../support/a-snapshot.ts';

const judge = (...nodes: Parameters<typeof aSnapshot>[0]) => assess(aSnapshot(nodes), aPlainPolicy());

describe('createEligibleSum', () => {
  it('sums up the eligible nodes alone; a capacity that is not declared is 1', () => {
    const assessment = judge(
      aNode({ open: 10 }),
      aNode({ id: 'b', open: 5, capacity: 2.5 }),
      aNode({ id: 'c', open: 100, adminState: 'drain' }),
      aNode({ id: 'd', open: 100, health: 'down' }),
    );
    expect(createEligibleSum()(assessment, 0)).toEqual({ connections: 15, capacity: 3.5 });
  });

  it('adds what has come since the assessment, and never falls below nothing', () => {
    const sumOf = createEligibleSum();
    const assessment = judge(aNode({ open: 10 }));
    expect(sumOf(assessment, 3).connections).toBe(13);
    expect(sumOf(assessment, -4).connections).toBe(6);
    expect(sumOf(assessment, -40).connections).toBe(0);
  });

  it('sums up anew for another assessment, and is nothing where no node is eligible', () => {
    const sumOf = createEligibleSum();
    expect(sumOf(judge(aNode({ open: 10 })), 0).connections).toBe(10);
    expect(sumOf(judge(aNode({ open: 7 })), 0).connections).toBe(7);
    expect(sumOf(judge(aNode({ adminState: 'maint' })), 0)).toEqual({ connections: 0, capacity: 0 });
    expect(sumOf(judge(), 0)).toEqual({ connections: 0, capacity: 0 });
  });
});
