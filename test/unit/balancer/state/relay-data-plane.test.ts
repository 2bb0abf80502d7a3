import { describe, expect, it } from 'vitest';
import type {
  Carrier,
  ConnectionKind,
  Goodbye,
  GoodbyeOutcome,
  Lease,
} from '../../../../src/balancer/state/ports.ts';
import { createRelayDataPlane } from '../../../../src/balancer/state/relay-data-plane.ts';
import { HeraldError } from '../../../../src/core/error.ts';
import { anOpenRoom, type Room } from '../../../support/a-room.ts';

const goodbye: Goodbye = { code: 1012, reason: 'reconnect', retryAfterMs: 1000, byMs: 60_000 };

interface StubCarrier extends Carrier {
  readonly heard: Goodbye[];
  settle(outcome: GoodbyeOutcome): void;
}

function aCarrier(nodeId: string, kind: ConnectionKind = 'websocket'): StubCarrier {
  const heard: Goodbye[] = [];
  let settled: (outcome: GoodbyeOutcome) => void = () => {};
  return {
    nodeId,
    kind,
    heard,
    leave(said, whenSettled) {
      heard.push(said);
      settled = whenSettled;
    },
    settle: (outcome) => settled(outcome),
  };
}

function placed(room: Room, kind?: ConnectionKind): { lease: Lease; carrier: StubCarrier } {
  const lease = room.place();
  if (lease === undefined) throw new Error('nothing placed');
  lease.opened();
  const carrier = aCarrier(lease.node.id, kind);
  lease.carriedBy(carrier);
  return { lease, carrier };
}

function aPlane(nodes: readonly string[] = ['a']) {
  const room = anOpenRoom();
  for (const id of nodes) room.registry.addStatic('chat', { ...identity, id });
  return { room, plane: createRelayDataPlane({ pools: room.registry.pools, clock: room.clock }) };
}

const identity = {
  id: 'a',
  host: '127.0.0.1',
  port: 1,
  capacity: undefined,
  zone: '',
  version: '',
  maxConnections: Infinity,
};

describe('the connections of a relay data plane', () => {
  it('are none for a pool or node that is not known, or before anybody carries them', () => {
    const { room, plane } = aPlane();
    expect(plane.connections('nowhere').size).toBe(0);
    room.place()?.opened();
    expect([plane.connections('chat').size, plane.connections('chat', 'b').size]).toEqual([0, 0]);
  });

  it('are listed from their opening to their release, by node or all', () => {
    const { room, plane } = aPlane(['a', 'b']);
    const all = Array.from({ length: 10 }, () => placed(room));
    expect(plane.connections('chat').size).toBe(10);
    const atA = all.filter(({ lease }) => lease.node.id === 'a');
    expect(plane.connections('chat', 'a')).toMatchObject({
      size: atA.length,
      nodeId: atA.map(() => 'a'),
      kind: atA.map(() => 'websocket'),
    });
    all[3]?.lease.release();
    all[3]?.lease.release();
    expect(plane.connections('chat').size).toBe(9);
    expect(new Set(plane.connections('chat').id).size).toBe(9);
  });

  it('have an age, and are in cooldown when they may be back from a goodbye, as long as the policy says', () => {
    const { room, plane } = aPlane();
    const first = placed(room);
    room.clock.advance(1000);
    placed(room);
    const cooldowns = () => [...plane.connections('chat').inCooldown];
    expect(cooldowns()).toEqual([0, 0]);
    plane.shed({
      pool: 'chat',
      connectionIds: [plane.connections('chat').id[0] ?? -1],
      goodbye: { code: 1012, reason: '', retryAfterMs: 2000, byMs: 60_000 },
    });
    first.lease.release();
    room.clock.advance(62_000);
    placed(room);
    room.clock.advance(1);
    placed(room);
    // Slots are given out again: the first of these has the place of the one that left.
    expect(cooldowns()).toEqual([1, 0, 0]);
    expect([...plane.connections('chat').ageMs]).toEqual([1, 62_001, 0]);
    room.clock.advance(300_000);
    expect(cooldowns()).toEqual([0, 0, 0]);
  });

  it('show messages and bytes per second of about a minute', () => {
    const { room, plane } = aPlane();
    const { lease } = placed(room);
    for (let i = 0; i < 600; i++) {
      lease.toNode(1, 100);
      lease.toClient(1, 300);
      room.clock.advance(500);
    }
    const { messagesPerSecond, bytesPerSecond } = plane.connections('chat');
    expect(messagesPerSecond[0]).toBeCloseTo(4, 3);
    expect(bytesPerSecond[0]).toBeCloseTo(800, 1);
  });

  it('do not take a burst of ten seconds for a heavy connection', () => {
    const { room, plane } = aPlane();
    const [steady, bursting] = [placed(room).lease, placed(room).lease];
    for (let second = 0; second < 180; second++) {
      steady.toNode(second % 10 === 0 ? 100 : 0, 0);
      if (second >= 170) bursting.toNode(40, 0);
      room.clock.advance(1000);
    }
    const [a = 0, b = 0] = plane.connections('chat').messagesPerSecond;
    // 10 a second for three minutes against 40 a second for the last ten seconds.
    expect(a).toBeGreaterThan(b);
  });

  it('share out what their node reports, the busier more, and nothing where it reports nothing', () => {
    const { room, plane } = aPlane([]);
    room.report({ id: 'a', signals: { cpu: 0.2 } });
    const [busy, idle] = [placed(room).lease, placed(room).lease];
    for (let second = 0; second < 60; second++) {
      busy.toNode(9, 0);
      idle.toNode(1, 0);
      room.clock.advance(1000);
      room.report({ id: 'a', signals: { cpu: 0.4 }, connections: 2 });
    }
    const { utilization: parts } = plane.connections('chat', 'a');
    const load = room.registry.node('a').node.load?.utilization ?? 0;
    const total = (parts[0] ?? 0) + (parts[1] ?? 0);
    expect(total).toBeGreaterThan(0);
    expect(total).toBeLessThanOrEqual(load + 1e-9);
    // 9 to 1 in truth; the prior of half a second at the mean, in a memory of about forty so far, makes it 8.5.
    expect((parts[0] ?? 0) / (parts[1] ?? 1)).toBeCloseTo(8.5, 1);
    // The reports expire, and with them what anything costs.
    room.clock.advance(60_000);
    expect([...plane.connections('chat', 'a').utilization]).toEqual([0, 0]);
  });
});

