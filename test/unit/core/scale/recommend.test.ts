import { describe, expect, it } from 'vitest';
import { absorbScale, noScaleHistory } from '../../../../src/core/scale/history.ts';
import { recommendScale } from '../../../../src/core/scale/recommend.ts';
import { aSample, aScaleNode, aScalePolicy, nodesAt, recommended, steady } from './a-scale.ts';

const policy = aScalePolicy();

describe('the number of nodes', () => {
  it('is total load by target, rounded up, with the sentence that says so', () => {
    expect(recommended(aSample(nodesAt(0.7, 6)), policy)).toEqual({
      isKnown: true,
      atMs: 600_000,
      nodes: 6,
      starting: 0,
      desired: 7,
      wanted: 7,
      action: 'out',
      totalLoad: expect.closeTo(4.2, 9),
      forecastLoad: expect.closeTo(4.2, 9),
      capacity: 6,
      load: expect.closeTo(0.7, 9),
      target: 0.6,
      bottleneck: 'cpu',
      reason: 'total load 4.2 nodes of cpu ÷ target 60% = 7: 7; 6 serve',
      victims: [],
    });
  });

  it('counts nodes that are starting', () => {
    const nodes = [...nodesAt(0.7, 6), aScaleNode({ id: 'new', phase: 'starting', utilization: 0 })];
    expect(recommended(aSample(nodes), policy)).toMatchObject({
      nodes: 7,
      starting: 1,
      desired: 7,
      action: 'hold',
      reason: 'total load 4.2 nodes of cpu ÷ target 60% = 7: 7; 6 serve, 1 is starting',
    });
  });

  it('does not count nodes that leave or are down, but the load of who leaves', () => {
    const nodes = [
      ...nodesAt(0.5, 4),
      aScaleNode({ id: 'd', phase: 'leaving', utilization: 0.8 }),
      aScaleNode({ id: 'x', phase: 'down', utilization: 0 }),
    ];
    expect(recommended(aSample(nodes), policy)).toMatchObject({ nodes: 4, desired: 5 });
  });

  it('has one to lose with survive', () => {
    const { desired, reason } = recommended(aSample(nodesAt(0.6, 2)), aScalePolicy({ survive: 1 }));
    expect(desired).toBe(3);
    expect(reason).toBe('total load 1.2 nodes of cpu ÷ target 60% = 2: 3 with one to lose; 2 serve');
  });

  it('has a zone to lose with surveOf zone, and says when there is none to spare', () => {
    const twoZones = nodesAt(0.55, 6).map((node, index) => ({ ...node, zone: index % 2 === 0 ? 'a' : 'b' }));
    const zoned = aScalePolicy({ survive: 1, surviveOf: 'zone' });
    // 3.3 must fit into one of two zones: 3.3 ÷ 0.95 = 3.5, so four in each.
    expect(recommended(aSample(twoZones), zoned)).toMatchObject({
      desired: 8,
      reason: 'total load 3.3 nodes of cpu ÷ target 60% = 5.5: 8 with one zone to lose; 6 serve',
    });
    const { desired, reason } = recommended(aSample(nodesAt(0.55, 6)), zoned);
    expect(desired).toBe(6);
    expect(reason).toContain(': 6, without reserve: there are no more than 1 zone;');
  });

  it('stays within min and max, whatever windows and steps say', () => {
    const bounded = aScalePolicy({ min: 3, max: 5 });
    expect(recommended(aSample(nodesAt(0.9, 5)), bounded)).toMatchObject({
      desired: 5,
      wanted: 5,
      reason: 'total load 4.5 nodes of cpu ÷ target 60% = 7.5: 8; 5 serve; max is 5',
    });
    expect(recommended(aSample(nodesAt(0.1, 3)), bounded)).toMatchObject({ desired: 3, action: 'hold' });
    expect(recommended(aSample(nodesAt(0.1, 2)), bounded)).toMatchObject({
      desired: 3,
      action: 'out',
      reason: 'total load 0.2 nodes of cpu ÷ target 60% = 0.33: 1; 2 serve; min is 3',
    });
    const tooMany = recommended(aSample(nodesAt(0.9, 8)), bounded);
    expect(tooMany).toMatchObject({ desired: 5, action: 'in' });
    expect(tooMany.victims).toHaveLength(1);
  });

  it('takes larger and smaller nodes for what they are', () => {
    const sizes = [4, 1, 1];
    const nodes = nodesAt(0.6, 3).map((node, index) => ({ ...node, size: sizes[index] ?? 1 }));
    expect(recommended(aSample(nodes), policy)).toMatchObject({
      nodes: 3,
      desired: 3,
      capacity: 6,
      load: 0.6,
    });
  });

  it('counts what every added node uses by being there', () => {
    const sample = aSample(nodesAt(0.99, 4));
    const load = { total: 3.96, cautious: 3.96, bottleneck: 'cpu' };
    expect(recommended({ ...sample, load: { ...load, idle: 0 } }, policy)).toMatchObject({ desired: 6 });
    // Work 3.6 − 0.4, the tolerance taken off, on nodes of which 50 points are left for it: 6.4.
    expect(recommended({ ...sample, load: { ...load, idle: 0.1 } }, policy)).toMatchObject({
      desired: 7,
      reason:
        'total load 3.96 nodes of cpu ÷ target 60% = 6.6: 8, each using 10% by being there; 4 serve; up to 10% above the target is tolerated',
    });
  });

  it('of one node, and of 5,000', () => {
    expect(recommended(aSample(nodesAt(0.3, 1)), policy)).toMatchObject({ desired: 1, action: 'hold' });
    const large = aScalePolicy({ max: 10_000 });
    const history = steady(aSample(nodesAt(0.726, 5000)), large, { forMs: 60_000 });
    expect(recommendScale(history, large)).toMatchObject({ desired: 5500, action: 'out' });
  });
});

