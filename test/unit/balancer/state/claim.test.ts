// Whose report is it, from the registry's side: ids, addresses, reporters, coming back and being forgotten.
import { describe, expect, it } from 'vitest';
import { anIdentity } from '../../../support/a-node.ts';
import { aReport } from '../../../support/a-report.ts';
import { aRoom } from '../../../support/a-room.ts';

/** A room past the balancer's own start, so that nodes that report from now on are newcomers. */
function lateRoom(options: Parameters<typeof aRoom>[0] = {}) {
  const room = aRoom(options);
  room.clock.advance(10_000);
  return room;
}

describe('a report of an unknown id', () => {
  it('registers a node at its address', () => {
    const room = lateRoom();
    room.report({ id: 'new', capacity: 2, version: '1.4', host: '10.0.0.7', port: 8081 });
    const { node } = room.registry.node('new');
    expect(node.identity).toMatchObject({
      id: 'new',
      host: '10.0.0.7',
      port: 8081,
      capacity: 2,
      version: '1.4',
    });
    expect(node.origin).toBe('registered');
    expect(room.notices.at(-1)).toEqual({
      event: 'node joined',
      facts: { pool: 'chat', node: 'new', address: '10.0.0.7:8081' },
    });
  });

  it('starts its slow start when the balancer runs, and none while it starts itself', () => {
    const room = aRoom();
    room.report({ id: 'early' });
    room.clock.advance(5000);
    room.report({ id: 'late' });
    expect(room.registry.node('early').node.joinedAtMs).toBe(-Infinity);
    expect(room.registry.node('late').node.joinedAtMs).toBe(5000);
  });

  it('registers nothing when it is a goodbye', () => {
    const room = lateRoom();
    room.report({ id: 'gone', leaving: true });
    expect(room.registry.pool('chat').nodes.size).toBe(0);
  });

  it('is refused for a pool that is not there, with the nearest name', () => {
    const room = lateRoom();
    expect(() => room.report({ pool: 'chta' })).toThrow("there is no pool 'chta'; did you mean 'chat'?");
    expect(() => room.report({ pool: 'warehouse' })).toThrow(/^there is no pool 'warehouse'$/);
  });
});

describe('an address', () => {
  it('is one node: a second id for it is refused while the first reports', () => {
    const room = lateRoom();
    room.report({ id: 'a', port: 9000 });
    expect(() => room.report({ id: 'b', port: 9000 })).toThrow(
      "node 'b' may not join: 127.0.0.1:9000 is node 'a' already",
    );
    expect([...room.registry.pool('chat').nodes.keys()]).toEqual(['a']);
  });

  it('is free for another id once the reports of the first have expired', () => {
    const room = lateRoom();
    room.report({ id: 'a', port: 9000 });
    room.clock.advance(11_000);
    room.report({ id: 'b', port: 9000 });
    expect(room.registry.node('b').node.identity.port).toBe(9000);
  });
});

describe('a claimed id', () => {
  it('is taken for another pool', () => {
    const room = lateRoom();
    room.addPool('games');
    room.report({ id: 'a' });
    expect(() => room.report({ id: 'a', pool: 'games' })).toThrow("taken: it is a node of pool 'chat'");
    expect(room.registry.pool('games').nodes.size).toBe(0);
  });

  it('is taken for another address while its reports are fresh', () => {
    const room = lateRoom();
    room.report({ id: 'a' });
    room.clock.advance(9000);
    expect(() => room.report({ id: 'a', port: 9001 })).toThrow(
      expect.objectContaining({ code: 'HERALD_NODE_ID_TAKEN' }),
    );
    expect(room.registry.node('a').node.identity.port).toBe(9000);
  });

  it('is taken for another reporter while its reports are fresh', () => {
    const room = lateRoom();
    room.report({ id: 'a', identity: 'token-1' });
    expect(() => room.report({ id: 'a', identity: 'token-2' })).toThrow(/another reporter has claimed it/);
  });

  it('moves to another address and reporter once its reports have expired', () => {
    const room = lateRoom();
    room.report({ id: 'a', identity: 'token-1' });
    room.clock.advance(10_001);
    room.report({ id: 'a', identity: 'token-2', host: '10.0.0.8', epoch: 'e2' });
    expect(room.registry.node('a').node.identity.host).toBe('10.0.0.8');
    expect(room.registry.node('a').node.registeredBy).toBe('token-2');
    expect(room.notices.at(-1)?.facts['address']).toBe('10.0.0.8:9000');
  });

  it('of a static node is taken for another address, fresh or not', () => {
    const room = lateRoom({ nodes: ['a'] });
    expect(() => room.report({ id: 'a', port: 9001 })).toThrow(
      /the configuration gives it the address 127.0.0.1:9000/,
    );
  });

  it('of a static node keeps what the configuration says, and takes its version from the report', () => {
    const room = lateRoom({ nodes: [anIdentity('a', { capacity: 2, maxConnections: 7 })] });
    room.report({ id: 'a', capacity: 9, version: '2.0' });
    expect(room.registry.node('a').node.identity).toMatchObject({
      capacity: 2,
      maxConnections: 7,
      version: '2.0',
    });
  });
});

