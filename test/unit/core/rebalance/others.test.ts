import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { carriedPart } from '../../../../src/core/carried-part.ts';
import { splitRelief, type PeerShare } from '../../../../src/core/rebalance/others.ts';
import { pcg32 } from '../../../../src/core/rng.ts';

const share = fc.record({
  connections: fc.integer({ min: 1, max: 1000 }),
  utilization: fc.double({ min: 0.001, max: 1, noNaN: true }),
});
const named = (shares: readonly Omit<PeerShare, 'peer'>[]) =>
  shares.map((each, index) => ({ peer: `lb-${index}`, ...each }));

describe('the relief of a node that several balancers carry', () => {
  it('stays here when nobody else has any, whatever the number of connections', () => {
    const parts = { relief: 0.2, most: Infinity, own: { connections: 10, utilization: 0.5 }, shares: [] };
    expect(splitRelief(parts, pcg32(1))).toEqual({ own: { relief: 0.2, most: Infinity }, orders: [] });
  });

  it('is split whole: never more than there is, nor more connections than may go', () => {
    fc.assert(
      fc.property(
        fc.array(share, { minLength: 1, maxLength: 8 }),
        share,
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 0, max: 1000 }),
        (shares, own, most, seed) => {
          const split = splitRelief({ relief: 0.3, most, own, shares: named(shares) }, pcg32(seed));
          const all = [split.own, ...split.orders];
          expect(all.reduce((sum, { relief }) => sum + relief, 0)).toBeCloseTo(0.3, 9);
          const count = all.reduce((sum, each) => sum + each.most, 0);
          expect(count).toBeGreaterThanOrEqual(1);
          expect(count).toBeLessThanOrEqual(most);
          for (const order of split.orders) expect(order.most).toBeGreaterThanOrEqual(1);
        },
      ),
    );
  });

  it('goes to each by what it carries, on average: one connection in a second must not always be the same one’s', () => {
    const rng = pcg32(3);
    const shares = named([
      { connections: 100, utilization: 0.6 },
      { connections: 100, utilization: 0.3 },
    ]);
    const own = { connections: 10, utilization: 0.1 };
    const counts = new Map<string, number>();
    const rounds = 4000;
    for (let round = 0; round < rounds; round += 1)
      for (const { peer, most } of splitRelief({ relief: 0.01, most: 1, own, shares }, rng).orders)
        counts.set(peer, (counts.get(peer) ?? 0) + most);
    // Three deviations of a part of 0.6 in 4,000 rounds are 0.023.
    expect((counts.get('lb-0') ?? 0) / rounds).toBeCloseTo(0.6, 1);
    expect((counts.get('lb-1') ?? 0) / rounds).toBeCloseTo(0.3, 1);
  });
});

describe('the part of a node’s load that one balancer carries', () => {
  it('is by messages, by connections where nothing moves, and 0 of nothing', () => {
    const whole = { connections: 40, messagesPerSecond: 100 };
    expect(carriedPart({ connections: 10, messagesPerSecond: 75 }, whole)).toBe(0.75);
    const idle = { messagesPerSecond: 0 };
    expect(carriedPart({ connections: 10, ...idle }, { connections: 40, ...idle })).toBe(0.25);
    expect(carriedPart({ connections: 0, ...idle }, { connections: 0, ...idle })).toBe(0);
  });
});
