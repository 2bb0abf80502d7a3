import { describe, expect, it } from 'vitest';
import { assess } from '../../../../src/core/assess.ts';
import { noMoments } from '../../../../src/core/moments.ts';
import { scaleSampleOf } from '../../../../src/core/scale/scale-sample.ts';
import type { NodeView, PoolSnapshot } from '../../../../src/core/snapshot.ts';
import { aLoad, aLoadedNode, aNode } from '../../../support/a-node.ts';
import { aPlainPolicy } from '../../../support/a-policy.ts';
import { aSnapshot, connectionsSeen } from '../../../support/a-snapshot.ts';

const policy = aPlainPolicy();

function sampleOf(nodes: readonly NodeView[], parts: Partial<PoolSnapshot> = {}) {
  const named = nodes.map((node, index) => ({ ...node, id: `n${index}` }));
  return scaleSampleOf(assess(aSnapshot(named, parts), policy), policy);
}

/** A node that has taught what a connection costs: `slope` each, from nothing. */
function taught(slope: number, open: number): NodeView {
  const pairs = 60;
  const byConnections = {
    weight: pairs,
    x: pairs * open,
    y: pairs * slope * open,
    z: pairs * open,
    zx: pairs * open * open,
    zy: pairs * slope * open * open,
  };
  const load = aLoad({
    utilization: slope * open,
    reportedConnections: open,
    countedAtSample: open,
    smoothedConnections: open,
    byConnections,
  });
  return aNode({ open, load });
}

const silent = (open = 50) => aNode({ open, load: aLoad({ sampledAtMs: -60_000 }) });

describe('the phase of a node', () => {
  it('follows admin state, health, blackout and slow start', () => {
    const { nodes } = sampleOf([
      aLoadedNode(0.5),
      aLoadedNode(0.5, { adminState: 'drain' }),
      aLoadedNode(0.5, { adminState: 'maint' }),
      aLoadedNode(0.5, { health: 'down' }),
      aLoadedNode(0.5, { joinedAtMs: -30_000 }),
      aNode({ joinedAtMs: -100_000, load: aLoad({ firstAtMs: -1000 }) }),
      aLoadedNode(0.5, { joinedAtMs: -90_000 }),
    ]);
    expect(nodes.map(({ phase }) => phase)).toEqual([
      'serving',
      'leaving',
      'leaving',
      'down',
      'starting',
      'starting',
      'serving',
    ]);
  });
});

