// One placement whole: affinity, exclusion, room, refusal, ejection. What broke once: a retry counted as one more
// arrival, and a node that could not be ejected was said so at every failure, each of which looked through all others.
import { describe, expect, it } from 'vitest';
import { anIdentity } from '../../../support/a-node.ts';
import { aPlainPolicy } from '../../../support/a-policy.ts';
import { aRoom, type Room } from '../../../support/a-room.ts';

function refusalOf(room: Room, excluded: readonly string[] = []) {
  const result = room.placement.place({ pool: 'chat', affinityNode: '', excluded: new Set(excluded) });
  return result.placed ? undefined : result.refusal;
}

const settled = () => {
  const room = aRoom({ nodes: ['a', 'b'] });
  room.report({ id: 'a', signals: { cpu: 0.9 } });
  room.report({ id: 'b', signals: { cpu: 0.1 } });
  return room;
};

const failOn = (room: Room, id: string, times: number, reason: 'refused' | 'local' = 'refused') => {
  const others = [...room.registry.pool('chat').nodes.keys()].filter((each) => each !== id);
  for (let i = 0; i < times; i += 1) room.place({ excluded: others })?.failed(reason);
};
const isDown = (room: Room, id: string) =>
  room.registry.node(id).node.view(room.clock.nowMs()).health === 'down';

describe('place', () => {
  it('refuses a pool that is not there', () => {
    const result = aRoom().placement.place({ pool: 'none', affinityNode: '', excluded: new Set() });
    expect(result).toEqual({
      placed: false,
      refusal: { code: 'HERALD_POOL_UNKNOWN', message: "no pool 'none'" },
    });
  });

  it('refuses with the reasons counted', () => {
    const room = aRoom({ nodes: ['a', 'b', 'c', 'd', anIdentity('e', { maxConnections: 0 })] });
    room.registry.setAdminState('a', 'drain');
    room.registry.setAdminState('b', 'drain');
    room.registry.setCheckFailure('c', 'timeout');
    expect(refusalOf(room, ['d'])).toEqual({
      code: 'HERALD_NO_NODE',
      message: "no node of pool 'chat' may take a connection: 2 drain, 1 down, 1 excluded, 1 full",
    });
  });

  it('refuses one more than the pool may have, and takes the next when one has gone', () => {
    const policy = aPlainPolicy();
    const room = aRoom({
      nodes: ['a', 'b'],
      policy: { ...policy, admit: { ...policy.admit, maxConnections: 2 } },
    });
    const first = room.place({});
    room.place({})?.opened();
    expect(refusalOf(room)).toEqual({
      code: 'HERALD_POOL_FULL',
      message: "pool 'chat' has its 2 connections",
    });
    first?.failed('refused');
    room.registry.pool('chat').siblingConnections = 1;
    expect(refusalOf(room)?.code).toBe('HERALD_POOL_FULL');
    room.registry.pool('chat').siblingConnections = 0;
    expect(refusalOf(room, ['a'])).toBeUndefined();
  });

  it('refuses a pool without nodes', () => {
    expect(refusalOf(aRoom())?.message).toBe("no node of pool 'chat' may take a connection: it has no nodes");
  });

  it('tells the node where the connection is to go', () => {
    const room = aRoom({ nodes: [anIdentity('a', { host: '10.0.0.1', port: 8081 })] });
    expect(room.place()?.node).toMatchObject({ id: 'a', host: '10.0.0.1', port: 8081 });
  });

  it('never places more than a node may hold, however many come at once', () => {
    const room = aRoom({
      nodes: [anIdentity('a', { maxConnections: 3 }), anIdentity('b', { maxConnections: 4 })],
    });
    const leases = Array.from({ length: 20 }, () => room.place());
    expect(leases.filter((lease) => lease !== undefined).length).toBe(7);
    leases[0]?.release();
    expect(room.place()?.node.id).toBe(leases[0]?.node.id);
  });

  it('knows the policy of its pools', () => {
    const policy = aPlainPolicy();
    const room = aRoom({ policy });
    expect(room.placement.policyOf('chat')).toBe(policy);
    expect(room.placement.policyOf('none')).toBeUndefined();
  });
});

