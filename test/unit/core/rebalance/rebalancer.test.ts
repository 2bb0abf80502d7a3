import { describe, expect, it } from 'vitest';
import {
  restingRebalancer,
  stopRebalancer,
  tickRebalancer,
  type RebalanceRule,
  type RebalanceTick,
} from '../../../../src/core/rebalance/rebalancer.ts';
import type { RunNode } from '../../../../src/core/rebalance/run.ts';
import { pcg32 } from '../../../../src/core/rng.ts';
import { aRunNode, aRunView } from './a-pool.ts';

const rule: RebalanceRule = {
  mode: 'auto',
  floor: 0.5,
  band: 0.1,
  forMs: 60_000,
  ratePerSecond: 1,
  cooldownMs: 300_000,
  choose: 'heaviest',
  lagMs: 3000,
};

interface Pool {
  readonly tick: RebalanceTick;
  readonly nowMs: number;
  readonly shed: number;
}

/** What a test changes from second to second. */
interface Script {
  readonly nodesAt: (second: number, shed: number) => readonly RunNode[];
  readonly placedAt?: (second: number, shed: number) => number;
  readonly failedAt?: (second: number) => number;
  readonly rule?: Partial<RebalanceRule>;
  readonly begin?: number;
  readonly frozen?: boolean;
}

/** Ticks once a second; ends with the seconds given, or with the first tick that ends a run. */
function play(seconds: number, script: Script): Pool & { readonly ticks: readonly RebalanceTick[] } {
  const rng = pcg32(1);
  let state = restingRebalancer;
  let shed = 0;
  const ticks: RebalanceTick[] = [];
  for (let second = 1; second <= seconds; second += 1) {
    const view = aRunView(script.nodesAt(second, shed), {
      nowMs: second * 1000,
      placedTotal: script.placedAt?.(second, shed) ?? shed,
      failedTotal: script.failedAt?.(second) ?? 0,
    });
    const tick = tickRebalancer(state, view, {
      rule: { ...rule, ...script.rule },
      rng,
      begin: second === script.begin,
      frozen: script.frozen ?? false,
    });
    state = tick.state;
    shed += tick.sheds.reduce((sum, { rows }) => sum + rows.length, 0);
    ticks.push(tick);
    if (tick.end !== undefined) break;
  }
  const last = ticks.at(-1);
  if (last === undefined) throw new Error('no second was played');
  return { tick: last, ticks, nowMs: ticks.length * 1000, shed };
}

/** One node far too high; every connection shed takes half a point off it and lands on the other. */
const following = (_: number, shed: number): readonly RunNode[] => [
  aRunNode('hot', { utilization: 0.8 - 0.005 * shed }),
  aRunNode('cold', { utilization: 0.4 + 0.005 * shed }),
];
const stuck = (): readonly RunNode[] => [
  aRunNode('hot', { utilization: 0.8 }),
  aRunNode('cold', { utilization: 0.4 }),
];