describe('a report of a known node', () => {
  it('is stale when its number is not above the last of its epoch, and changes nothing', () => {
    const room = lateRoom();
    room.report({ id: 'a', seq: 5 });
    const { node } = room.registry.node('a');
    const before = node.load;
    for (const seq of [5, 4, 0])
      expect(() => room.report({ id: 'a', seq })).toThrow(
        expect.objectContaining({ code: 'HERALD_REPORT_STALE' }),
      );
    expect(node.load).toBe(before);
    room.report({ id: 'a', seq: 6 });
    expect(node.load?.seq).toBe(6);
  });

  it('answers what the operator wants', () => {
    const room = lateRoom({ nodes: ['a'] });
    room.registry.setAdminState('a', 'drain');
    const answer = room.registry.applyReport(aReport(), { identity: '', host: '127.0.0.1', port: 9000 });
    expect(answer).toBe('drain');
  });

  it('starts slow start again when its agent has restarted', () => {
    const room = lateRoom({ nodes: ['a'] });
    room.report({ id: 'a' });
    room.clock.advance(1000);
    room.report({ id: 'a', epoch: 'e2', seq: 0 });
    expect(room.registry.node('a').node.joinedAtMs).toBe(11_000);
    expect(room.notices.at(-1)?.event).toBe('node restarted');
  });
});

describe('a node that leaves', () => {
  it('is down at once and forgotten when its last connection has ended', () => {
    const room = lateRoom();
    room.report({ id: 'a' });
    const lease = room.place();
    lease?.opened();
    room.report({ id: 'a', leaving: true });
    expect(room.place()).toBeUndefined();
    room.clock.advance(5000);
    expect(room.registry.pool('chat').nodes.has('a')).toBe(true);
    lease?.release();
    room.clock.advance(100);
    expect(room.registry.pool('chat').nodes.has('a')).toBe(false);
    expect(room.notices.map(({ event }) => event)).toEqual(['node joined', 'node left', 'node removed']);
  });

  it('comes back with its next report', () => {
    const room = lateRoom({ nodes: ['a'] });
    room.report({ id: 'a' });
    room.report({ id: 'a', leaving: true });
    expect(room.place()).toBeUndefined();
    room.clock.advance(1000);
    room.report({ id: 'a', epoch: 'e2' });
    expect(room.place()?.node.id).toBe('a');
  });

  it('gives its id free at once', () => {
    const room = lateRoom();
    room.report({ id: 'a' });
    room.place()?.opened();
    room.report({ id: 'a', leaving: true });
    room.report({ id: 'a', host: '10.0.0.9', identity: 'other', epoch: 'e2' });
    expect(room.registry.node('a').node.identity.host).toBe('10.0.0.9');
  });

  it('is not forgotten when the configuration names it', () => {
    const room = lateRoom({ nodes: ['a'] });
    room.report({ id: 'a' });
    room.report({ id: 'a', leaving: true });
    room.clock.advance(600_000);
    expect(room.registry.node('a').node.hasLeft).toBe(true);
  });
});

describe('a registered node that is down and silent', () => {
  it('is forgotten after a minute, and not while its agent reports', () => {
    const room = lateRoom();
    room.report({ id: 'silent' });
    room.report({ id: 'talking', port: 9001 });
    room.registry.setCheckFailure('silent', 'connect: refused');
    room.registry.setCheckFailure('talking', 'connect: refused');
    for (let second = 0; second < 65; second += 1) {
      room.clock.advance(1000);
      room.report({ id: 'talking', port: 9001 });
    }
    expect([...room.registry.pool('chat').nodes.keys()]).toEqual(['talking']);
  });

  it('is kept when it is up: silence alone is no death', () => {
    const room = lateRoom();
    room.report({ id: 'a' });
    room.clock.advance(600_000);
    expect(room.registry.pool('chat').nodes.has('a')).toBe(true);
  });
});
