// What broke once: affinity yielded by the predicted score. Before anything is learned a few requests at a time
// seem to fill a node, so polls of Socket.IO went to another node in the middle of their session.
import { describe, expect, it } from 'vitest';
import { aPlainPolicy } from '../../../support/a-policy.ts';
import { aRoom } from '../../../support/a-room.ts';

const policy = aPlainPolicy({ reports: { blackoutMs: 0 } });

describe('affinity', () => {
  it('holds however many connections come at once, where nothing has been reported', () => {
    const room = aRoom({ policy, nodes: ['a', 'b', 'c'] });
    const homes = Array.from({ length: 50 }, () => room.place({ affinityNode: 'b' })?.node.id);
    expect(new Set(homes)).toEqual(new Set(['b']));
  });

  it('holds however many connections come at once to a node that reports room', () => {
    const room = aRoom({ policy, nodes: ['a', 'b', 'c'] });
    for (const id of ['a', 'b', 'c']) room.report({ id, signals: { cpu: 0.5 } });
    const homes = Array.from({ length: 50 }, () => {
      room.clock.advance(60);
      return room.place({ affinityNode: 'b' })?.node.id;
    });
    expect(new Set(homes)).toEqual(new Set(['b']));
  });

  it('yields to placement when the node reports more than yieldAt', () => {
    const room = aRoom({ policy, nodes: ['a', 'b'] });
    room.report({ id: 'a', signals: { cpu: 0.2 } });
    room.report({ id: 'b', signals: { cpu: 1.2 } });
    expect(room.place({ affinityNode: 'b' })?.node.id).toBe('a');
  });

  it('holds on to a full node whose reports have expired: nothing is known of it any more', () => {
    const room = aRoom({ policy, nodes: ['a', 'b'] });
    room.report({ id: 'b', signals: { cpu: 1.2 } });
    room.clock.advance(20_000);
    expect(room.place({ affinityNode: 'b' })?.node.id).toBe('b');
  });

  it('yields to placement when the node may take nothing', () => {
    const room = aRoom({ policy, nodes: ['a', 'b'] });
    room.registry.setAdminState('b', 'drain');
    expect(room.place({ affinityNode: 'b' })?.node.id).toBe('a');
    expect(room.place({ affinityNode: 'unknown' })?.node.id).toBe('a');
  });
});
