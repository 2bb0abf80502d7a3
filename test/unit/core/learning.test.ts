// How fast a pool learns what messages cost, and what one node can do to it, in closed loops: registry, placement,
// reports with a tenth of noise, relay counts. Behaviour, not constants; the tolerances are stated in the names.
import { describe, expect, it } from 'vitest';
import type { Rng } from '../../../src/core/rng.ts';
import { maxToMean } from '../balancer/state/fleet.ts';
import type { Learned } from '../../../src/core/learned.ts';
import { ids, mean, meansOf, TeachingFleet, type Second } from './teaching-fleet.ts';

const seeds = [1, 2, 3];

/** Runs until everything is learned that three minutes teach. */
function taught(seed: number, claim?: (load: number, rng: Rng) => number): TeachingFleet {
  const fleet = new TeachingFleet(seed, claim === undefined ? {} : { claim });
  fleet.fleet.run(180);
  return fleet;
}

const honestFleets = new Map<number, { learned: Learned; seconds: readonly Second[] }>();

/** What the same fleet is without anybody odd in it: after three minutes, and over the minute that follows. */
function honest(seed: number): { learned: Learned; seconds: readonly Second[] } {
  const known = honestFleets.get(seed);
  if (known !== undefined) return known;
  const fleet = taught(seed);
  const seen = { learned: fleet.learned, seconds: fleet.watch(60) };
  honestFleets.set(seed, seen);
  return seen;
}

function expectAllNear(ratios: readonly number[], tolerance: number): void {
  expect(ratios).toHaveLength(ids.length);
  for (const ratio of ratios) {
    expect(ratio).toBeGreaterThan(1 - tolerance);
    expect(ratio).toBeLessThan(1 + tolerance);
  }
}

describe('a fleet of ten', () => {
  it.each(seeds)('knows each node’s cost within 25 % after three minutes (seed %d)', (seed) => {
    const fleet = taught(seed);
    expectAllNear(fleet.costRatios, 0.25);
    for (const { messageCost } of fleet.learned.nodes) expect(messageCost.from).toBe('own');
  });

  it.each(seeds)('knows each node’s auto saturation within 25 % after three minutes (seed %d)', (seed) => {
    expectAllNear(taught(seed).autoRatios, 0.25);
  });

  it('shows what a node of its own size fills, and that a node of half the size fills half of it', () => {
    const [one, half] = taught(1).learned.nodes;
    const ratio = (half?.messageCost.amountWhenFull ?? NaN) / (one?.messageCost.amountWhenFull ?? NaN);
    expect(ratio).toBeGreaterThan(0.35);
    expect(ratio).toBeLessThan(0.65);
  });
});

describe.each([
  ['in place', false],
  ['with a restart of its process', true],
])('a deploy %s', (_, restarts) => {
  it.each([
    { factor: 0.5, least: 1.4, most: 2.6 },
    { factor: 2, least: 0.35, most: 0.75 },
  ])(
    'that changes a node’s cost to $factor times is learned within a quarter in three minutes, and the node takes $least to $most times its part',
    ({ factor, least, most }) => {
      for (const seed of seeds) {
        const fleet = taught(seed);
        const before = fleet.firstNodesPart();
        fleet.changeCost(factor);
        if (restarts) fleet.fleet.restart('n0');
        fleet.fleet.run(180);
        expectAllNear(fleet.costRatios, 0.25);
        expectAllNear(fleet.autoRatios, 0.25);
        const part = fleet.firstNodesPart() / before;
        expect(part).toBeGreaterThan(least);
        expect(part).toBeLessThan(most);
      }
    },
  );
});

const lies = {
  'that it is idle, for ever': () => 0,
  'that it is full, for ever': () => 1,
  'a tenth of its load': (load: number) => load / 10,
  'half of its load': (load: number) => load / 2,
  'twice its load': (load: number) => load * 2,
} as const;

