// How often each picker takes each node. Every test states its number of picks, seed and tolerance.
import { describe, expect, it } from 'vitest';
import { assess, type Assessment } from '../../../../src/core/assess.ts';
import { createPicker, type Exclude } from '../../../../src/core/pick/picker.ts';
import type { PickerName } from '../../../../src/core/pick/picker-name.ts';
import { pcg32 } from '../../../../src/core/rng.ts';
import { aLoadedNode, aNode } from '../../../support/a-node.ts';
import { aPlainPolicy } from '../../../support/a-policy.ts';
import { aSnapshot, connectionsSeen } from '../../../support/a-snapshot.ts';

const nobody: Exclude = () => false;
const n = 100_000;

const judge = (nodes: Parameters<typeof aSnapshot>[0], arrivalsPerSecond = 0): Assessment =>
  assess(aSnapshot(nodes, { arrivalsPerSecond, visibility: connectionsSeen }), aPlainPolicy());

/** Part of the picks that each node got. */
function frequencies(
  name: PickerName,
  assessment: Assessment,
  { seed = 1, picks = n, exclude = nobody }: { seed?: number; picks?: number; exclude?: Exclude } = {},
): number[] {
  const picker = createPicker(name, pcg32(seed));
  const counts = assessment.snapshot.nodes.map(() => 0);
  for (let i = 0; i < picks; i += 1) {
    const index = picker(assessment, exclude);
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts.map((count) => count / picks);
}

/** Five standard deviations of a frequency near `p`. */
const dice = (p: number) => 5 * Math.sqrt((p * (1 - p)) / n);

describe('waterfill', () => {
  const nodes = [0.3, 0.35, 0.4, 0.41, 0.42, 0.6].map((utilization, i) =>
    aLoadedNode(utilization, { id: `n${i}`, open: 50 }),
  );

  it('meets the shares within a thousandth (n = 100,000, seeds 1 to 3)', () => {
    const assessment = judge(nodes, 40);
    for (const seed of [1, 2, 3]) {
      for (const [index, each] of frequencies('waterfill', assessment, { seed }).entries())
        expect(Math.abs(each - (assessment.share[index] ?? NaN))).toBeLessThan(0.001);
    }
  });

  it('meets the shares within a few picks: after 100 it is off by three at most', () => {
    const assessment = judge(nodes, 40);
    for (const [index, each] of frequencies('waterfill', assessment, { seed: 4, picks: 100 }).entries())
      expect(Math.abs(each - (assessment.share[index] ?? NaN))).toBeLessThanOrEqual(0.03);
  });

  it('never takes a node without a share while one with a share is free', () => {
    const assessment = judge(nodes, 1);
    const got = frequencies('waterfill', assessment, { seed: 5 });
    for (const [index, share] of assessment.share.entries()) if (share === 0) expect(got[index]).toBe(0);
    expect(assessment.share.at(-1)).toBe(0);
  });

  it('takes the lowest of the rest when all that have shares are excluded', () => {
    const assessment = judge(nodes, 1);
    const exclude = (index: number) => (assessment.share[index] ?? 0) > 0;
    const lowestLeft = [...assessment.share.keys()].find((index) => !exclude(index));
    const got = frequencies('waterfill', assessment, { seed: 6, picks: 50, exclude });
    expect(got[lowestLeft ?? -1]).toBe(1);
  });
});

describe('p2c', () => {
  it('draws every pair equally often: the lower rank of 4 wins 1/2, 1/3, 1/6, 0 (n = 100,000, seed 11, 5 sd)', () => {
    const nodes = [0.2, 0.4, 0.6, 0.8].map((utilization, i) =>
      aLoadedNode(utilization, { id: `n${i}`, open: 10 }),
    );
    const got = frequencies('p2c', judge(nodes), { seed: 11 });
    for (const [index, p] of [1 / 2, 1 / 3, 1 / 6, 0].entries())
      expect(Math.abs((got[index] ?? NaN) - p)).toBeLessThanOrEqual(dice(p));
  });

  it('draws each of the six pairs of 4 a sixth of the time (n = 100,000, seed 12, 5 sd)', () => {
    const nodes = [0.2, 0.4, 0.6, 0.8].map((utilization, i) =>
      aLoadedNode(utilization, { id: `n${i}`, open: 10 }),
    );
    const assessment = judge(nodes);
    const all = [0, 1, 2, 3];
    for (const one of all) {
      // With one of four excluded three pairs are left: ranks win 2/3, 1/3, 0.
      const left = all.filter((index) => index !== one);
      const got = frequencies('p2c', assessment, { seed: 12 + one, exclude: (index) => index === one });
      for (const [rank, p] of [2 / 3, 1 / 3, 0].entries())
        expect(Math.abs((got[left[rank] ?? -1] ?? NaN) - p)).toBeLessThanOrEqual(dice(p));
    }
  });
});

describe('random', () => {
  it('is in proportion to capacity (n = 100,000, seed 13, 5 sd)', () => {
    const nodes = [1, 2, undefined, 4].map((capacity, i) => aNode({ id: `n${i}`, capacity }));
    const got = frequencies('random', judge(nodes), { seed: 13 });
    for (const [index, p] of [1 / 8, 2 / 8, 1 / 8, 4 / 8].entries())
      expect(Math.abs((got[index] ?? NaN) - p)).toBeLessThanOrEqual(dice(p));
  });
});

describe('roundRobin', () => {
  it('is exactly in proportion to capacity over a round, and smooth within it', () => {
    const nodes = [5, 1, 1].map((capacity, i) => aNode({ id: `n${i}`, capacity }));
    const picker = createPicker('roundRobin', pcg32(1));
    const assessment = judge(nodes);
    const round = Array.from({ length: 7 }, () => picker(assessment, nobody));
    // nginx's own example for weights 5, 1, 1.
    expect(round).toEqual([0, 0, 1, 0, 2, 0, 0]);
  });

  it('goes on where it was when a node joins: nobody is taken twice in a row', () => {
    const picker = createPicker('roundRobin', pcg32(1));
    const nodes = Array.from({ length: 3 }, (_, i) => aNode({ id: `n${i}` }));
    const first = judge(nodes);
    const before = [picker(first, nobody), picker(first, nobody)];
    const second = judge([...nodes, aNode({ id: 'n3' })]);
    const after = Array.from({ length: 3 }, () => picker(second, nobody));
    expect(new Set([...before, ...after]).size).toBe(4);
    expect(after[0]).not.toBe(before[1]);
  });
});

describe('leastConnections', () => {
  it('takes the node with the fewest connections for its size, the one to come included', () => {
    const nodes = [
      aNode({ open: 10 }),
      aNode({ id: 'b', open: 12, capacity: 2 }),
      aNode({ id: 'c', open: 7 }),
    ];
    const picker = createPicker('leastConnections', pcg32(1));
    expect(picker(judge(nodes), nobody)).toBe(1);
  });

  it('takes ties in turn', () => {
    const nodes = Array.from({ length: 4 }, (_, i) => aNode({ id: `n${i}`, open: 3 }));
    const picker = createPicker('leastConnections', pcg32(1));
    const assessment = judge(nodes);
    const picks = Array.from({ length: 8 }, () => picker(assessment, nobody));
    expect(picks).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
  });

  it('sees connections that were opened since the assessment', () => {
    const nodes = [aNode({ open: 3 }), aNode({ id: 'b', open: 4 })];
    const assessment = judge(nodes);
    const picker = createPicker('leastConnections', pcg32(1));
    (nodes[0] ?? aNode()).counters.dialling += 2;
    expect(picker(assessment, nobody)).toBe(1);
  });
});

describe('least', () => {
  it('takes the lowest live score', () => {
    const nodes = [aLoadedNode(0.5, { open: 50 }), aLoadedNode(0.4, { id: 'b', open: 40 })];
    const assessment = judge(nodes);
    const picker = createPicker('least', pcg32(1));
    expect(picker(assessment, nobody)).toBe(1);
    (nodes[1] ?? aNode()).counters.dialling += 30;
    expect(picker(assessment, nobody)).toBe(0);
  });

  it('takes equal nodes equally often (n = 100,000, seed 14, 5 sd)', () => {
    const nodes = Array.from({ length: 4 }, (_, i) => aLoadedNode(0.5, { id: `n${i}`, open: 5 }));
    for (const each of frequencies('least', judge(nodes), { seed: 14 }))
      expect(Math.abs(each - 0.25)).toBeLessThanOrEqual(dice(0.25));
  });
});
