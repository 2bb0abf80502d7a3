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

const someId = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const someSize = fc.constantFrom(undefined, 1, 2.5);
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

  it('remembers keys, and answers as one that remembers nothing while nodes come, go and grow', () => {
    const somePools = fc.array(fc.array(fc.record({ id: someId, capacity: someSize }), { maxLength: 8 }), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(somePools, (pools) => {
        const homeOf = createRendezvous();
        for (const drawn of pools) {
          const nodes = [...new Map(drawn.map((node) => [node.id, node])).values()];
          const fresh = keys.slice(0, 50).map((key) => createRendezvous()(nodes, key, everyone));
          for (let time = 0; time < 2; time += 1)
            expect(keys.slice(0, 50).map((key) => homeOf(nodes, key))).toEqual(fresh);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('keeps apart keys that share the place where they are remembered', () => {
    const nodes = nodesOf(Array.from({ length: 50 }, (_, index) => `n${index}`));
    const alike = Array.from({ length: 40 }, (_, number) => ({
      high: hashText(`${number}`).high,
      low: ((number << 16) | 0x1234) >>> 0,
    }));
    const twins = alike.flatMap(({ high, low }) => [
      { high, low },
      { high: high ^ 1, low },
    ]);
    const homeOf = createRendezvous();
    const expected = twins.map((key) => createRendezvous()(nodes, key, everyone));
    for (let time = 0; time < 2; time += 1) expect(twins.map((key) => homeOf(nodes, key))).toEqual(expected);
    expect(new Set(expected).size).toBeGreaterThan(10);
  });

  it('moves as little where the node that comes or goes has a size of its own', () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    // Without `f` all sizes are equal, with it they are not.
    const before = homes(nodesOf(ids.slice(0, 5)));
    const after = homes(nodesOf(ids, (index) => (index === 5 ? 3 : 1)));
    expect(new Set(after.filter((home, index) => home !== before[index]))).toEqual(new Set(['f']));
    const some = homes(nodesOf(['a', 'b', 'c'], (index) => [2, 0.5, 4][index]));
    const more = homes(nodesOf(['a', 'b', 'c', 'd'], (index) => [2, 0.5, 4, 1][index]));
    expect(new Set(more.filter((home, index) => home !== some[index]))).toEqual(new Set(['d']));
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

  it('leaves what yields to every other node in proportion to its size, too', () => {
    const sizes = [1, 2, 4, 1];
    const nodes = nodesOf(['s', 'm', 'l', 'one'], (index) => sizes[index]);
    const first = homes(nodes);
    const second = homes(nodes, (id) => id !== 'l');
    const ofLarge = second.filter((_, index) => first[index] === 'l');
    // About 2,500 keys leave the node of half the pool. One standard deviation of a part of 2/4 is 25; four allowed.
    expect(Math.abs(ofLarge.filter((id) => id === 'm').length - ofLarge.length / 2)).toBeLessThan(100);
    expect(Math.abs(ofLarge.filter((id) => id === 's').length - ofLarge.length / 4)).toBeLessThan(87);
  });

  it('gives each of a thousand nodes its part', () => {
    const nodes = nodesOf(Array.from({ length: 1000 }, (_, number) => `10.0.${number >> 8}.${number & 255}`));
    const counts = new Map(nodes.map(({ id }) => [id, 0]));
    const homeOf = createRendezvous();
    for (let number = 0; number < 20_000; number += 1) {
      const id = nodes[homeOf(nodes, hashText(`user-${number}`))]?.id ?? '';
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - 20) ** 2 / 20, 0);
    // 999 degrees of freedom: one standard deviation is 45; four are allowed either way.
    expect(Math.abs(chiSquare - 999)).toBeLessThan(180);
  });

  it('gives nodes of nearly equal sizes what nodes of one size get, but for the difference', () => {
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const equal = homes(nodesOf(ids));
    const nearly = homes(nodesOf(ids, (index) => 1 + index * 1e-9));
    expect(nearly).toEqual(equal);
  });

  it('remembers nothing of nodes that have been replaced, and of sizes that have changed', () => {
    const homeOf = createRendezvous();
    const key = keys[0] ?? hashText('');
    const before = nodesOf(['a', 'b', 'c', 'd']);
    const home = before[homeOf(before, key)]?.id ?? '';
    const same = nodesOf(['a', 'b', 'c', 'd']);
    expect(same[homeOf(same, key)]?.id).toBe(home);
    const without = same.filter(({ id }) => id !== home);
    expect(without[homeOf(without, key)]?.id).not.toBe(home);
    const renamed = nodesOf(['w', 'x', 'y', home]);
    expect(homeOf(renamed, key)).toBe(createRendezvous()(renamed, key));
    const other = same.find(({ id }) => id !== home)?.id ?? '';
    const grown = same.map(({ id }) => ({ id, capacity: id === other ? 1e6 : 1 }));
    expect(grown[homeOf(grown, key)]?.id).toBe(other);
  });

  it('asks only about nodes that would win', () => {
    const nodes = nodesOf(Array.from({ length: 1000 }, (_, number) => `node-${number}`));
    const homeOf = createRendezvous();
    let asked = 0;
    for (const key of keys.slice(0, 100))
      homeOf(nodes, key, () => {
        asked += 1;
        return true;
      });
    // A new highest comes 1 + 1/2 + … + 1/1000 = 7.5 times on average, with a variance below that.
    expect(asked / 100).toBeLessThan(9);
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
