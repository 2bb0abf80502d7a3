// Shares as properties over random pools, and the guards as bounds.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assess, liveScore } from '../../../src/core/assess.ts';
import type { NodeView, PoolSnapshot } from '../../../src/core/snapshot.ts';
import { aLoad, aLoadedNode, aNode } from '../../support/a-node.ts';
import { aPlainPolicy } from '../../support/a-policy.ts';
import { aSnapshot, connectionsSeen, nothingSeen, relaySees } from '../../support/a-snapshot.ts';

const policy = aPlainPolicy();
const runs = { seed: 77, numRuns: 300 };
const part = fc.double({ min: 0, max: 1, noNaN: true });

const node: fc.Arbitrary<NodeView> = fc
  .record({
    utilization: fc.double({ min: 0, max: 2, noNaN: true }),
    reported: fc.constantFrom('fresh', 'fresh', 'fresh', 'expired', 'never', 'newcomer'),
    open: fc.nat({ max: 400 }),
    dialling: fc.nat({ max: 20 }),
    capacity: fc.option(fc.constantFrom(0.25, 1, 2, 8), { nil: undefined }),
    adminState: fc.constantFrom('ready' as const, 'ready' as const, 'ready' as const, 'drain' as const),
    health: fc.constantFrom('up' as const, 'up' as const, 'up' as const, 'down' as const),
    maxConnections: fc.constantFrom(Infinity, Infinity, 0, 150),
    joinedAtMs: fc.constantFrom(-Infinity, -Infinity, -30_000, -1000),
    messagesPerSecond: fc.constantFrom(0, 10, 2000),
    distress: fc.constantFrom(0, 0.5, 2, 5),
  })
  .map(({ utilization, reported, distress, ...parts }) => {
    const load = aLoad({
      utilization,
      distress,
      smoothedConnections: parts.open,
      reportedConnections: parts.open,
      sampledAtMs: reported === 'expired' ? -60_000 : -100,
      firstAtMs: reported === 'newcomer' ? -1000 : -500_000,
    });
    return aNode({ ...parts, load: reported === 'never' ? undefined : load });
  });

const snapshot: fc.Arbitrary<PoolSnapshot> = fc
  .record({
    nodes: fc.array(node, { maxLength: 12 }),
    visibility: fc.constantFrom(relaySees, connectionsSeen, nothingSeen),
    arrivalsPerSecond: fc.constantFrom(0, 0.1, 20, 5000),
    messagesPerSecondPerConnection: fc.constantFrom(0, 3),
  })
  .map(({ nodes, ...rest }) =>
    aSnapshot(
      nodes.map((each, i) => ({ ...each, id: `n${i}` })),
      rest,
    ),
  );

const sum = (values: Float64Array) => values.reduce((total, each) => total + each, 0);

const busy = () => aLoadedNode(0.9, { open: 90 });

const full = (count: number) => Array.from({ length: count }, () => aLoadedNode(0.8, { open: 80 }));

const shareAt = (ageMs: number) => {
  const newcomer = aLoadedNode(0, { joinedAtMs: -ageMs });
  return assess(aSnapshot([newcomer, ...full(3)], { arrivalsPerSecond: 100 }), policy).share[0];
};

const limited = () => aLoadedNode(0.3, { open: 90, maxConnections: 100 });

describe('shares', () => {
  it('sum to 1, or are all 0 when no node is eligible; are never negative; and are 0 for the ineligible', () => {
    fc.assert(
      fc.property(snapshot, (pool) => {
        const { share, ineligible, score, slope } = assess(pool, policy);
        const isAnyEligible = ineligible.includes(undefined);
        expect(sum(share)).toBeCloseTo(isAnyEligible ? 1 : 0, 9);
        for (const [index, each] of share.entries()) {
          expect(each).toBeGreaterThanOrEqual(0);
          if (ineligible[index] !== undefined) expect(each).toBe(0);
          expect(Number.isFinite(score[index])).toBe(true);
          expect(score[index]).toBeGreaterThanOrEqual(0);
          expect(slope[index]).toBeGreaterThan(0);
        }
      }),
      runs,
    );
  });

  it('do not depend on the order of the nodes', () => {
    fc.assert(
      fc.property(snapshot, (pool) => {
        const there = assess(pool, policy).share;
        const back = assess({ ...pool, nodes: pool.nodes.toReversed() }, policy).share.toReversed();
        for (const [index, each] of there.entries()) expect(each).toBeCloseTo(back[index] ?? NaN, 6);
      }),
      runs,
    );
  });

  it('stay under maxShare from four eligible nodes on, as long as all arrivals have a place', () => {
    fc.assert(
      fc.property(snapshot, fc.double({ min: 0.3, max: 1, noNaN: true }), (pool, maxShare) => {
        const { share, ineligible, unplaced } = assess(pool, aPlainPolicy({ place: { maxShare } }));
        fc.pre(unplaced === 0 && ineligible.filter((reason) => reason === undefined).length >= 4);
        expect(Math.max(...share)).toBeLessThanOrEqual(maxShare + 1e-9);
      }),
      runs,
    );
  });

  it('give a node no less when it reports less', () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 2, maxLength: 10 }), part, (utilizations, factor) => {
        const shareOfFirst = (first: number) =>
          assess(
            aSnapshot([first, ...utilizations.slice(1)].map((each) => aLoadedNode(0.2 + each, { open: 50 }))),
            policy,
          ).share[0] ?? NaN;
        const before = shareOfFirst(utilizations[0] ?? 0);
        const after = shareOfFirst((utilizations[0] ?? 0) * factor);
        expect(after).toBeGreaterThanOrEqual(before - 0.02);
      }),
      runs,
    );
  });

  it('are level among equal nodes', () => {
    const { share } = assess(
      aSnapshot(Array.from({ length: 7 }, () => aLoadedNode(0.4, { open: 9 }))),
      policy,
    );
    for (const each of share) expect(each).toBeCloseTo(1 / 7, 9);
  });

  it('of no nodes are none', () => {
    expect(assess(aSnapshot([]), policy)).toMatchObject({
      share: new Float64Array(0),
      level: NaN,
      panic: false,
    });
  });

  it('of one node are all there is, whatever it reports', () => {
    for (const utilization of [0, 0.5, 3]) {
      expect([...assess(aSnapshot([aLoadedNode(utilization)]), policy).share]).toEqual([1]);
    }
  });

  it('of two and three nodes may all go to one', () => {
    for (const others of [[busy()], [busy(), busy()]]) {
      const { share } = assess(aSnapshot([aLoadedNode(0.3, { open: 30 }), ...others]), policy);
      expect(share[0]).toBeCloseTo(1, 9);
    }
  });

  it('of 5,000 nodes sum to 1 and favour the roomy half', () => {
    const nodes = Array.from({ length: 5000 }, (_, i) => aLoadedNode(i % 2 === 0 ? 0.3 : 0.6, { open: 50 }));
    const { share } = assess(aSnapshot(nodes, { arrivalsPerSecond: 2000 }), policy);
    expect(sum(share)).toBeCloseTo(1, 9);
    expect(sum(share.filter((_, index) => index % 2 === 0))).toBeGreaterThan(0.99);
  });
});

