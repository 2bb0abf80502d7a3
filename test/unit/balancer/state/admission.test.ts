import { describe, expect, it } from 'vitest';
import type { Lease, Refusal, Wait } from '../../../../src/balancer/state/ports.ts';
import { anIdentity } from '../../../support/a-node.ts';
import { anOpenPolicy, type PolicyParts } from '../../../support/a-policy.ts';
import { aRoom, type Room } from '../../../support/a-room.ts';

const cookies = { kind: 'cookie', name: 'herald', yieldAt: 1.1 } as const;

/** Nodes at 10 % each; ten connections a second for the pool, one of them at once, unless said otherwise. */
function aHeldRoom(parts: PolicyParts = {}, ids: readonly string[] = ['a', 'b']): Room {
  const admit = { ratePerSecond: 10, burstMs: 0, ...parts.admit };
  return aRoom({ policy: anOpenPolicy({ affinity: cookies, ...parts, admit }), nodes: ids });
}

/** What became of one client. */
interface Client {
  lease: Lease | undefined;
  refusal: Refusal | undefined;
  wait: Wait | undefined;
}

function come(
  room: Room,
  wish: { affinityNode?: string; excluded?: readonly string[]; pool?: string } = {},
): Client {
  const client: Client = { lease: undefined, refusal: undefined, wait: undefined };
  const request = {
    pool: wish.pool ?? 'chat',
    affinityNode: wish.affinityNode ?? '',
    excluded: new Set(wish.excluded),
  };
  const result = room.placement.place(request, {
    placed: (lease) => {
      expect(client).toMatchObject({ lease: undefined, refusal: undefined });
      client.lease = lease;
    },
    refused: (refusal) => {
      expect(client).toMatchObject({ lease: undefined, refusal: undefined });
      client.refusal = refusal;
    },
  });
  if (result.placed) client.lease = result.lease;
  else if (result.wait === undefined) client.refusal = result.refusal;
  else client.wait = result.wait;
  return client;
}

const many = (count: number, make: () => Client) => Array.from({ length: count }, make);
const placed = (clients: readonly Client[]) => clients.filter(({ lease }) => lease !== undefined).length;
const refused = (clients: readonly Client[]) => clients.filter(({ refusal }) => refusal !== undefined).length;
const queueOf = (room: Room) => room.registry.pool('chat').admission.queue;

describe("the pool's rate", () => {
  it('places at once while there are tokens, and lets nobody past those who wait', () => {
    const room = aHeldRoom();
    const [first, second] = many(2, () => come(room));
    expect(first?.lease).toBeDefined();
    expect(second?.wait).toBeDefined();
    // The token of the next tenth of a second is there, but it belongs to the second.
    room.clock.advance(99);
    const third = come(room);
    expect(third.wait).toBeDefined();
    room.clock.advance(26);
    expect(second?.lease).toBeDefined();
    expect(third.lease).toBeUndefined();
  });

  it('lets never more in than rate × time + burst', () => {
    const room = aHeldRoom({ admit: { burstMs: 500, maxWaitMs: 60_000 } });
    const clients = many(200, () => come(room));
    expect(placed(clients)).toBe(5);
    for (let tenth = 1; tenth <= 100; tenth += 1) {
      room.clock.advance(100);
      expect(placed(clients)).toBeLessThanOrEqual(5 + tenth);
    }
    expect(placed(clients)).toBeGreaterThanOrEqual(5 + 98);
  });

  it('does not take a second token from a connection whose first node failed', () => {
    const room = aHeldRoom();
    const first = come(room);
    first.lease?.failed('refused');
    expect(come(room, { excluded: [first.lease?.node.id ?? ''] }).lease).toBeDefined();
  });
});

describe("a node's connect rate", () => {
  it('is a limit in time, not of shares alone', () => {
    const room = aHeldRoom({ admit: { ratePerSecond: 'off' }, place: { connectRatePerSecond: 4 } });
    const clients = many(20, () => come(room));
    expect(placed(clients)).toBe(2);
    room.clock.advance(1000);
    expect(placed(clients)).toBeGreaterThanOrEqual(8);
    expect(placed(clients)).toBeLessThanOrEqual(10);
  });

  it('lets a client wait for the node that it was on, and others pass it', () => {
    const room = aHeldRoom({ admit: { ratePerSecond: 'off' }, place: { connectRatePerSecond: 2 } });
    expect(come(room, { affinityNode: 'a' }).lease?.node.id).toBe('a');
    const loyal = come(room, { affinityNode: 'a' });
    const other = come(room);
    room.clock.advance(25);
    expect(loyal.lease).toBeUndefined();
    expect(other.lease?.node.id).toBe('b');
    room.clock.advance(500);
    expect(loyal.lease?.node.id).toBe('a');
  });

  it('rises with slow start', () => {
    const policy = anOpenPolicy({ place: { connectRatePerSecond: 100, slowStartMs: 10_000 } });
    const room = aRoom({ policy, ageMs: 10_000 });
    room.report({ id: 'a' });
    expect(placed(many(50, () => come(room)))).toBe(10);
    room.clock.advance(5000);
    expect(placed(many(100, () => come(room)))).toBeLessThanOrEqual(50);
  });
});

