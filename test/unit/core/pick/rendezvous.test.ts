import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createRendezvous,
  hashText,
  isWithinBound,
  type HashedNode,
} from '../../../../src/core/pick/rendezvous.ts';

const everyone = () => true;
const keys = Array.from({ length: 5000 }, (_, number) => hashText(`client-${number}`));

function nodesOf(ids: readonly string[], capacity: (index: number) => number | undefined = () => undefined) {
  return ids.map((id, index): HashedNode => ({ id, capacity: capacity(index) }));
}

/** The id of the node of each key, by a process of its own. */
function homes(nodes: readonly HashedNode[], mayTake: (id: string) => boolean = everyone): string[] {
  const homeOf = createRendezvous();
  return keys.map((key) => nodes[homeOf(nodes, key, (index) => mayTake(nodes[index]?.id ?? ''))]?.id ?? '');
}

const someIds = fc.uniqueArray(fc.stringMatching(/^[a-z0-9.:-]{1,20}$/), { minLength: 2, maxLength: 20 });

describe('rendezvous', () => {
  it('gives every process the same node, whatever the order of its nodes', () => {
    fc.assert(
      fc.property(someIds, (ids) => {
        expect(homes(nodesOf(ids.toReversed()))).toEqual(homes(nodesOf(ids)));
      }),
      { numRuns: 20 },
    );
  });

  it('moves only the keys of a node that goes, and to a node that joins only what becomes its own', () => {
    fc.assert(
      fc.property(someIds, (ids) => {
        const [gone = '', ...rest] = ids;
        const before = homes(nodesOf(ids));
        const after = homes(nodesOf(rest));
        before.forEach((home, index) => {
          if (home !== gone) expect(after[index]).toBe(home);
        });
        expect(after).not.toContain(gone);
      }),
      { numRuns: 20 },
    );
  });

  it('moves to the next node of each key while its own may take nothing, and back', () => {
    const nodes = nodesOf(['a', 'b', 'c', 'd']);
    const before = homes(nodes);
    const without = homes(nodes, (id) => id !== 'b');
    expect(without).toEqual(homes(nodesOf(['a', 'c', 'd'])));
    expect(new Set(without.filter((_, index) => before[index] === 'b'))).toEqual(new Set(['a', 'c', 'd']));
    expect(homes(nodes)).toEqual(before);
  });

  it('shares keys out in proportion to capacity', () => {
    const sizes = [1, 2, 4, undefined];
    const counts = new Map<string, number>();
    for (const home of homes(nodesOf(['s', 'm', 'l', 'one'], (index) => sizes[index])))
      counts.set(home, (counts.get(home) ?? 0) + 1);
    // 5,000 keys: one standard deviation of a part of 1/8 is 23, of 4/8 it is 35; four of them are allowed.
    expect(Math.abs((counts.get('s') ?? 0) - 625)).toBeLessThan(94);
    expect(Math.abs((counts.get('one') ?? 0) - 625)).toBeLessThan(94);
    expect(Math.abs((counts.get('m') ?? 0) - 1250)).toBeLessThan(123);
    expect(Math.abs((counts.get('l') ?? 0) - 2500)).toBeLessThan(142);
  });

  it('has no node where none may take the key', () => {
    expect(new Set(homes(nodesOf(['a', 'b']), () => false))).toEqual(new Set(['']));
    expect(createRendezvous()([], hashText('x'), everyone)).toBe(-1);
  });

  it('gives keys that differ in one letter hashes that have nothing in common', () => {
    const hashes = new Set(keys.map(({ high, low }) => `${high}:${low}`));
    expect(hashes.size).toBe(keys.length);
    const lows = new Set(keys.map(({ low }) => low >>> 28));
    expect(lows.size).toBe(16);
  });
});

describe('isWithinBound', () => {
  /** Connections of each node when `count` come by these keys, `parallel` to one key, and none goes. */
  function fill(count: number, capacities: readonly number[], bound: number, distinct: number): number[] {
    const nodes = nodesOf(
      capacities.map((_, index) => `node-${index}`),
      (index) => capacities[index],
    );
    const homeOf = createRendezvous();
    const connections = capacities.map(() => 0);
    const capacity = capacities.reduce((sum, each) => sum + each, 0);
    for (let number = 0; number < count; number += 1) {
      const pool = { connections: number, capacity };
      const key = keys[number % distinct] ?? hashText('');
      const index = homeOf(nodes, key, (at) =>
        isWithinBound({ connections: connections[at] ?? 0, capacity: capacities[at] ?? 1 }, pool, bound),
      );
      expect(index).not.toBe(-1);
      connections[index] = (connections[index] ?? 0) + 1;
    }
    return connections;
  }

  it('lets every connection in, and no node have more than its part times the bound', () => {
    const sizes = fc.array(fc.constantFrom(0.5, 1, 2, 4), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(
        sizes,
        fc.constantFrom(1.01, 1.25, 2),
        fc.integer({ min: 1, max: 50 }),
        (all, bound, distinct) => {
          const count = 600;
          const total = all.reduce((sum, each) => sum + each, 0);
          fill(count, all, bound, distinct).forEach((connections, index) => {
            const most = Math.ceil((bound * count * (all[index] ?? 1)) / total);
            expect(connections).toBeLessThanOrEqual(Math.max(32, most));
          });
        },
      ),
      { numRuns: 30 },
    );
  });

  it('keeps a handful of connections of one key together, and every number without a bound', () => {
    expect(fill(30, [1, 1, 1], 1.25, 1).toSorted((a, b) => a - b)).toEqual([0, 0, 30]);
    expect(fill(600, [1, 1, 1], Infinity, 1).toSorted((a, b) => a - b)).toEqual([0, 0, 600]);
  });
});
