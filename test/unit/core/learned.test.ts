import { describe, expect, it } from 'vitest';
import { nodeLearnedReason, poolLearnedReason } from '../../../src/core/explain-learned.ts';
import { learnedOf, type Learned } from '../../../src/core/learned.ts';
import { anIdentity } from '../../support/a-node.ts';
import { aPlainPolicy } from '../../support/a-policy.ts';
import { aRoom, type Room } from '../../support/a-room.ts';
import { connectionsSeen } from '../../support/a-snapshot.ts';

const usualIdle = 0.1;

/** Thirty reports of each node: its idle part, and its slope for each connection; throughput is ten times connections. */
function aTaughtRoom(
  slopes: Readonly<Record<string, number>>,
  { isAuto = false, idle = usualIdle } = {},
): Room {
  const signals = [
    { name: 'cpu', kind: 'additive', saturation: 1 },
    ...(isAuto ? [{ name: 'throughput', kind: 'additive', saturation: 'auto' } as const] : []),
  ] as const;
  // Whoever sees no messages learns by connections alone.
  const room = aRoom({ policy: aPlainPolicy({ signals }), visibility: connectionsSeen });
  for (let second = 0; second < 30; second += 1) {
    room.clock.advance(1000);
    for (const [id, slope] of Object.entries(slopes)) {
      const connections = 10 + ((second * 37) % 90);
      const cpu = idle + slope * connections;
      room.report({ id, connections, signals: { cpu, throughput: 10 * connections } });
    }
  }
  return room;
}

function learned({ registry, clock }: Room): Learned {
  const pool = registry.pool('chat');
  return learnedOf(pool.assessment(clock.nowMs()), pool.policy.signals);
}

describe('what is learned', () => {
  it('of nodes of different sizes is each one’s own slope, and the pool’s is the median', () => {
    const { pool, nodes } = learned(aTaughtRoom({ a: 0.001, b: 0.002, c: 0.006 }));
    const [a, b, c] = nodes.map(({ connectionSlope }) => connectionSlope);
    expect(a?.own).toBeCloseTo(0.001, 3);
    expect(c?.own).toBeCloseTo(0.006, 3);
    expect(pool.connectionSlope).toBeCloseTo(b?.own ?? NaN, 9);
    for (const figure of [a, b, c]) {
      expect(figure?.from).toBe('own');
      expect(figure?.ofPool).toBe(pool.connectionSlope);
      expect(figure?.pairs).toBeGreaterThan(15);
    }
    expect(pool.idleByConnections).toBeCloseTo(usualIdle, 1);
    expect(pool.connectionPairs).toBeCloseTo(3 * (a?.pairs ?? NaN), 6);
    // (1 − 0.1) ÷ 0.006 = 150.
    expect(c?.amountWhenFull).toBeGreaterThan(120);
    expect(c?.amountWhenFull).toBeLessThan(180);
  });

  it('is taken from the pool for a node that has not reported, and from the pool by size where that is declared', () => {
    const room = aTaughtRoom({ a: 0.002, b: 0.002 });
    room.registry.addStatic('chat', anIdentity('silent'));
    room.registry.addStatic('chat', anIdentity('big', { capacity: 4 }));
    const { pool, nodes } = learned(room);
    const [, , silent, big] = nodes.map(({ connectionSlope }) => connectionSlope);
    expect(silent).toMatchObject({ from: 'pool', own: null, pairs: 0, value: pool.connectionSlope });
    expect(big).toMatchObject({ from: 'declared', own: null, value: (pool.connectionSlope ?? NaN) / 4 });
  });

  it('is nothing before the first reports, and says so', () => {
    const room = aRoom({ nodes: ['a'] });
    const { pool, nodes } = learned(room);
    expect(pool).toMatchObject({ messageCost: null, idleByMessages: null, connectionSlope: null });
    expect(nodes[0]?.connectionSlope).toEqual({
      value: null,
      own: null,
      ofPool: null,
      amountWhenFull: null,
      pairs: 0,
      from: 'none',
    });
    expect(poolLearnedReason(pool)).toBe('Nothing is learned yet.');
    expect(nodes.map(nodeLearnedReason)).toEqual(['Nothing is learned of it yet.']);
  });

  it('of an auto saturation is the throughput at which the rest would be full (within 40 %), where the policy says auto', () => {
    // Full at (1 − 0.1) ÷ 0.002 = 450 connections, which is 4,500 messages/s.
    const [told] = learned(aTaughtRoom({ a: 0.002 }, { isAuto: true })).nodes;
    expect(told?.autoSaturation).toBeGreaterThan(4500 * 0.6);
    expect(told?.autoSaturation).toBeLessThan(4500 * 1.4);
    expect(told?.throughputPairs).toBeGreaterThan(15);
    const [untold] = learned(aTaughtRoom({ a: 0.002 })).nodes;
    expect(untold?.autoSaturation).toBeNull();
  });

  it('of nodes whose load does not rise with anything is 0, and no amount fills them', () => {
    // The intercept is held back by its doubts: what is left is no slope to speak of.
    const [a] = learned(aTaughtRoom({ a: -0.005, b: -0.005 }, { idle: 0.6 })).nodes;
    expect(a?.connectionSlope).toMatchObject({ value: 0, own: 0, amountWhenFull: null, from: 'own' });
  });

  it('of nodes that have hardly shown any load is nothing: their idle part ÷ a connection or two is no slope', () => {
    const { pool, nodes } = learned(aTaughtRoom({ a: 0.0001, b: 0.0001 }, { idle: 0.02 }));
    expect(pool.connectionSlope).toBeNull();
    expect(nodes[0]?.connectionSlope).toMatchObject({ value: null, own: null, from: 'none' });
  });
});