describe('a rebalance', () => {
  it('begins when a node has been hot for the time that the policy says, and not before', () => {
    expect(play(60, { nodesAt: following }).shed).toBe(0);
    const { ticks } = play(70, { nodesAt: following });
    expect(ticks.findIndex(({ began }) => began)).toBe(60);
  });

  it('ends when the pool is level and the clients are back, and has moved no more than was needed', () => {
    const { tick, shed } = play(300, { nodesAt: following });
    expect(tick.end).toBe('level');
    // Forty take the hot node down to the level; a quarter of the band is left alone.
    expect(shed).toBeGreaterThanOrEqual(34);
    expect(shed).toBeLessThanOrEqual(40);
  });

  it('sheds no faster than its rate', () => {
    const { shed } = play(100, { nodesAt: following, rule: { ratePerSecond: 0.5 } });
    expect(shed).toBeLessThanOrEqual(1 + 0.5 * 40);
    expect(shed).toBeGreaterThan(10);
  });

  it('starts anew when the node was below the threshold for a moment', () => {
    const dips = (second: number, shed: number) =>
      second === 40 ? [aRunNode('hot'), aRunNode('cold')] : following(second, shed);
    expect(play(99, { nodesAt: dips }).shed).toBe(0);
    expect(play(110, { nodesAt: dips }).shed).toBeGreaterThan(0);
  });

  it('leaves a node alone that is above the others but below the floor', () => {
    const low = () => [aRunNode('hot', { utilization: 0.45 }), aRunNode('cold', { utilization: 0.1 })];
    expect(play(200, { nodesAt: low }).shed).toBe(0);
  });

  it('leaves alone what changes by itself as much within a minute', () => {
    const restless = (second: number) =>
      Array.from({ length: 6 }, (_, index) =>
        aRunNode(`n${index}`, { utilization: 0.5 + 0.2 * Math.sin(second / 25 + index) }),
      );
    const calm = () =>
      Array.from({ length: 6 }, (_, index) =>
        aRunNode(`n${index}`, { utilization: index === 0 ? 0.7 : 0.5 }),
      );
    expect(play(600, { nodesAt: restless }).shed).toBe(0);
    expect(play(200, { nodesAt: calm }).shed).toBeGreaterThan(0);
  });

  // What broke once: a join lowers the level, which was taken for unrest, and a young pool was not levelled for minutes.
  it('does not take for unrest that nodes joined', () => {
    const four = Array.from({ length: 4 }, (_, index) => aRunNode(`n${index}`, { utilization: 0.65 }));
    const two = Array.from({ length: 2 }, (_, index) => aRunNode(`new${index}`, { utilization: 0.02 }));
    const joined = (second: number) => (second < 70 ? four : [...four, ...two]);
    expect(play(128, { nodesAt: joined }).shed).toBe(0);
    expect(play(135, { nodesAt: joined }).shed).toBeGreaterThan(0);
  });

  it('takes nothing in on the nodes it sheds from, until their clients are back', () => {
    const { ticks } = play(80, { nodesAt: following });
    expect([...(ticks[65]?.shedding ?? [])]).toEqual(['hot']);
    expect([...(ticks[10]?.shedding ?? [])]).toEqual([]);
  });

  it('does not begin by itself in advise or off, but says what is hot', () => {
    for (const mode of ['advise', 'off'] as const) {
      const { tick, shed } = play(120, { nodesAt: following, rule: { mode } });
      expect([shed, tick.hot]).toEqual([0, ['hot']]);
    }
  });

  it('begins at once when an operator asks, whatever the mode', () => {
    const { ticks } = play(10, { nodesAt: following, rule: { mode: 'off' }, begin: 5 });
    expect(ticks.findIndex(({ began }) => began)).toBe(4);
  });

  it('does not begin by itself while frozen', () => {
    expect(play(200, { nodesAt: following, frozen: true }).shed).toBe(0);
  });

  it('can be stopped from outside, and begins anew only after the node has been hot again for as long', () => {
    const { tick } = play(70, { nodesAt: following });
    const stopped = stopRebalancer(tick.state);
    expect([stopped.run, stopped.hotSince.size]).toEqual([undefined, 0]);
  });

  it('goes at the pace of newcomers in slow start when only they have room', () => {
    const starting = (second: number, shed: number) =>
      following(second, shed).map((node) => (node.id === 'cold' ? { ...node, slowStartPart: 0.1 } : node));
    const slow = play(100, { nodesAt: starting }).shed;
    const fast = play(100, { nodesAt: following }).shed;
    expect(slow).toBeLessThan(0.3 * fast);
    expect(slow).toBeGreaterThan(0);
  });
});

describe('a rebalance that begins seconds after a load has risen', () => {
  /** At the fifth second forty points come to one node; reports show it two seconds later. */
  const risen = (second: number, shed: number): readonly RunNode[] => {
    const hot = (second < 5 ? 0.4 : 0.8) - 0.005 * shed;
    return [
      aRunNode('hot', { utilization: hot, reported: second < 7 ? 0.4 : hot }),
      aRunNode('cold', { utilization: 0.4 + 0.005 * shed }),
    ];
  };

  // What broke once: what reports still had to rise by was taken for relief that did not come.
  it.each([5, 7, 9, 12])('at second %d is not taken to be in vain', (begin) => {
    expect(play(200, { nodesAt: risen, begin }).tick.end).toBe('level');
  });

  it('waits with its first shed until reports show the load, and no longer than they take', () => {
    const { ticks } = play(30, { nodesAt: risen, begin: 5 });
    const first = ticks.findIndex(({ sheds }) => sheds.length > 0);
    expect(first).toBeGreaterThan(6);
    expect(first).toBeLessThan(5 + 12);
  });

  it('still stops when load does not follow connections', () => {
    const stubborn = (second: number) => risen(second, 0);
    expect(play(200, { nodesAt: stubborn, begin: 5 }).tick.end).toBe('noRelief');
  });
});