describe('a hot node', () => {
  it('is no reason for more nodes while the pool fits: that is said', () => {
    const nodes = [aScaleNode({ id: 'hot', utilization: 0.95 }), ...nodesAt(0.4, 3)];
    const { desired, action, reason } = recommended(aSample(nodes), policy);
    expect({ desired, action }).toEqual({ desired: 4, action: 'hold' });
    expect(reason).toContain(
      '; hot is at 95% and the pool at 54%: a rebalance can level that, a node more is not needed',
    );
  });
});

describe('missing data', () => {
  it('holds where load is not known, and goes out to min at most', () => {
    const unknown = aSample(nodesAt(NaN, 4), { load: undefined, missing: 4 });
    expect(recommended(unknown, policy)).toEqual({
      isKnown: false,
      atMs: 600_000,
      nodes: 4,
      starting: 0,
      desired: 4,
      action: 'hold',
      reason: 'load is not known: 0 of 4 nodes have valid data; holds at 4',
      victims: [],
    });
    expect(recommended(unknown, aScalePolicy({ min: 6 }))).toMatchObject({
      desired: 6,
      action: 'out',
      reason: 'load is not known: 0 of 4 nodes have valid data; min is 6',
    });
    expect(recommended(unknown, aScalePolicy({ max: 2 }))).toMatchObject({ desired: 4, action: 'hold' });
  });

  it('takes the missing for full before any node goes', () => {
    const nodes = [...nodesAt(0.1, 3), aScaleNode({ id: 'silent', utilization: NaN })];
    expect(recommended(aSample(nodesAt(0.1, 4)), policy)).toMatchObject({ desired: 3 });
    const { desired, reason } = recommended(aSample(nodes), policy);
    expect(desired).toBe(3);
    expect(reason).toContain('1 without valid data is taken for full before any goes');
    const half = [...nodesAt(0.1, 2), ...nodesAt(NaN, 2)];
    expect(recommended(aSample(half), policy)).toMatchObject({ desired: 4 });
  });

  it('of no nodes is unknown: min, or one where clients wait', () => {
    const none = aSample([], { load: undefined });
    const fromZero = aScalePolicy({ min: 0 });
    expect(recommended(none, fromZero)).toMatchObject({
      desired: 0,
      action: 'hold',
      reason: 'load is not known: no node serves; holds at 0',
    });
    expect(recommended({ ...none, waiting: 1 }, fromZero)).toMatchObject({
      desired: 1,
      action: 'out',
      reason: 'load is not known: no node serves, and 1 client waits; 1 to begin with',
    });
    expect(recommended({ ...none, waiting: 7 }, aScalePolicy({ min: 2 }))).toMatchObject({
      desired: 2,
      reason: 'load is not known: no node serves, and 7 clients wait; min is 2',
    });
  });

  it('before the first sample is unknown', () => {
    expect(recommendScale(noScaleHistory, policy)).toMatchObject({
      isKnown: false,
      action: 'out',
      desired: 1,
      reason: 'load is not known yet: nothing has been measured',
    });
  });

  it('leaves standing what was asked for', () => {
    const busy = steady(aSample(nodesAt(0.9, 4)), policy);
    const silent = aSample(nodesAt(NaN, 4), { load: undefined, atMs: 605_000 });
    expect(recommendScale(absorbScale(busy, silent, policy), policy)).toMatchObject({
      desired: 6,
      action: 'out',
      reason: 'load is not known: 0 of 4 nodes have valid data; 6 were asked for before',
    });
    const gone = aSample([], { load: undefined, atMs: 605_000 });
    expect(recommendScale(absorbScale(busy, gone, policy), policy)).toMatchObject({
      desired: 6,
      reason: 'load is not known: no node serves; 6 were asked for before',
    });
    const later = { ...silent, atMs: 605_000 + policy.startTimeMs };
    expect(recommendScale(absorbScale(busy, later, policy), policy)).toMatchObject({ desired: 4 });
  });
});