describe('in a sentence', () => {
  const figure = {
    value: 0.00042,
    own: 0.00045,
    ofPool: 0.0002,
    amountWhenFull: 2261,
    pairs: 29.4,
    from: 'own',
  } as const;
  const nothing = {
    value: null,
    own: null,
    ofPool: null,
    amountWhenFull: null,
    pairs: 0,
    from: 'none',
  } as const;
  const node = {
    messageCost: figure,
    connectionSlope: nothing,
    autoSaturation: null,
    throughputPairs: 0,
    isRestored: false,
  };

  it('a node tells its cost, what fills it, and whose word that is', () => {
    expect(nodeLearnedReason(node)).toBe(
      "Learned: a message per second costs 0.042%, full at 2261 messages/s (from 29.4 pairs of its own; the pool's is 0.02%).",
    );
    expect(nodeLearnedReason({ ...node, messageCost: { ...figure, own: null, from: 'pool' } })).toContain(
      "(the pool's: it has too few pairs of its own)",
    );
    const declared = { ...figure, from: 'declared' } as const;
    expect(nodeLearnedReason({ ...node, messageCost: declared })).toContain(
      "(the pool's by its declared capacity; its own pairs say 0.045%)",
    );
    expect(nodeLearnedReason({ ...node, messageCost: { ...declared, own: null } })).toContain(
      "(the pool's by its declared capacity)",
    );
  });

  it('a node tells its slope, its auto saturation, and that it has not reported since the restart', () => {
    const slope = { ...figure, value: 0, amountWhenFull: null };
    const told = {
      ...node,
      messageCost: nothing,
      connectionSlope: slope,
      autoSaturation: 2400,
      isRestored: true,
    };
    expect(nodeLearnedReason(told)).toBe(
      "Learned before the restart: a connection adds 0% (from 29.4 pairs of its own; the pool's is 0.02%); throughput is full at 2400 messages/s (auto, 0 pairs).",
    );
  });

  it('a pool tells what a node of capacity 1 is taken to be', () => {
    const pool = {
      messageCost: 0.0002,
      idleByMessages: 0.05,
      messagePairs: 88.2,
      connectionSlope: null,
      idleByConnections: null,
      connectionPairs: 0,
    };
    const cost = 'a message per second costs 0.02% above 5% idle (88.2 pairs)';
    expect(poolLearnedReason(pool)).toBe(`Learned, for a node of capacity 1: ${cost}.`);
    const both = { ...pool, connectionSlope: 0.01, idleByConnections: 0, connectionPairs: 90 };
    expect(poolLearnedReason(both)).toContain(`${cost}, a connection adds 1% above 0% idle (90 pairs).`);
  });
});