describe('shedding by a relay data plane', () => {
  it('says goodbye to exactly the connections named, and counts what came of it', () => {
    const { room, plane } = aPlane();
    const [first, second] = [placed(room).carrier, placed(room, 'sse').carrier];
    const [, id = -1] = plane.connections('chat').id;
    const outcomes: [number, GoodbyeOutcome][] = [];
    plane.shed({
      pool: 'chat',
      connectionIds: [id],
      goodbye,
      settled: (of, outcome) => outcomes.push([of, outcome]),
    });
    expect([first.heard, second.heard]).toEqual([[], [goodbye]]);
    expect([...plane.connections('chat').isLeaving]).toEqual([0, 1]);
    expect(outcomes).toEqual([]);
    second.settle('refusedByPeer');
    expect(outcomes).toEqual([[id, 'refusedByPeer']]);
    expect([...room.registry.node('a').node.goodbyes.all]).toEqual([
      { kind: 'sse', outcome: 'refusedByPeer', count: 1 },
    ]);
  });

  it('does not take the next connection in a slot for the one that was meant', () => {
    const { room, plane } = aPlane();
    const { lease } = placed(room);
    const [id = -1] = plane.connections('chat').id;
    lease.release();
    const { carrier } = placed(room);
    const outcomes: GoodbyeOutcome[] = [];
    const settled = (_id: number, outcome: GoodbyeOutcome) => outcomes.push(outcome);
    plane.shed({ pool: 'chat', connectionIds: [id, 12_345, -1, 0.5], goodbye, settled });
    plane.shed({ pool: 'nowhere', connectionIds: [id], goodbye, settled });
    expect(carrier.heard).toEqual([]);
    expect(outcomes).toEqual(Array.from({ length: 5 }, () => 'alreadyGone'));
    expect([...plane.connections('chat').isLeaving]).toEqual([0]);
  });

  it('has one way, and refuses one that it does not have', () => {
    const { plane } = aPlane();
    expect(plane.capabilities).toEqual({ ways: ['close'], listsConnections: true, takesShares: false });
    expect(() => plane.shed({ pool: 'chat', connectionIds: [], goodbye, way: 'move' })).toThrow(HeraldError);
    expect(plane.applyShares('chat', new Map([['a', 1]]))).toBeUndefined();
  });
});
