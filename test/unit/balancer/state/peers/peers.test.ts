import { describe, expect, it } from 'vitest';
import { anOpenPolicy } from '../../../../support/a-policy.ts';
import { aPeerFleet, type FleetPeer } from '../../../../support/a-peer-fleet.ts';

const nodes = ['a', 'b', 'c', 'd'];

function countersOf(peer: FleetPeer, node: string) {
  const record = peer.registry.pool('chat').nodes.get(node);
  if (record === undefined) throw new Error(`no node ${node}`);
  return record.counters;
}

function connectionsOn(peer: FleetPeer): number[] {
  return [...peer.registry.pool('chat').nodes.values()].map(({ counters }) => counters.connections);
}

describe('Peers', () => {
  it('a report to one levels placements of the other', async () => {
    const fleet = aPeerFleet({ nodes, policy: anOpenPolicy({ reports: { blackoutMs: 0 } }) });
    const [first, second] = [await fleet.join('lb-1'), await fleet.join('lb-2')];
    await fleet.run(200);
    for (let turn = 0; turn < 3; turn += 1) {
      for (const id of nodes)
        first.report({ id, signals: { cpu: id === 'a' ? 0.9 : 0.2 }, connections: 100 });
      await fleet.run(1000);
    }
    const assessment = second.registry.pool('chat').assessment(fleet.clock.nowMs());
    expect(assessment.basis).toBe('load');
    expect(assessment.share[0]).toBe(0);
    expect(second.registry.pool('chat').nodes.get('a')?.load?.sampledAtMs).toBeGreaterThan(2000);
  });

  it('a connection counts on every balancer within two ticks', async () => {
    const fleet = aPeerFleet({ nodes: ['a'] });
    const [first, second] = [await fleet.join('lb-1'), await fleet.join('lb-2')];
    await fleet.run(200);
    first.place()?.opened();
    await fleet.run(200);
    expect(countersOf(second, 'a').connections).toBe(1);
    expect(countersOf(second, 'a').ownConnections).toBe(0);
    expect(countersOf(second, 'a').peers.openedTotal).toBe(1);
  });

  it('four balancers by connections fill one fleet, not each its own', async () => {
    const fleet = aPeerFleet({ nodes, policy: anOpenPolicy({ place: { picker: 'leastConnections' } }) });
    const all = await Promise.all(['1', '2', '3', '4'].map((id) => fleet.join(`lb-${id}`)));
    await fleet.run(200);
    // Each gets three clients, one after the other: alone each would leave node d empty.
    for (const peer of all)
      for (let client = 0; client < 3; client += 1) {
        peer.place()?.opened();
        await fleet.run(200);
      }
    expect(all.map(connectionsOn)).toEqual(all.map(() => [3, 3, 3, 3]));
  });

  it('the arrivals of a pool are those of all its balancers', async () => {
    const fleet = aPeerFleet({ nodes });
    const [first, second] = [await fleet.join('lb-1'), await fleet.join('lb-2')];
    for (let tenth = 0; tenth < 50; tenth += 1) {
      first.place();
      await fleet.run(100);
    }
    const { arrivalsPerSecond } = second.registry.pool('chat').snapshot(fleet.clock.nowMs());
    expect(arrivalsPerSecond).toBeGreaterThan(5);
    expect(second.registry.pool('chat').arrivals.perSecond).toBe(0);
  });

  it('limits in time are divided, the limit of connections is counted over all', async () => {
    const policy = anOpenPolicy({ place: { connectRatePerSecond: 100 } });
    const fleet = aPeerFleet({ nodes, policy });
    const [first] = [await fleet.join('lb-1'), await fleet.join('lb-2')];
    await fleet.run(200);
    const pool = first.registry.pool('chat');
    expect(pool.ownPart.place.connectRatePerSecond).toBe(50);
    expect(pool.policy.place.connectRatePerSecond).toBe(100);
  });

  it('a balancer that says farewell takes its counts and its part of the rates with it', async () => {
    const fleet = aPeerFleet({ nodes: ['a'] });
    const [first, second] = [await fleet.join('lb-1'), await fleet.join('lb-2')];
    await fleet.run(200);
    second.place()?.opened();
    await fleet.run(200);
    expect(countersOf(first, 'a').connections).toBe(1);
    await second.stop();
    await fleet.run(50);
    expect(countersOf(first, 'a').connections).toBe(0);
    expect(first.registry.pool('chat').peers.balancers).toBe(1);
    expect(first.told.map(({ type }) => type)).toEqual(['peer.joined', 'peer.left']);
  });

  it('a balancer that is not heard any more drops out when presence ends', async () => {
    const fleet = aPeerFleet({ nodes: ['a'] });
    const [first, second] = [await fleet.join('lb-1'), await fleet.join('lb-2')];
    await fleet.run(200);
    second.place()?.opened();
    await fleet.run(200);
    fleet.hub.setCut('lb-2', true);
    await fleet.run(6000);
    expect(countersOf(first, 'a').connections).toBe(0);
  });

  it('a peer with another epoch starts at 0', async () => {
    const fleet = aPeerFleet({ nodes: ['a'] });
    const [first, second] = [await fleet.join('lb-1'), await fleet.join('lb-2')];
    await fleet.run(200);
    for (let client = 0; client < 5; client += 1) second.place()?.opened();
    await fleet.run(1200);
    expect(countersOf(first, 'a').peers).toMatchObject({ connections: 5, openedTotal: 5 });
    await second.stop();
    const again = await fleet.join('lb-2', 'lb-2-2');
    again.place()?.opened();
    await fleet.run(1200);
    expect(countersOf(first, 'a').connections).toBe(1);
  });

  it('a lost link keeps the last counts, which fade, and everything is right again after it', async () => {
    const fleet = aPeerFleet({ nodes: ['a'] });
    const [first, second] = [await fleet.join('lb-1'), await fleet.join('lb-2')];
    await fleet.run(200);
    for (let client = 0; client < 8; client += 1) second.place()?.opened();
    await fleet.run(1200);
    fleet.hub.setCut('lb-1', true);
    await fleet.run(6000);
    expect(countersOf(first, 'a').connections).toBeGreaterThanOrEqual(7);
    expect(first.place()).toBeDefined();
    await fleet.run(60_000);
    expect(countersOf(first, 'a').peers.connections).toBe(4);
    fleet.hub.setCut('lb-1', false);
    await fleet.run(1500);
    expect(countersOf(first, 'a').peers.connections).toBe(8);
    expect(first.told.map(({ type }) => type)).toEqual(['peer.joined', 'link.lost', 'link.restored']);
  });

  it('what a peer had before it was met does not look as if it had come since the last report', async () => {
    const fleet = aPeerFleet({ nodes: ['a', 'b'], policy: anOpenPolicy({ reports: { blackoutMs: 0 } }) });
    const old = await fleet.join('lb-1');
    for (let client = 0; client < 100; client += 1) old.place()?.opened();
    const young = await fleet.join('lb-2');
    for (const id of ['a', 'b']) young.report({ id, signals: { cpu: 0.4 }, connections: 50 });
    expect(connectionsOn(young)).toEqual([0, 0]);
    await fleet.run(300);
    expect(connectionsOn(young)).toEqual([50, 50]);
    const node = young.registry.pool('chat').nodes.get('a');
    expect(node?.load?.countedAtSample).toBe(node?.counters.connections);
    expect(young.registry.pool('chat').assessment(fleet.clock.nowMs()).score[0]).toBeCloseTo(0.5);
  });

  it('a balancer that starts knows nodes and loads before their next report', async () => {
    const fleet = aPeerFleet({ policy: anOpenPolicy({ reports: { blackoutMs: 0 } }) });
    const old = await fleet.join('lb-1');
    for (const id of ['a', 'b']) old.report({ id, signals: { cpu: 0.4 } });
    await fleet.run(2000);
    const young = await fleet.join('lb-2');
    const heard = young.peers.firstWords().then(() => [...young.registry.pool('chat').nodes.keys()]);
    await fleet.run(300);
    expect(await heard).toEqual(['a', 'b']);
    const sampledAgoMs =
      fleet.clock.nowMs() - (young.registry.pool('chat').nodes.get('a')?.load?.sampledAtMs ?? 0);
    expect(sampledAgoMs).toBe(2300);
  });

  it('a report of an agent’s earlier life is not said again', async () => {
    const fleet = aPeerFleet({ policy: anOpenPolicy({ reports: { blackoutMs: 0 } }) });
    const [first, second] = [await fleet.join('lb-1'), await fleet.join('lb-2')];
    await fleet.run(200);
    first.report({ id: 'a', epoch: 'life-1' });
    await fleet.run(300);
    second.report({ id: 'a', epoch: 'life-2', seq: 1, identity: 'agent' });
    await fleet.run(300);
    const third = await fleet.join('lb-3');
    await fleet.run(300);
    for (const peer of [first, second, third])
      expect(peer.registry.pool('chat').nodes.get('a')?.load?.epoch).toBe('life-2');
  });

  it('a word that cannot be read is told once', async () => {
    const fleet = aPeerFleet({ nodes: ['a'] });
    const [first, second] = [await fleet.join('lb-1'), await fleet.join('lb-2')];
    await fleet.run(200);
    for (const text of ['{"v":2}', '{"v":2}', 'nonsense', '{"v":1,"e":"x","a":-1,"n":[]}'])
      second.store.say('pool:chat', text);
    await fleet.run(100);
    const troubles = first.told.filter(({ type }) => type === 'peer.notUnderstood');
    expect(troubles.map(({ facts }) => facts['cause'])).toEqual(['version', 'malformed']);
  });

  it('a balancer alone says nothing', async () => {
    const fleet = aPeerFleet({ nodes: ['a'] });
    const only = await fleet.join('lb-1');
    const said: string[] = [];
    only.store.say = (_, text) => void said.push(text);
    only.place()?.opened();
    only.report({ id: 'a' });
    await fleet.run(2000);
    expect(said).toEqual([]);
  });
});
