import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  WaitQueue,
  waitRanks,
  type Served,
  type WaitRank,
} from '../../../../src/core/admission/wait-queue.ts';

function aQueue(...waiting: readonly (readonly [string, WaitRank])[]): WaitQueue<string> {
  const queue = new WaitQueue<string>();
  waiting.forEach(([item, rank], index) => queue.add(item, rank, index));
  return queue;
}

/** Serves until `places` are given; the items in order. */
function served(queue: WaitQueue<string>, places = Infinity): string[] {
  const items: string[] = [];
  queue.serve(({ item }) => {
    if (items.length >= places) return 'stop';
    items.push(item);
    return 'taken';
  });
  return items;
}

describe('the queue', () => {
  it('serves retries first, then those who return, then the new, each first come first', () => {
    const queue = aQueue(
      ['n1', 'new'],
      ['r1', 'returning'],
      ['n2', 'new'],
      ['x1', 'retry'],
      ['r2', 'returning'],
    );
    expect(served(queue)).toEqual(['x1', 'r1', 'r2', 'n1', 'n2']);
    expect(queue.size).toBe(0);
  });

  it('stops where it is told to, and goes on there', () => {
    const queue = aQueue(['a', 'new'], ['b', 'new'], ['c', 'new']);
    expect(served(queue, 2)).toEqual(['a', 'b']);
    expect(served(queue)).toEqual(['c']);
  });

  it('leaves those it skips in their place', () => {
    const queue = aQueue(['a', 'returning'], ['b', 'returning'], ['c', 'new']);
    const tried: string[] = [];
    queue.serve(({ item }): Served => {
      tried.push(item);
      return item === 'a' ? 'skip' : 'taken';
    });
    expect(tried).toEqual(['a', 'b', 'c']);
    expect(served(queue)).toEqual(['a']);
  });

  it('gives the new every fifth place however many return', () => {
    const queue = new WaitQueue<string>();
    for (let i = 0; i < 100; i += 1) queue.add('r', 'returning', i);
    for (let i = 0; i < 3; i += 1) queue.add(`n${i}`, 'new', i);
    expect(served(queue, 15).join(' ')).toBe('r r r r n0 r r r r n1 r r r r n2');
  });

  it('forgets who leaves, once, even in the middle of a round', () => {
    const queue = aQueue(['a', 'new'], ['b', 'new']);
    const c = queue.add('c', 'new', 2);
    const d = queue.add('d', 'new', 3);
    queue.add('e', 'new', 4);
    const items: string[] = [];
    queue.serve(({ item }) => {
      if (item === 'b')
        expect([queue.remove(c), queue.remove(d), queue.remove(c)]).toEqual([true, true, false]);
      items.push(item);
      return 'taken';
    });
    expect(items).toEqual(['a', 'b', 'e']);
    expect(queue.size).toBe(0);
  });

  it('tells how many are ahead of a rank, and since when the oldest waits', () => {
    const queue = aQueue(['a', 'new'], ['b', 'retry'], ['c', 'returning']);
    expect(waitRanks.map((rank) => queue.ahead(rank))).toEqual([1, 2, 3]);
    expect(queue.oldestSinceMs).toBe(0);
    expect(new WaitQueue().oldestSinceMs).toBeUndefined();
  });

  it('gives way from its end, the new first, and never to an equal', () => {
    const queue = aQueue(['a', 'returning'], ['b', 'new'], ['c', 'new']);
    expect(queue.lastBelow('retry')?.item).toBe('c');
    expect(queue.lastBelow('new')).toBeUndefined();
    expect(aQueue(['a', 'returning']).lastBelow('retry')?.item).toBe('a');
  });

  it('expires those who came up to an instant, and no others', () => {
    const queue = aQueue(['a', 'new'], ['b', 'returning'], ['c', 'new'], ['d', 'retry']);
    const gone: string[] = [];
    queue.expire(2, ({ item }) => gone.push(item));
    expect(gone.toSorted()).toEqual(['a', 'b', 'c']);
    expect(served(queue)).toEqual(['d']);
  });

  it('loses nobody, serves nobody twice and starves nobody, whatever comes, goes and is skipped', () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), rank: fc.constantFrom(...waitRanks) }),
      fc.record({ kind: fc.constant('leave' as const), index: fc.nat(40) }),
      fc.record({ kind: fc.constant('serve' as const), places: fc.nat(6), skip: fc.nat(4) }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
        const queue = new WaitQueue<number>();
        const entries: ReturnType<typeof queue.add>[] = [];
        const settled = new Set<number>();
        for (const [nowMs, each] of actions.entries()) {
          if (each.kind === 'add') entries.push(queue.add(entries.length, each.rank, nowMs));
          const leaver = each.kind === 'leave' ? entries[each.index] : undefined;
          if (leaver !== undefined && queue.remove(leaver)) settled.add(leaver.item);
          if (each.kind !== 'serve') continue;
          let places = each.places;
          queue.serve(({ item, rank }) => {
            if (places === 0) return 'stop';
            if (each.skip > 0 && item % each.skip === 1) return 'skip';
            // First come first within the rank, but for those skipped.
            const earlier = entries.filter(
              (other) => other.rank === rank && other.item < item && other.isWaiting,
            );
            expect(earlier.every((other) => each.skip > 0 && other.item % each.skip === 1)).toBe(true);
            expect(settled.has(item)).toBe(false);
            settled.add(item);
            places -= 1;
            return 'taken';
          });
        }
        expect(queue.size).toBe(entries.length - settled.size);
        // Everyone left has a turn within five rounds of everyone: nobody is starved.
        queue.serve(({ item }) => {
          settled.add(item);
          return 'taken';
        });
        expect(settled.size).toBe(entries.length);
      }),
      { seed: 7, numRuns: 300 },
    );
  });
});
