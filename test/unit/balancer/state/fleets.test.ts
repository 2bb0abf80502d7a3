// Whole fleets in small closed loops: registry, placement, reports and relay counts against nodes of known load.
import { describe, expect, it } from 'vitest';
import type { Lease } from '../../../../src/balancer/state/ports.ts';
import type { Rng } from '../../../../src/core/rng.ts';
import { aPlainPolicy } from '../../../support/a-policy.ts';
import { aRoom, type Room } from '../../../support/a-room.ts';
import { connectionsSeen, relaySees } from '../../../support/a-snapshot.ts';
import { Fleet, maxToMean } from './fleet.ts';

const ids = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);
const seeds = [1, 2, 3];

const noise = (_: string, __: unknown, rng: Rng) => 0.005 + 0.025 * rng.next();

/** Lognormal with sigma 1: a mean of 1.65 and a long tail. */
const heavyTailed = (rng: Rng) =>
  Math.exp(Math.sqrt(-2 * Math.log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next()));

const size = (id: string) => [1, 0.5, 2][Number(id.slice(1)) % 3] ?? 1;

/** The connections of one node, brought to the number wanted by placing and closing. */
function adjust(room: Room, id: string, { leases, wanted }: { leases: Lease[]; wanted: number }): void {
  for (let missing = wanted - leases.length; missing > 0; missing -= 1) {
    const lease = room.place({ excluded: id === 'a' ? ['b'] : ['a'] });
    lease?.opened();
    if (lease !== undefined) leases.push(lease);
  }
  while (leases.length > wanted) leases.pop()?.release();
}

/** Two nodes at 2 % and a point for each connection, one report a second; what `a` scores, and what is true. */
function follow(wantedAt: (second: number) => number): { scored: number; truth: number }[] {
  const room = aRoom({ nodes: ['a', 'b'], visibility: connectionsSeen });
  const open: Record<'a' | 'b', Lease[]> = { a: [], b: [] };
  const both = ['a', 'b'] as const;
  const seen: { scored: number; truth: number }[] = [];
  const compare = (second: number) => {
    const { score } = room.registry.pool('chat').assessment(room.clock.nowMs());
    if (second >= 30) seen.push({ scored: score[0] ?? NaN, truth: 0.02 + 0.01 * open.a.length });
  };
  for (let second = 0; second < 60; second += 1) {
    room.clock.advance(1000);
    for (const id of both)
      room.report({ id, connections: open[id].length, signals: { cpu: 0.02 + 0.01 * open[id].length } });
    room.clock.advance(200);
    compare(second);
    for (const id of both) adjust(room, id, { leases: open[id], wanted: wantedAt(second) });
    room.clock.advance(100);
    compare(second);
  }
  return seen;
}

describe('an idle fleet', () => {
  it.each([
    [1, relaySees],
    [2, relaySees],
    [3, relaySees],
    [10, relaySees],
    [2, connectionsSeen],
    [10, connectionsSeen],
  ])('of %d nodes is levelled by connections, not by noise (max ÷ mean under 1.1)', (count, visibility) => {
    for (const seed of seeds) {
      const fleet = new Fleet({
        nodes: ids(count),
        seed,
        visibility,
        arrivals: 20,
        holdMs: 60_000,
        loadOf: noise,
      });
      fleet.run(60);
      expect(maxToMean(fleet.spread)).toBeLessThan(1.1);
    }
  });

  it('without any arrival stays as it is', () => {
    const fleet = new Fleet({ nodes: ids(3), seed: 1, arrivals: 0, loadOf: noise });
    fleet.run(20);
    expect(fleet.spread).toEqual([0, 0, 0]);
  });
});

