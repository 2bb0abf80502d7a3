// What broke once: a panic was counted again after every change of state while it lasted, and never logged.
import { describe, expect, it } from 'vitest';
import { NodeRecord } from '../../../../src/balancer/state/node-record.ts';
import { HeraldError } from '../../../../src/core/error.ts';
import { aLoad, anIdentity } from '../../../support/a-node.ts';
import { aPlainPolicy } from '../../../support/a-policy.ts';
import { aRoom } from '../../../support/a-room.ts';
import { connectionsSeen } from '../../../support/a-snapshot.ts';

describe('Registry', () => {
  it('finds a node in any pool, or names the nearest', () => {
    const room = aRoom({ nodes: ['node-1', 'node-2'] });
    room.addPool('games', 'arena-1');
    expect(room.registry.node('arena-1').pool.name).toBe('games');
    expect(() => room.registry.node('node-3')).toThrow("there is no node 'node-3'; did you mean 'node-1'?");
    expect(() => room.registry.node('zzz')).toThrow(/^there is no node 'zzz'$/);
  });

  it('says what has changed, once for each change', () => {
    const room = aRoom({ nodes: ['a'] });
    room.notices.length = 0;
    room.registry.setAdminState('a', 'drain');
    room.registry.setAdminState('a', 'drain');
    room.registry.setCheckFailure('a', 'timeout');
    room.registry.setCheckFailure('a', 'refused');
    room.registry.setCheckFailure('a', 'refused');
    room.registry.setCheckFailure('a', '');
    room.registry.remove('a');
    expect(room.notices.map(({ event }) => event)).toEqual([
      'admin state changed',
      'node down',
      'node up',
      'node removed',
    ]);
    expect(room.notices[0]?.facts).toEqual({ pool: 'chat', node: 'a', from: 'ready', to: 'drain' });
  });

  it('keeps what an operator wants of a node whose address the configuration changes', () => {
    const room = aRoom({ nodes: ['a'] });
    room.registry.setAdminState('a', 'drain');
    const { policy } = room.registry.pool('chat');
    room.registry.configure([{ name: 'chat', policy, nodes: [anIdentity('a', { port: 7777 })] }]);
    expect(room.registry.node('a').node).toMatchObject({ adminState: 'drain', identity: { port: 7777 } });
  });

  it('lets a node that was down in step by step', () => {
    const room = aRoom({ nodes: ['a'] });
    room.clock.advance(60_000);
    room.registry.setCheckFailure('a', 'refused');
    room.clock.advance(20_000);
    room.registry.setCheckFailure('a', '');
    expect(room.registry.node('a').node.joinedAtMs).toBe(80_000);
  });

  it('refuses to remove a node that is not there', () => {
    expect(() => aRoom().registry.remove('a')).toThrow(HeraldError);
  });

  it('leaves no timer behind when it stops', () => {
    const room = aRoom({ nodes: ['a'] });
    room.clock.advance(1000);
    room.registry.stop();
    expect(room.clock.pending).toBe(0);
  });

  it('learns the throughput of a full node from the other signals, for saturation auto', () => {
    const policy = aPlainPolicy({
      signals: [
        { name: 'cpu', kind: 'additive', saturation: 1 },
        { name: 'throughput', kind: 'additive', saturation: 'auto' },
      ],
    });
    const room = aRoom({ policy, nodes: ['a'] });
    for (let second = 0; second < 120; second += 1) {
      room.clock.advance(1000);
      const throughput = 1000 + 500 * Math.sin(second);
      room.report({ id: 'a', signals: { cpu: 0.05 + throughput / 5000, throughput } });
      // What placement does all the time: reports are read by what the pool had taught by then.
      room.registry.pool('chat').assessment(room.clock.nowMs());
    }
    // 5 % idle, so full at 4,750/s. The intercept is doubted: a sixth of tolerance.
    room.report({ id: 'a', signals: { throughput: 4750 } });
    expect(room.registry.node('a').node.load?.latest.additive).toBeGreaterThan(0.9);
    expect(room.registry.node('a').node.load?.latest.additive).toBeLessThan(1.17);
  });

  it('measures what the relay carried over a span longer than its notes by the part it remembers', () => {
    const room = aRoom({ nodes: ['a'] });
    const lease = room.place();
    lease?.opened();
    for (let step = 0; step < 600; step += 1) {
      lease?.toClient(1, 1);
      room.clock.advance(100);
    }
    room.report({ id: 'a', intervalMs: 60_000, connections: 1 });
    expect(room.registry.node('a').node.load?.smoothedMessagesPerSecond).toBeCloseTo(10, 0);
  });
});