describe.each(Object.entries(lies))('a node of ten that reports %s', (_, claim) => {
  it('changes the pool’s cost by 10 % at most, and what the others are taken to cost by 15 %', () => {
    for (const seed of seeds) {
      const without = honest(seed).learned;
      const lied = taught(seed, claim).learned;
      const ratio = (lied.pool.messageCost ?? NaN) / (without.pool.messageCost ?? NaN);
      expect(Math.abs(ratio - 1)).toBeLessThan(0.1);
      lied.nodes.slice(1).forEach(({ messageCost }, index) => {
        const own = (messageCost.value ?? NaN) / (without.nodes[index + 1]?.messageCost.value ?? NaN);
        expect(Math.abs(own - 1)).toBeLessThan(0.15);
      });
    }
  });

  it('leaves the others level (mean loads within 20 %), and their shares among them within 6 points', () => {
    for (const seed of seeds) {
      const lied = taught(seed, claim).watch(60);
      expect(maxToMean(meansOf(lied, 'loads').slice(1))).toBeLessThan(1.2);
      const among = (shares: readonly number[]) => shares.map((each) => each / mean(shares) / shares.length);
      const without = among(meansOf(honest(seed).seconds, 'shares').slice(1));
      among(meansOf(lied, 'shares').slice(1)).forEach((share, index) => {
        expect(Math.abs(share - (without[index] ?? NaN))).toBeLessThan(0.06);
      });
    }
  });
});

describe('a node with a job of its own', () => {
  it('that takes 15 points of it is taken for a dearer one, and changes nothing for the others (15 %)', () => {
    for (const seed of seeds) {
      const without = honest(seed).learned;
      const busy = new TeachingFleet(seed, { job: 0.15 });
      busy.fleet.run(180);
      const { nodes } = busy.learned;
      expect(nodes[0]?.messageCost.value).toBeGreaterThan(without.nodes[0]?.messageCost.value ?? NaN);
      nodes.slice(1).forEach(({ messageCost }, index) => {
        const own = (messageCost.value ?? NaN) / (without.nodes[index + 1]?.messageCost.value ?? NaN);
        expect(Math.abs(own - 1)).toBeLessThan(0.15);
      });
      expect(maxToMean(meansOf(busy.watch(60), 'loads'))).toBeLessThan(1.2);
    }
  });
});

describe('a liar’s own part', () => {
  it.each(['that it is idle, for ever', 'a tenth of its load'] as const)(
    'does not run away when it reports %s: its true load is at most 1.2 times the others’',
    (lie) => {
      for (const seed of seeds) {
        const seconds = taught(seed, lies[lie]).watch(60);
        const [its = NaN, ...rest] = meansOf(seconds, 'loads');
        expect(its).toBeLessThan(1.2 * mean(rest));
        // The relay sees what it carries, and it is doubted: it must not starve either.
        expect(its).toBeGreaterThan(0.3 * mean(rest));
      }
    },
  );

  it('is that of the node it claims to be when it reports half or twice its load: twice or half as loaded', () => {
    // Nobody can tell it from a node of another size. Its report is all that says how loaded it is.
    for (const seed of seeds) {
      const ratioFor = (lie: keyof typeof lies) => {
        const [its = NaN, ...rest] = meansOf(taught(seed, lies[lie]).watch(60), 'loads');
        return its / mean(rest);
      };
      expect(ratioFor('half of its load')).toBeLessThan(2.3);
      expect(ratioFor('twice its load')).toBeGreaterThan(0.35);
    }
  });

  it('is next to nothing when it reports that it is full for ever (2 % of arrivals at most)', () => {
    for (const seed of seeds) {
      const [its = NaN] = meansOf(taught(seed, lies['that it is full, for ever']).watch(60), 'shares');
      expect(its).toBeLessThan(0.02);
    }
  });

  it('is never above maxShare when it reports anything at all, and its mean load at most twice the others’', () => {
    for (const seed of seeds) {
      const seconds = taught(seed, (_, rng) => rng.next()).watch(60);
      for (const { shares } of seconds) expect(shares[0]).toBeLessThanOrEqual(0.5 + 1e-9);
      const [its = NaN, ...rest] = meansOf(seconds, 'loads');
      expect(its).toBeLessThan(2 * mean(rest));
    }
  });
});