describe('more nodes', () => {
  it('wait until they have been needed for up.after', () => {
    const patient = aScalePolicy({ up: { afterMs: 60_000, step: 'all' } });
    const calm = steady(aSample(nodesAt(0.5, 4)), patient);
    const start = steady(aSample(nodesAt(0.9, 4)), patient, { after: calm, forMs: 40_000 });
    expect(recommendScale(start, patient)).toMatchObject({ desired: 4, action: 'hold' });
    expect(recommendScale(start, patient).reason).toContain('holds at 4: more must be needed for 60 s');
    const later = steady(aSample(nodesAt(0.9, 4)), patient, { after: start, forMs: 120_000 });
    expect(recommendScale(later, patient)).toMatchObject({ desired: 6, action: 'out' });
  });

  it('are not started while the pool is above the target by no more than a tenth of it', () => {
    let history = noScaleHistory;
    for (let count = 0; count < 100; count += 1) {
      const nodes = nodesAt(count % 2 === 0 ? 0.5 : 0.72, 5);
      history = absorbScale(history, aSample(nodes, { atMs: count * 6000 }), policy);
    }
    const { desired, reason } = recommendScale(history, policy);
    expect(desired).toBe(5);
    expect(reason).toMatch(/; up to 10% above the target is tolerated$/);
  });

  it('start no more at once than up.step', () => {
    const byTwo = aScalePolicy({ up: { afterMs: 0, step: 2 } });
    const { desired, reason } = recommended(aSample(nodesAt(0.9, 8)), byTwo);
    expect(desired).toBe(10);
    expect(reason).toContain('up.step lets 2 start at once');
    const starting = nodesAt(0, 2, { phase: 'starting' });
    expect(recommended(aSample([...nodesAt(0.9, 8), ...starting]), byTwo)).toMatchObject({ desired: 10 });
    const byShare = aScalePolicy({ up: { afterMs: 0, step: { share: 0.1 } } });
    expect(recommended(aSample(nodesAt(0.9, 8)), byShare)).toMatchObject({ desired: 9 });
  });

  it('stay asked for until they can be there, though the load falls', () => {
    const busy = steady(aSample(nodesAt(0.9, 4)), policy);
    const calmer = steady(aSample(nodesAt(0.55, 4)), policy, { after: busy, forMs: 60_000 });
    const { desired, reason } = recommendScale(calmer, policy);
    expect(desired).toBe(6);
    expect(reason).toContain('6 were asked for within 90 s and are awaited');
    const over = steady(aSample(nodesAt(0.55, 4)), policy, { after: calmer, forMs: 120_000 });
    expect(recommendScale(over, policy)).toMatchObject({ desired: 4 });
  });
});

