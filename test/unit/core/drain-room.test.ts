import { describe, expect, it } from 'vitest';
import { assess, type Assessment } from '../../../src/core/assess.ts';
import { forecastDrain, roomFor } from '../../../src/core/drain-room.ts';
import { aLoadedNode, aNode } from '../../support/a-node.ts';
import { anOpenPolicy } from '../../support/a-policy.ts';
import { aSnapshot } from '../../support/a-snapshot.ts';

const policy = anOpenPolicy();

/** Nodes of one size, with a tenth of a point for each connection. */
function aFleet(loads: readonly number[], parts: Parameters<typeof aLoadedNode>[1][] = []): Assessment {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
  const nodes = loads.map((load, i) =>
    aLoadedNode(load, { id: ids[i] ?? 'z', open: Math.round(load * 1000), ...parts[i] }),
  );
  return assess(aSnapshot(nodes), policy);
}

describe('the room of a pool', () => {
  it('is what its nodes can take until they are nearly full', () => {
    const { connections } = roomFor(aFleet([0.5, 0.7, 0.3], [{}, {}, { adminState: 'drain' }]), 'c', 0);
    expect(connections).toBeCloseTo(450 + 250, -1);
  });

  it('leaves out nodes that may not take any, and those that nobody knows', () => {
    const fleet = aFleet([0.5, 0.5, 0.5], [{}, { adminState: 'drain' }, { load: undefined }]);
    expect(roomFor(fleet, 'b', 0).connections).toBeCloseTo(450, -1);
  });

  it('counts heavy connections as what they cause, and light ones as what the pool has', () => {
    const heavy = aFleet([0.8, 0.2, 0.4], [{ open: 200 }, { open: 800 }, { open: 400 }]);
    const light = roomFor(heavy, 'b', 0).connections;
    expect(roomFor(heavy, 'a', 0).connections).toBeCloseTo((light * (1.4 / 1400)) / (0.8 / 200), 5);
    expect(roomFor(heavy, 'c', 0).connections).toBeCloseTo(light, 5);
  });

  it('is wide where the others are idle and empty', () => {
    const fleet = aFleet([0.2, 0, 0], [{ adminState: 'drain' }]);
    expect(roomFor(fleet, 'a', 0).connections).toBeCloseTo(1900, -2);
  });

  it('has no bound where connections cost nothing', () => {
    const fleet = aFleet([0, 0], [{ open: 50 }]);
    expect(roomFor(fleet, 'a', 0).connections).toBe(Infinity);
  });

  it('counts no node beyond its maxConnections and none below 0', () => {
    const fleet = aFleet([0.5, 1.5], [{ maxConnections: 510 }]);
    expect(roomFor(fleet, 'b', 0).connections).toBeCloseTo(10, 5);
  });

  it('is not known without load data', () => {
    expect(roomFor(assess(aSnapshot([aNode({ open: 5 })]), policy), 'a', 0).connections).toBeNaN();
  });

  it('lets in what the guards of the nodes allow beside the usual arrivals', () => {
    const guarded = anOpenPolicy({ place: { connectRatePerSecond: 200 } });
    const nodes = ['a', 'b'].map((id) => aLoadedNode(0.2, { id, open: 10 }));
    const assessment = assess(aSnapshot(nodes), guarded);
    expect(roomFor(assessment, 'a', 50).connectsPerSecond).toBe(350);
    expect(roomFor(assessment, 'a', 5000).connectsPerSecond).toBe(0);
  });
});

describe('the forecast of a drain', () => {
  it('adds the work of the drained to the mean of those that stay', () => {
    const figures = forecastDrain(aFleet([0.6, 0.3, 0.3, 0.3]), new Set(['a']));
    expect(figures).toMatchObject({ connections: 600 });
    expect(figures?.before).toBeCloseTo(0.3, 5);
    expect(figures?.after).toBeCloseTo(0.5, 5);
  });

  it('adds what drains already, and leaves out who is down', () => {
    const fleet = aFleet([0.3, 0.3, 0.3, 0.3], [{}, { adminState: 'drain' }, { health: 'down' }]);
    expect(forecastDrain(fleet, new Set(['a']))?.after).toBeCloseTo(0.9, 5);
  });

  it('weighs work by the size of the nodes', () => {
    const fleet = aFleet([0.5, 0.5], [{ capacity: 1 }, { capacity: 2 }]);
    expect(forecastDrain(fleet, new Set(['a']))?.after).toBeCloseTo(0.75, 2);
    expect(forecastDrain(fleet, new Set(['b']))?.after).toBeCloseTo(1.5, 2);
  });

  it('says nothing without load data of those that stay', () => {
    expect(forecastDrain(aFleet([0.5]), new Set(['a']))).toBeUndefined();
    const unknown = assess(aSnapshot([aNode({ id: 'a' }), aNode({ id: 'b' })]), policy);
    expect(forecastDrain(unknown, new Set(['a']))).toBeUndefined();
  });
});