describe('who waits', () => {
  it('is served in order, those who were on a node of the pool before the new', () => {
    const room = aHeldRoom();
    come(room);
    const fresh = come(room);
    const back = come(room, { affinityNode: 'gone' });
    room.clock.advance(100);
    expect([fresh.lease, back.lease].map((lease) => lease !== undefined)).toEqual([false, true]);
    room.clock.advance(100);
    expect(fresh.lease).toBeDefined();
  });

  it('leaves at once and costs nothing more when its client goes', () => {
    const room = aHeldRoom();
    come(room);
    const clients = many(3, () => come(room));
    clients[0]?.wait?.cancel();
    clients[0]?.wait?.cancel();
    expect(queueOf(room).size).toBe(2);
    room.clock.advance(1000);
    expect(clients.map(({ lease }) => lease !== undefined)).toEqual([false, true, true]);
    expect(room.registry.pool('chat').admission.outcomes).toEqual({ placed: 2, refused: 0, gone: 1 });
  });

  it('leaves no timer behind', () => {
    const room = aHeldRoom();
    const before = room.clock.pending;
    many(5, () => come(room));
    expect(room.clock.pending).toBe(before + 1);
    room.clock.advance(2000);
    expect(queueOf(room).size).toBe(0);
    expect(room.clock.pending).toBe(before);
  });

  it('is refused after the longest wait, with a hint', () => {
    const room = aHeldRoom({ admit: { maxWaitMs: 1000 }, place: { connectRatePerSecond: 1_000_000 } }, ['a']);
    room.report({ id: 'a', signals: { cpu: 0.1 } });
    come(room);
    const clients = many(8, () => come(room));
    // The rate is cut while they wait: eight would have come in time before.
    room.registry.configure([
      {
        name: 'chat',
        policy: anOpenPolicy({ admit: { ratePerSecond: 1, burstMs: 0, maxWaitMs: 1000 } }),
        nodes: [anIdentity('a')],
      },
    ]);
    room.clock.advance(1025);
    expect(placed(clients)).toBe(1);
    expect(refused(clients)).toBe(7);
    const hints = clients.flatMap(({ refusal }) => refusal?.retryAfterMs ?? []);
    expect(hints).toEqual(hints.toSorted((a, b) => a - b));
    expect(hints[6]).toBeGreaterThan(6000);
  });

  it('goes elsewhere when its node goes to drain, maint or down', () => {
    const room = aHeldRoom({ admit: { ratePerSecond: 'off' }, place: { connectRatePerSecond: 1 } });
    expect(come(room, { affinityNode: 'a' }).lease?.node.id).toBe('a');
    const loyal = come(room, { affinityNode: 'a' });
    expect(loyal.wait).toBeDefined();
    room.registry.setAdminState('a', 'drain');
    room.clock.advance(25);
    expect(loyal.lease?.node.id).toBe('b');
  });

  it('waits for room on a full node, but not where nobody can come', () => {
    const policy = anOpenPolicy();
    const room = aRoom({ policy, nodes: [anIdentity('a', { maxConnections: 1 })] });
    const first = come(room);
    const second = come(room);
    expect(second.wait).toBeDefined();
    first.lease?.release();
    room.clock.advance(25);
    expect(second.lease?.node.id).toBe('a');
    room.registry.setAdminState('a', 'maint');
    expect(come(room).refusal?.code).toBe('HERALD_NO_NODE');
  });

  it('stays in the queue over a reload, and is refused when its pool goes', () => {
    const room = aHeldRoom();
    come(room);
    const clients = many(3, () => come(room));
    const { policy } = room.registry.pool('chat');
    room.registry.configure([
      { name: 'chat', policy: { ...policy }, nodes: [anIdentity('a'), anIdentity('b')] },
    ]);
    room.clock.advance(125);
    expect(placed(clients)).toBe(1);
    room.registry.configure([]);
    room.clock.advance(25);
    expect(refused(clients)).toBe(2);
  });

  it('is refused when the balancer stops, as is who comes then', () => {
    const room = aHeldRoom();
    const before = room.clock.pending;
    come(room);
    const clients = many(3, () => come(room));
    room.placement.close();
    room.placement.close();
    expect(refused(clients)).toBe(3);
    expect(room.clock.pending).toBe(before);
    expect(come(room).refusal?.code).toBe('HERALD_NOT_ADMITTED');
  });
});