describe('total load', () => {
  it('is the sum of size by utilization, in usual nodes, by the signal that fills most', () => {
    const byLoop = aLoadedNode(0.9, {
      capacity: 4,
      load: aLoad({
        utilization: 0.9,
        latest: { additive: 0.9, bottleneck: 'eventLoopUtilization', distress: 0 },
      }),
    });
    const { load, nodes } = sampleOf([
      aLoadedNode(0.5, { capacity: 2 }),
      aLoadedNode(0.5, { capacity: 2 }),
      byLoop,
    ]);
    expect(nodes.map(({ size }) => size)).toEqual([1, 1, 2]);
    expect(load).toMatchObject({ total: expect.closeTo(2.8, 9), bottleneck: 'eventLoopUtilization' });
  });

  it('does not rise with distress', () => {
    const calm = sampleOf([aLoadedNode(0.5), aLoadedNode(0.5)]);
    const hurting = sampleOf([aLoadedNode(0.5), aNode({ load: aLoad({ utilization: 0.5, distress: 3 }) })]);
    expect(hurting.load?.total).toBe(calm.load?.total);
  });

  it('takes the missing at the mean of the others, and for full where a node might go', () => {
    const { load, missing } = sampleOf([aLoadedNode(0.4), aLoadedNode(0.6), silent()]);
    expect(missing).toBe(1);
    expect(load?.total).toBeCloseTo(1.5, 9);
    expect(load?.cautious).toBeCloseTo(2, 9);
  });

  it('is unknown when more than half of those that serve are missing, or all', () => {
    expect(sampleOf([aLoadedNode(0.4), silent()]).load).toBeDefined();
    expect(sampleOf([aLoadedNode(0.4), silent(), silent()]).load).toBeUndefined();
    expect(sampleOf([silent()]).load).toBeUndefined();
    expect(sampleOf([]).load).toBeUndefined();
  });

  it('does not fall for a report that the relay contradicts', () => {
    const pairs = { weight: 60, x: 6000, y: 30, z: 6000, zx: 600_000, zy: 3000 };
    const honest = () =>
      aNode({
        open: 50,
        messagesPerSecond: 100,
        load: aLoad({ utilization: 0.5, byMessages: pairs, smoothedMessagesPerSecond: 100 }),
      });
    const liar = aNode({
      open: 50,
      messagesPerSecond: 100,
      load: aLoad({ utilization: 0.01, byMessages: pairs, smoothedMessagesPerSecond: 100 }),
    });
    const { missing, load } = sampleOf([honest(), honest(), honest(), liar]);
    expect(missing).toBe(1);
    expect(load?.total).toBeCloseTo(2, 6);
  });

  it('is demand, not what a full node still shows', () => {
    const full = aNode({
      open: 300,
      load: aLoad({
        ...taught(0.005, 100).load,
        utilization: 1,
        latest: { additive: 1, bottleneck: 'cpu', distress: 0 },
        reportedConnections: 300,
        countedAtSample: 300,
        smoothedConnections: 300,
      }),
    });
    const { load } = sampleOf([taught(0.005, 100), full], { visibility: connectionsSeen });
    expect(load?.total).toBeCloseTo(2, 2);
  });

  it('has the load of who leaves while it has clients', () => {
    expect(
      sampleOf([aLoadedNode(0.4), aLoadedNode(0.5, { open: 20, adminState: 'drain' })]).load?.total,
    ).toBeCloseTo(0.9, 9);
    expect(
      sampleOf([aLoadedNode(0.4), aLoadedNode(0.5, { open: 0, adminState: 'drain' })]).load?.total,
    ).toBeCloseTo(0.4, 9);
    expect(sampleOf([aLoadedNode(0.4), aNode({ open: 9, health: 'down' })]).load?.total).toBeCloseTo(0.4, 9);
  });

  it('has those who wait, at what a connection costs here', () => {
    const admission = { waiting: 50, oldestMs: 10, isHeld: true, isOverfilled: false };
    const busy = [aLoadedNode(1, { open: 100 }), aLoadedNode(1, { open: 100 })];
    const { load, waiting } = sampleOf(busy, { admission });
    expect(waiting).toBe(50);
    expect(load?.total).toBeCloseTo(2.5, 9);
    // Nineteen connections say nothing about the fiftieth.
    expect(sampleOf([aLoadedNode(1, { open: 19 })], { admission }).load?.total).toBeCloseTo(1, 9);
  });

  it('is known while all nodes are new but report', () => {
    const { load } = sampleOf([aLoadedNode(0.3, { joinedAtMs: -30_000 })]);
    expect(load?.total).toBeCloseTo(0.3, 9);
    const { load: cautious } = sampleOf([
      aLoadedNode(0.3, { joinedAtMs: -30_000 }),
      aNode({ joinedAtMs: -100_000, load: aLoad({ firstAtMs: -1000 }) }),
    ]);
    expect(cautious).toMatchObject({ total: expect.closeTo(0.3, 9), cautious: expect.closeTo(1.3, 9) });
  });

  it('goes by what single nodes report where most of the pool is lost to placement', () => {
    const { load } = sampleOf([
      aLoadedNode(0.4),
      aLoadedNode(0.4),
      ...Array.from({ length: 3 }, () => ({ ...silent(), health: 'down' as const })),
    ]);
    expect(load?.total).toBeCloseTo(0.8, 9);
  });

  it('names no signal where there is no load', () => {
    expect(sampleOf([aLoadedNode(0)]).load).toMatchObject({ total: 0, bottleneck: '' });
  });
});

describe('the size of a node', () => {
  const sizesOf = (nodes: readonly NodeView[], parts: Partial<PoolSnapshot> = {}) =>
    sampleOf(nodes, { visibility: connectionsSeen, ...parts }).nodes.map(({ size }) => size);

  it('is learned only as far as it cannot be chance', () => {
    const [usual, , alike, large] = sizesOf([
      taught(0.006, 100),
      taught(0.006, 100),
      taught(0.004, 100),
      taught(0.0012, 200),
    ]);
    expect(usual).toBe(1);
    expect(alike).toBe(1);
    expect(large).toBeGreaterThan(4);
    expect(large).toBeLessThan(5.5);
  });

  it('goes by messages where they are seen, and is 1 before anything is learned', () => {
    expect(sizesOf([aLoadedNode(0.5), aLoadedNode(0.2)])).toEqual([1, 1]);
    const byMessages = (cost: number) => ({
      weight: 60,
      x: 6000,
      y: 6000 * cost,
      z: 6000,
      zx: 600_000,
      zy: 600_000 * cost,
    });
    const node = (cost: number) =>
      aNode({
        open: 20,
        messagesPerSecond: 100,
        load: aLoad({ utilization: 100 * cost, byMessages: byMessages(cost), byConnections: noMoments }),
      });
    const { nodes } = sampleOf([node(0.004), node(0.004), node(0.002)]);
    expect(nodes[0]?.size).toBe(1);
    expect(nodes[2]?.size).toBeGreaterThan(1.7);
  });
});