describe('the end of a rebalance', () => {
  const even = [aRunNode('hot', { utilization: 0.6 }), aRunNode('cold', { utilization: 0.6 })];

  // What broke once: one tick in which noise hid what was left to do was the end, and the pool was uneven a moment later.
  it('does not come with a pool that was level for a moment only', () => {
    const dips = (second: number, shed: number) => (second === 12 ? even : following(second, shed));
    const { tick, ticks, shed } = play(300, { nodesAt: dips, begin: 10 });
    expect(tick.end).toBe('level');
    expect(shed).toBeGreaterThanOrEqual(34);
    expect(shed).toBeLessThanOrEqual(40);
    expect(ticks.at(-1)?.end).toBe('level');
  });

  it('comes when reports have shown the level for as long as they take', () => {
    const { ticks } = play(300, { nodesAt: following, begin: 10 });
    const last = ticks.findLastIndex(({ sheds }) => sheds.length > 0);
    expect(ticks.length - 1 - last).toBeGreaterThanOrEqual(12);
    expect(ticks.length - 1 - last).toBeLessThan(20);
  });

  it('comes although reports swing by less than half the band', () => {
    const swinging = (second: number, shed: number) =>
      following(second, shed).map((node, index) => {
        const swing = 0.04 * (index === 0 ? 1 : -1) * Math.cos(second);
        return { ...node, reported: node.utilization + swing, utilization: node.utilization + swing };
      });
    const { tick, shed } = play(300, { nodesAt: swinging, begin: 10 });
    expect(tick.end).toBe('level');
    expect(shed).toBeLessThanOrEqual(45);
  });
});

describe('a rebalance stops by itself', () => {
  it('when less than a third of the relief comes: load does not follow connections', () => {
    const { tick, shed } = play(300, { nodesAt: stuck });
    expect(tick.end).toBe('noRelief');
    // Ten points' worth, and what goes while reports are awaited.
    expect(shed).toBeLessThan(45);
  });

  it('when clients do not come back', () => {
    const { tick } = play(400, { nodesAt: following, placedAt: () => 0 });
    expect(tick.end).toBe('noReturn');
  });

  it('when nodes refuse connections', () => {
    const { tick } = play(300, { nodesAt: following, failedAt: (second) => Math.max(0, second - 62) });
    expect(tick.end).toBe('failures');
  });

  it('when the nodes hurt more than before', () => {
    const hurting = (second: number, shed: number) =>
      following(second, shed).map((node) => ({ ...node, distress: second > 65 ? 2 : 0.2 }));
    expect(play(300, { nodesAt: hurting }).tick.end).toBe('distress');
  });

  it('when nothing that is left can be moved', () => {
    const rng = pcg32(1);
    let state = restingRebalancer;
    let end;
    for (let second = 1; second <= 120 && end === undefined; second += 1) {
      const view = aRunView(stuck(), {
        nowMs: second * 1000,
        connectionsOf: () => ({ size: 1, id: [1], utilization: [0.79], ageMs: [0] }),
      });
      ({ state, end } = tickRebalancer(state, view, { rule, rng }));
    }
    expect(end).toBe('nothingMovable');
  });

  it('and does not begin again for ten minutes after harm, but does for an operator', () => {
    const { tick } = play(300, { nodesAt: stuck });
    const again = (atMs: number, begin: boolean) =>
      tickRebalancer({ ...tick.state, hotSince: new Map([['hot', 0]]) }, aRunView(stuck(), { nowMs: atMs }), {
        rule,
        rng: pcg32(2),
        begin,
      }).began;
    const endedAtMs = tick.state.heldUntilMs - 600_000;
    expect(again(endedAtMs + 599_000, false)).toBe(false);
    expect(again(endedAtMs + 601_000, false)).toBe(true);
    expect(again(endedAtMs + 1000, true)).toBe(true);
  });
});