describe('the queue', () => {
  it('takes so many and no more; who returns takes the place of the newest', () => {
    const room = aHeldRoom({ admit: { queueLength: 3 } });
    come(room);
    const clients = many(4, () => come(room));
    expect(clients[3]?.refusal).toMatchObject({ code: 'HERALD_NOT_ADMITTED' });
    const back = come(room, { affinityNode: 'gone' });
    expect(back.wait).toBeDefined();
    expect(clients[2]?.refusal?.code).toBe('HERALD_NOT_ADMITTED');
    expect(queueOf(room).size).toBe(3);
  });

  it('does not take who would wait too long: at 10/s and two seconds those behind nineteen', () => {
    const room = aHeldRoom({ admit: { maxWaitMs: 2000 } });
    const clients = many(40, () => come(room));
    expect(refused(clients)).toBe(19);
    room.clock.advance(2000);
    expect(placed(clients)).toBe(21);
    expect(refused(clients)).toBe(19);
  });

  it('tells each of those refused a moment of its own, a tenth of a second apart at 10/s', () => {
    const room = aHeldRoom({ admit: { queueLength: 0 } });
    const hints = many(21, () => come(room)).flatMap(({ refusal }) => refusal?.retryAfterMs ?? []);
    expect(hints.map(Math.round)).toEqual(Array.from({ length: 20 }, (_, index) => 100 * (index + 1)));
  });

  it('tells the log once that it refuses, and once that it has caught up', () => {
    const room = aHeldRoom({ admit: { queueLength: 0 } });
    many(21, () => come(room));
    room.clock.advance(11_000);
    const told = room.notices.filter(({ event }) => event.startsWith('admission'));
    expect(told).toEqual([
      { event: 'admission refuses', facts: { pool: 'chat', waiting: 0 } },
      { event: 'admission caught up', facts: { pool: 'chat', refused: 20 } },
    ]);
  });
});

describe('plain requests', () => {
  const plain = (room: Room, affinityNode = '') =>
    room.placement.place({ pool: 'chat', affinityNode, excluded: new Set<string>(), kind: 'request' });

  it('are neither counted nor held', () => {
    const room = aHeldRoom();
    expect(Array.from({ length: 20 }, () => plain(room)).every((result) => result.placed)).toBe(true);
    expect(come(room).lease).toBeDefined();
  });

  it('are where the policy says so, but for those that go on with a session', () => {
    const room = aHeldRoom({ admit: { requests: 'admit' } });
    expect(plain(room).placed).toBe(true);
    expect(plain(room).placed).toBe(false);
    expect(plain(room, 'b')).toMatchObject({ placed: true, lease: { node: { id: 'b' } } });
    expect(plain(room, 'gone').placed).toBe(false);
  });
});

describe('the level', () => {
  /** One node that reports this, with twenty connections of which each is worth a hundredth. */
  function busy(cpu: number, parts: PolicyParts['admit'] = {}): Room {
    const room = aRoom({ policy: anOpenPolicy({ admit: parts }), nodes: ['a'] });
    for (let i = 0; i < 20; i += 1) room.place()?.opened();
    for (let second = 0; second < 10; second += 1) {
      room.report({ id: 'a', connections: 20, signals: { cpu: 0.8 * cpu } });
      room.clock.advance(1000);
    }
    return room;
  }

  it('holds who comes while reports show no room, and lets in when they do', () => {
    const room = busy(1);
    const client = come(room);
    expect(client.wait).toBeDefined();
    room.clock.advance(900);
    expect(client.lease).toBeUndefined();
    for (let second = 0; second < 3; second += 1) {
      room.report({ id: 'a', connections: 20, signals: { cpu: 0.4 } });
      room.clock.advance(500);
    }
    expect(client.lease).toBeDefined();
  });

  it('fills no more than half of the room between two reports', () => {
    const room = busy(0.8);
    // Each of twenty is taken to add four hundredths, so two fit into half of a fifth.
    expect(placed(many(10, () => come(room)))).toBeLessThanOrEqual(3);
  });

  it('holds nobody below half of the level: there the rates are the guard', () => {
    expect(placed(many(50, () => come(busy(0.3))))).toBe(50);
  });

  it('gives way after the time given, and says so', () => {
    const room = busy(1, { overfillAfterMs: 3000, maxWaitMs: 10_000 });
    const client = come(room);
    for (let second = 0; second < 4; second += 1) {
      room.report({ id: 'a', connections: 20, signals: { cpu: 0.8 } });
      room.clock.advance(1000);
    }
    expect(client.lease).toBeDefined();
    expect(room.notices).toContainEqual({ event: 'overfill began', facts: { pool: 'chat', fillTo: 1 } });
    expect(come(room).lease).toBeDefined();
  });
});