describe('fewer nodes', () => {
  const idle = aSample(nodesAt(0.2, 6));

  it('must have sufficed for down.after', () => {
    const early = recommendScale(steady(idle, policy, { forMs: 120_000 }), policy);
    expect(early).toMatchObject({ desired: 6, wanted: 2, action: 'hold' });
    expect(early.reason).toContain('holds at 6: known for 120 s, fewer must suffice for 300 s');
    expect(recommended(idle, policy)).toMatchObject({ desired: 5, wanted: 2, action: 'in' });
    expect(recommended(idle, policy).reason).toContain('down.step takes 1 at once');
  });

  it('are not taken while the window has a peak', () => {
    const busy = steady(aSample(nodesAt(0.55, 6)), policy);
    const { desired, reason } = recommendScale(steady(idle, policy, { after: busy, forMs: 200_000 }), policy);
    expect(desired).toBe(6);
    expect(reason).toContain('holds at 6: up to 3.3 within 300 s, too much for one fewer');
  });

  it('go where the rest stays under the target', () => {
    expect(recommended(aSample(nodesAt(0.51, 6)), policy)).toMatchObject({ wanted: 6, desired: 6 });
    expect(recommended(aSample(nodesAt(0.49, 6)), policy)).toMatchObject({ wanted: 5, desired: 5 });
  });

  it('go only so far under it that noise does not call them back', () => {
    let history = noScaleHistory;
    for (let count = 0; count < 100; count += 1) {
      const nodes = nodesAt(count % 2 === 0 ? 0.3 : 0.66, 6);
      history = absorbScale(history, aSample(nodes, { atMs: count * 6000 }), policy);
    }
    const recommendation = recommendScale(history, policy);
    expect(recommendation).toMatchObject({ wanted: 5, desired: 6 });
    expect(recommendation.reason).toMatch(/too much for one fewer, which must leave \d+% of the target free/);
  });

  it('wait for those that leave, and a while after they have gone', () => {
    const leaving = aSample([
      ...nodesAt(0.2, 5),
      aScaleNode({ id: 'd', phase: 'leaving', utilization: 0.1 }),
    ]);
    expect(recommended(leaving, policy)).toMatchObject({ desired: 5, victims: [] });
    expect(recommended(leaving, policy).reason).toContain('holds at 5: 1 still leaves');
    const two = aScalePolicy({ down: { afterMs: 300_000, step: 1, drainMs: 20_000 } });
    const bothLeave = aSample([...nodesAt(0.2, 5), ...nodesAt(0.1, 2, { phase: 'leaving' })]);
    expect(recommended(bothLeave, two).reason).toContain('2 still leave');
    const gone = absorbScale(steady(idle, policy), { ...aSample(nodesAt(0.24, 5)), atMs: 605_000 }, policy);
    expect(recommendScale(gone, policy)).toMatchObject({ desired: 5 });
    const soon = steady(aSample(nodesAt(0.24, 5)), policy, { after: gone, forMs: 10_000 });
    expect(recommendScale(soon, policy).reason).toContain('holds at 5: one went 15 s ago');
    const later = steady(aSample(nodesAt(0.24, 5)), policy, { after: soon, forMs: 40_000 });
    expect(recommendScale(later, policy)).toMatchObject({ desired: 4, action: 'in' });
  });

  it('are not waited for when a node is empty or in maintenance without clients', () => {
    const empty = aSample([
      ...nodesAt(0.2, 5),
      aScaleNode({ id: 'd', phase: 'leaving', connections: 0, utilization: 0 }),
    ]);
    expect(recommended(empty, policy)).toMatchObject({ desired: 4 });
  });

  it('go by a percentage of the pool, rounded up', () => {
    const by = aScalePolicy({ down: { afterMs: 300_000, step: { share: 0.3 }, drainMs: 20_000 } });
    const { desired, victims, reason } = recommended(idle, by);
    expect(desired).toBe(4);
    expect(victims.map(({ id }) => id)).toEqual(['n-0', 'n-1']);
    expect(reason).toContain('down.step takes 30% at once');
    const all = aScalePolicy({ down: { afterMs: 300_000, step: 'all', drainMs: 20_000 } });
    expect(recommended(idle, all)).toMatchObject({ desired: 2 });
  });

  it('do not count on nodes that are still starting', () => {
    const nodes = [
      ...nodesAt(0.55, 4),
      aScaleNode({ id: 'new', phase: 'starting', utilization: 0, connections: 0 }),
    ];
    const five = recommended(aSample(nodes), policy);
    // Four hold 2.2 at 55 %, but none of those four may go for the fifth.
    expect(five).toMatchObject({ desired: 4, victims: [{ id: 'new' }] });
  });

  it('keep the reserve', () => {
    const nodes = nodesAt(0.3, 3);
    expect(recommended(aSample(nodes), policy)).toMatchObject({ desired: 2 });
    expect(recommended(aSample(nodes), aScalePolicy({ survive: 1 }))).toMatchObject({ desired: 2 });
    expect(recommended(aSample(nodesAt(0.35, 3)), aScalePolicy({ survive: 1 }))).toMatchObject({
      desired: 3,
    });
  });
});