describe('a loaded fleet of unknown sizes 1, 0.5 and 2', () => {
  it.each([1, 2, 3, 10])(
    'of %d nodes is levelled by load (time-average of max ÷ mean under 1.3)',
    (count) => {
      for (const seed of seeds) {
        const fleet = new Fleet({
          nodes: ids(count),
          seed,
          arrivals: 10 * count,
          holdMs: 20_000,
          rateOf: heavyTailed,
          loadOf: (id, carried) => 0.05 + (0.0015 * carried.messagesPerSecond) / size(id),
        });
        fleet.run(60);
        let total = 0;
        for (let second = 0; second < 20; second += 1) {
          fleet.run(1);
          total += maxToMean(fleet.loads);
        }
        expect(total / 20).toBeLessThan(1.3);
      }
    },
  );
});

describe('a liar', () => {
  it('that always claims to be idle gets no more than its part and a tenth (6 nodes)', () => {
    for (const seed of seeds) {
      const fleet = new Fleet({
        nodes: ids(6),
        seed,
        arrivals: 60,
        holdMs: 20_000,
        rateOf: () => 2,
        loadOf: (_, carried) => 0.05 + 0.0015 * carried.messagesPerSecond,
        claimOf: (id, load) => (id === 'n0' ? 0.001 : load),
      });
      fleet.run(80);
      const mean = fleet.spread.reduce((sum, each) => sum + each, 0) / 6;
      expect(fleet.connections('n0')).toBeLessThan(1.1 * mean);
    }
  });
});

describe('a broadcast fleet', () => {
  it('fills a new empty node in its slow start without burying it (5 nodes and one, max ÷ mean under 1.15)', () => {
    for (const seed of seeds) {
      const fleet = new Fleet({
        nodes: ids(5),
        seed,
        arrivals: 50,
        holdMs: 20_000,
        rateOf: () => 5,
        // Every message goes to everybody: what a node sends follows its connections, above an overhead of its own.
        loadOf: (_, carried, rng) => 0.1 + 0.0005 * carried.messagesPerSecond + 0.02 * rng.next(),
      });
      fleet.run(60);
      fleet.join('new');
      fleet.run(20);
      expect(fleet.connections('new')).toBeLessThan(1.1 * Math.max(...fleet.spread));
      expect(fleet.connections('new')).toBeGreaterThan(50);
      fleet.run(60);
      expect(maxToMean(fleet.spread)).toBeLessThan(1.15);
    }
  });

  it('whose load does not follow connections at all starves and buries nobody (within a half to double the mean)', () => {
    for (const seed of seeds) {
      const fleet = new Fleet({
        nodes: ids(5),
        seed,
        arrivals: 30,
        holdMs: 20_000,
        rateOf: () => 1,
        loadOf: (_, __, rng) => 0.35 + 0.05 * rng.next(),
      });
      fleet.run(90);
      expect(maxToMean(fleet.spread)).toBeLessThan(2);
      expect(Math.min(...fleet.spread)).toBeGreaterThan(30 * 20 * 0.2 * 0.5);
    }
  });
});

describe('5,000 nodes', () => {
  it('take 10,000 connections two each, give or take six, and all give them back (seed 5)', () => {
    const room = aRoom({ nodes: ids(5000), seed: 5, policy: aPlainPolicy() });
    for (const id of ids(5000)) room.report({ id, signals: { cpu: 0.02 } });
    const leases = [];
    for (let tenth = 0; tenth < 20; tenth += 1) {
      for (let i = 0; i < 500; i += 1) leases.push(room.place());
      room.clock.advance(100);
    }
    const counts = ids(5000).map((id) => room.registry.node(id).node.counters.connections);
    expect(counts.reduce((sum, each) => sum + each, 0)).toBe(10_000);
    expect(Math.max(...counts)).toBeLessThanOrEqual(8);
    for (const lease of leases) lease?.release();
    expect(ids(5000).every((id) => room.registry.node(id).node.counters.connections === 0)).toBe(true);
  });
});

describe('the score of a node', () => {
  it('follows placements and closes before the reports do, and counts none twice (within two points)', () => {
    const seen = follow((second) => 20 + ((second * 7) % 30));
    expect(seen.length).toBe(60);
    for (const { scored, truth } of seen) expect(Math.abs(scored - truth)).toBeLessThan(0.02);
  });
});