const beginning = (room: ReturnType<typeof aRoom>) => {
  for (const id of ['a', 'b', 'c']) room.report({ id });
  room.clock.advance(100);
  room.place()?.release();
  room.clock.advance(11_000);
  room.place()?.release();
};
const panics = (room: ReturnType<typeof aRoom>) =>
  room.notices.filter(({ event }) => event.startsWith('panic')).map(({ event }) => event);

describe('panic', () => {
  it('is counted and logged once while it lasts, whatever changes meanwhile', () => {
    const room = aRoom({ nodes: ['a', 'b', 'c'], visibility: connectionsSeen });
    beginning(room);
    for (const state of ['drain', 'ready', 'maint', 'ready'] as const) {
      room.registry.setAdminState('a', state);
      room.place()?.release();
    }
    expect(room.registry.pool('chat').panicsTotal).toBe(1);
    expect(panics(room)).toEqual(['panic began']);
  });

  it('ends when data is back, and counts again when it is lost again', () => {
    const room = aRoom({ nodes: ['a', 'b', 'c'], visibility: connectionsSeen });
    beginning(room);
    beginning(room);
    expect(room.registry.pool('chat').panicsTotal).toBe(2);
    expect(panics(room)).toEqual(['panic began', 'panic ended', 'panic began']);
  });
});

describe('PoolState', () => {
  it('shares an assessment while nothing has changed, and for 50 ms when counts have', () => {
    const room = aRoom({ nodes: ['a', 'b'] });
    const pool = room.registry.pool('chat');
    const first = pool.assessment(0);
    expect(pool.assessment(40)).toBe(first);
    pool.markDirty();
    expect(pool.assessment(49)).toBe(first);
    expect(pool.assessment(50)).not.toBe(first);
  });

  it('judges anew at once when a node or its state has changed', () => {
    const room = aRoom({ nodes: ['a', 'b'] });
    const pool = room.registry.pool('chat');
    const first = pool.assessment(0);
    room.registry.setAdminState('a', 'drain');
    expect(pool.assessment(0)).not.toBe(first);
  });

  it('keeps its picker with the same name and changes it with another', () => {
    const room = aRoom({ nodes: ['a'] });
    const pool = room.registry.pool('chat');
    const { picker } = pool;
    pool.replacePolicy(aPlainPolicy({ place: { maxShare: 0.3 } }));
    expect(pool.picker).toBe(picker);
    expect(pool.policy.place.maxShare).toBe(0.3);
    pool.replacePolicy(aPlainPolicy({ place: { picker: 'roundRobin' } }));
    expect(pool.picker).not.toBe(picker);
  });
});

describe('NodeRecord', () => {
  it('shows the same view until something but a count changes', () => {
    const node = new NodeRecord(anIdentity('a'), 'static', 0);
    const view = node.view(0);
    node.counters.open += 1;
    expect(node.view(1)).toBe(view);
  });

  it('shows a new view after each change', () => {
    const node = new NodeRecord(anIdentity('a'), 'static', 0);
    const changes: (() => void)[] = [
      () => (node.identity = anIdentity('a', { zone: 'eu-1' })),
      () => (node.load = aLoad()),
      () => (node.adminState = 'maint'),
      () => (node.joinedAtMs = 7),
      () => (node.checkFailure = 'timeout'),
      () => (node.hasLeft = true),
    ];
    for (const change of changes) {
      const before = node.view(0);
      change();
      expect(node.view(0)).not.toBe(before);
      expect(node.view(0)).toMatchObject({
        zone: node.identity.zone,
        load: node.load,
        adminState: node.adminState,
        joinedAtMs: node.joinedAtMs,
        healthReason: node.downReason(0),
      });
      expect(Object.isFrozen(node.view(0))).toBe(true);
    }
  });

  it('is up again when its ejection has run out', () => {
    const node = new NodeRecord(anIdentity('a'), 'static', 0);
    node.passive.eject(100);
    expect(node.view(99)).toMatchObject({
      health: 'down',
      healthReason: 'ejected: too many failed connections',
    });
    expect(node.view(100)).toMatchObject({ health: 'up', healthReason: '' });
  });
});