describe('guards', () => {
  it('let a newcomer take a tenth of the arrivals at first, and in proportion to its time later', () => {
    expect(shareAt(0)).toBeCloseTo(0.1, 6);
    expect(shareAt(5999)).toBeCloseTo(0.1, 3);
    expect(shareAt(18_000)).toBeCloseTo(0.3, 6);
    // Half is maxShare.
    expect(shareAt(60_000)).toBeCloseTo(0.5, 6);
  });

  it('hold the rate of new connections of each node', () => {
    const empty = Array.from({ length: 2 }, () => aLoadedNode(0.5, { open: 10 }));
    const snapshot = aSnapshot([...empty, ...full(18)], {
      arrivalsPerSecond: 100,
      visibility: connectionsSeen,
    });
    const { share, unplaced } = assess(snapshot, aPlainPolicy({ place: { connectRatePerSecond: 10 } }));
    expect(unplaced).toBe(0);
    expect(Math.max(...share)).toBeCloseTo(0.1, 6);
  });

  it('leave no more than its room to a node with a limit', () => {
    const nodes = [limited(), ...full(3)];
    const { share, arrivals } = assess(aSnapshot(nodes, { arrivalsPerSecond: 500 }), policy);
    expect((share[0] ?? NaN) * arrivals).toBeCloseTo(10, 6);
  });

  it('say how many arrivals they leave without a place, and spread them in proportion', () => {
    const nodes = [limited(), limited()];
    const { share, unplaced, arrivals } = assess(aSnapshot(nodes, { arrivalsPerSecond: 500 }), policy);
    expect(unplaced).toBeCloseTo(arrivals - 20, 6);
    expect([...share]).toEqual([0.5, 0.5]);
  });
});

describe('the horizon', () => {
  const nodes = [aLoadedNode(0.5, { messagesPerSecond: 5 }), aLoadedNode(0.5)];

  it('is a second where our relay sees the messages', () => {
    expect(assess(aSnapshot(nodes), policy).horizonMs).toBe(1000);
  });

  it('is two reports and their smoothing where it does not', () => {
    expect(assess(aSnapshot(nodes, { visibility: connectionsSeen }), policy).horizonMs).toBe(3000);
  });

  it('is what the policy says', () => {
    expect(assess(aSnapshot(nodes), aPlainPolicy({ place: { horizonMs: 250 } })).horizonMs).toBe(250);
  });
});

describe('liveScore', () => {
  it('is infinite for a node that is not there', () => {
    expect(liveScore(assess(aSnapshot([]), policy), 0)).toBe(Infinity);
  });
});

describe('the fits of a large pool', () => {
  const large = (ids: readonly string[], atMs: number) =>
    aSnapshot(
      ids.map((id) => ({ ...aLoadedNode(0.5, { open: 10 }), id })),
      { atMs },
    );
  const ids = Array.from({ length: 200 }, (_, index) => `n${index}`);

  it('serve the assessments of half a millisecond for each node, then are made anew', () => {
    const first = assess(large(ids, 1000), policy);
    const second = assess(large(ids, 1099), policy, first);
    expect([second.costs === first.costs, second.fittedAtMs]).toEqual([true, 1000]);
    const third = assess(large(ids, 1100), policy, second);
    expect([third.costs === first.costs, third.fittedAtMs]).toEqual([false, 1100]);
  });

  it('are made anew when nodes come, go or change places: they are by index', () => {
    const first = assess(large(ids, 1000), policy);
    for (const others of [[...ids, 'new'], ids.slice(1), ids.toReversed()])
      expect(assess(large(others, 1001), policy, first).fittedAtMs).toBe(1001);
  });

  it('are made for each assessment of a hundred nodes or fewer, which come every 50 ms', () => {
    const few = ids.slice(0, 100);
    const first = assess(large(few, 1000), policy);
    expect(assess(large(few, 1050), policy, first).fittedAtMs).toBe(1050);
  });
});