describe('arrivals', () => {
  it('are connections, not attempts: a retry on another node is no arrival', () => {
    const room = aRoom({ nodes: ['a', 'b', 'c'] });
    for (let step = 0; step < 100; step += 1) {
      room.place()?.failed('refused');
      room.place({ excluded: ['a'] })?.failed('refused');
      room.place({ excluded: ['a', 'b'] })?.opened();
      room.clock.advance(100);
    }
    expect(room.registry.pool('chat').arrivals.perSecond).toBeCloseTo(10, 6);
  });
});

describe('affinity', () => {
  it('keeps a client where it was, also on the busier node', () => {
    expect(settled().place({ affinityNode: 'a' })?.node.id).toBe('a');
  });

  it('yields above its limit, to a node that may not be taken, and to exclusion', () => {
    const full = settled();
    full.clock.advance(1000);
    for (let i = 0; i < 8; i += 1) {
      full.report({ id: 'a', signals: { cpu: 1.4 } });
      full.clock.advance(1000);
    }
    expect(full.place({ affinityNode: 'a' })?.node.id).toBe('b');
    const drained = settled();
    drained.registry.setAdminState('a', 'drain');
    expect(drained.place({ affinityNode: 'a' })?.node.id).toBe('b');
    expect(settled().place({ affinityNode: 'a', excluded: ['a'] })?.node.id).toBe('b');
  });

  it('ignores a node that is gone, and is off where the policy says so', () => {
    expect(settled().place({ affinityNode: 'gone' })?.node.id).toBe('b');
    const room = aRoom({ nodes: ['a', 'b'], policy: { ...aPlainPolicy(), affinity: { kind: 'none' } } });
    room.report({ id: 'a', signals: { cpu: 0.9 } });
    room.report({ id: 'b', signals: { cpu: 0.1 } });
    expect(room.place({ affinityNode: 'a' })?.node.id).toBe('b');
  });
});

describe('passive health', () => {
  it('ejects a node after too many failures, and takes it back in time', () => {
    const room = aRoom({ nodes: ['a', 'b'] });
    failOn(room, 'a', 4);
    expect(isDown(room, 'a')).toBe(false);
    failOn(room, 'a', 1);
    expect(isDown(room, 'a')).toBe(true);
    expect(Array.from({ length: 10 }, () => room.place()?.node.id)).not.toContain('a');
    expect(room.notices.at(-1)).toMatchObject({
      event: 'node ejected',
      facts: { node: 'a', reason: 'refused' },
    });
    room.clock.advance(30_000);
    expect(isDown(room, 'a')).toBe(false);
    expect(room.place({ excluded: ['b'] })?.node.id).toBe('a');
  });

  it('never ejects more than the policy lets it', () => {
    const room = aRoom({ nodes: ['a', 'b', 'c'] });
    failOn(room, 'a', 5);
    failOn(room, 'b', 5);
    expect([isDown(room, 'a'), isDown(room, 'b')]).toEqual([true, false]);
    expect(room.notices.at(-1)).toMatchObject({
      event: 'node not ejected: too many are already',
      facts: { node: 'b', ejected: 1 },
    });
  });

  it('says once in a window that it cannot eject, however many fail', () => {
    const room = aRoom({ nodes: ['a'] });
    const said = () => room.notices.filter(({ event }) => event.startsWith('node not ejected')).length;
    failOn(room, 'a', 500);
    expect(said()).toBe(1);
    room.clock.advance(10_000);
    failOn(room, 'a', 500);
    expect(said()).toBe(2);
  });

  it('does not blame a node for trouble of our own, and forgives when it answers', () => {
    const room = aRoom({ nodes: ['a', 'b'] });
    failOn(room, 'a', 50, 'local');
    expect(isDown(room, 'a')).toBe(false);
    failOn(room, 'a', 4);
    room.place({ excluded: ['b'] })?.opened();
    failOn(room, 'a', 4);
    expect(isDown(room, 'a')).toBe(false);
  });
});
