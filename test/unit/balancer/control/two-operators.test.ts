// Two operators at once, or an operator and the balancer itself: what comes of it is defined, whoever was first.
import { describe, expect, it } from 'vitest';
import type { AdminStateRequest, Operation } from '../../../../src/protocol/operations.ts';
import type { Policy } from '../../../../src/policy/policy.ts';
import { aDrainHouse, live, type DrainHouse } from '../../../support/a-drain-house.ts';
import { aPlainPolicy } from '../../../support/a-policy.ts';
import { MovingFleet } from './moving-fleet.ts';

const ada = { by: 'ada' };
const bob = { by: 'bob' };

function drain(
  house: DrainHouse,
  asker: { by: string },
  request: Partial<AdminStateRequest> = {},
): Operation {
  const { operation } = house.control.setAdminState(['a'], { adminState: 'drain', ...request }, asker);
  if (operation === null) throw new Error('no operation');
  return operation;
}

function partsOf({ progress }: Operation): [sum: number, total: number] {
  const { waiting, leaving, closed, cut, refusedByPeer, leftByThemselves, total } = progress;
  return [waiting + leaving + closed + cut + refusedByPeer + leftByThemselves, total];
}

describe('two drains of one node', () => {
  it.each([
    ['a shorter', 20_000],
    ['a longer', 400_000],
  ])('are one operation with %s deadline of the later request, told by its name', (_, deadlineMs) => {
    const house = aDrainHouse();
    house.connect('a', 50);
    const first = drain(house, ada, { deadlineMs: 60_000, ratePerSecond: 1, why: 'kernel' });
    house.clock.advance(1000);
    const second = drain(house, bob, { deadlineMs, why: 'in a hurry' });
    expect([second.id, second.by, second.why]).toEqual([first.id, 'ada', 'kernel']);
    const startMs = Date.parse(first.deadlineAt ?? '') - 60_000;
    expect(Date.parse(second.deadlineAt ?? '') - startMs).toBe(1000 + deadlineMs);
    expect(house.events.filter(({ type }) => type.startsWith('operation'))).toMatchObject([
      { type: 'operation.started', by: 'ada', why: 'kernel' },
      { type: 'operation.updated', by: 'bob', why: 'in a hurry', facts: { operation: first.id } },
    ]);
  });

  it('with a ready in between are two operations; who was told by the first is waited for by the second', () => {
    const house = aDrainHouse();
    house.manners = 'deaf';
    house.connect('a', 40);
    const first = drain(house, ada, { deadlineMs: 60_000, ratePerSecond: 10 });
    house.clock.advance(2000);
    house.control.setAdminState(['a'], { adminState: 'ready' }, bob);
    const second = drain(house, ada, { deadlineMs: 20_000 });
    expect(second.id).not.toBe(first.id);
    expect(house.control.operation(first.id)).toMatchObject({
      state: 'cancelled',
      reason: "bob set node 'a' to ready",
    });
    house.clock.advance(20_500);
    // Nobody was told twice: twenty by the first, with its deadline, and the others by the second.
    expect(house.told).toHaveLength(40);
    expect(house.openOn('a')).toBe(20);
    const over = house.control.operation(second.id);
    expect(over).toMatchObject({ state: 'deadline', progress: { total: 20, refusedByPeer: 20 } });
    expect(over.reason).toContain('20 more were told by another operation and keep its time');
    house.clock.advance(40_000);
    expect(house.openOn('a')).toBe(0);
    for (const operation of house.control.operations()) {
      const [sum, total] = partsOf(operation);
      expect(sum).toBe(total);
    }
  });

  it('of which one is taken back by ready go on with the other', () => {
    const house = aDrainHouse({ nodes: ['a', 'b', 'c'] });
    for (const id of ['a', 'b']) house.connect(id, 20);
    const request = { adminState: 'drain' as const, ratePerSecond: 10, force: true };
    const { operation } = house.control.setAdminState(['a', 'b'], request, ada);
    house.clock.advance(1000);
    house.control.setAdminState(['b'], { adminState: 'ready' }, bob);
    const toldOnB = house.told.filter(({ node }) => node === 'b').length;
    house.clock.advance(10_000);
    const over = house.control.operation(operation?.id ?? '');
    expect(over).toMatchObject({ state: 'done', nodes: ['a'], progress: { total: 20 + toldOnB } });
    expect([house.openOn('a'), house.openOn('b')]).toEqual([0, 20 - toldOnB]);
    expect(partsOf(over)[0]).toBe(over.progress.total);
  });

  it('with a cancel in between leave the node in drain all the time', () => {
    const house = aDrainHouse();
    house.connect('a', 40);
    const first = drain(house, ada, { ratePerSecond: 10 });
    house.control.cancel(first.id, { ...bob, why: 'wait' });
    expect(house.registry.node('a').node.adminState).toBe('drain');
    expect(drain(house, ada).id).not.toBe(first.id);
    expect(house.notices.filter(({ event }) => event === 'admin state changed')).toHaveLength(1);
  });
});

function aPolicy(): Policy {
  const plain = aPlainPolicy({ signals: [{ name: 'cpu', kind: 'additive', saturation: 1 }] });
  return {
    ...plain,
    rebalance: {
      mode: 'off',
      floor: 0.3,
      band: 0.1,
      forMs: 30_000,
      ratePerSecond: 0.01,
      cooldownMs: 300_000,
      choose: 'heaviest',
    },
  };
}

/** Three nodes with thirty clients each; those of `a` say twice as much. */
function aBusyFleet(returns = true): MovingFleet {
  const fleet = new MovingFleet({ policy: aPolicy(), nodes: ['a', 'b', 'c'], returns });
  fleet.run(2);
  for (let client = 0; client < 30; client += 1) {
    fleet.connect(4 + (client % 5) * 2, 'a');
    for (const node of ['b', 'c']) fleet.connect(2 + (client % 5), node);
  }
  fleet.run(20);
  return fleet;
}

function rebalance(fleet: MovingFleet, ratePerSecond: number): string {
  return fleet.control.rebalance('chat', { ratePerSecond }, ada).operation?.id ?? '';
}

describe('a drain while a rebalance runs', () => {
  it('of the node that sheds takes it over: nobody is told twice, and both end', () => {
    const fleet = aBusyFleet();
    const rebalanceId = rebalance(fleet, 1);
    fleet.run(5);
    expect(fleet.goodbyes.map(({ node }) => node)).toContain('a');
    const { operation } = fleet.control.setAdminState(['a'], { adminState: 'drain', force: true }, bob);
    const moved = fleet.goodbyes.length;
    fleet.run(90);
    const [drained, rebalanced] = [operation?.id ?? '', rebalanceId].map((id) => fleet.control.operation(id));
    expect(drained).toMatchObject({ state: 'done', progress: { total: 30 - moved, closed: 30 - moved } });
    expect(rebalanced).toMatchObject({ kind: 'rebalance', state: 'done', progress: { total: moved } });
    expect(fleet.goodbyes.filter(({ node }) => node === 'a')).toHaveLength(30);
    expect(fleet.room.registry.node('a').node).toMatchObject({ adminState: 'drain', isShedding: false });
    fleet.stop();
  });

  it('with a shorter deadline than its goodbyes ends as deadline, and says that some keep their time', () => {
    const house = aDrainHouse({ policy: { rebalance: aPolicy().rebalance } });
    house.manners = 'deaf';
    for (const [id, count] of [
      ['a', 600],
      ['b', 100],
      ['c', 100],
    ] as const)
      house.connect(id, count);
    live(house, 5);
    house.control.rebalance('chat', { ratePerSecond: 20 }, ada);
    live(house, 3);
    const told = house.told.length;
    expect(told).toBeGreaterThan(10);
    const { id } = drain(house, bob, { deadlineMs: 5000, force: true });
    live(house, 6);
    const over = house.control.operation(id);
    expect(over).toMatchObject({ state: 'deadline', progress: { total: 600 - told } });
    expect(over.reason).toContain(`${told} more were told by another operation`);
    live(house, 30);
    expect(house.openOn('a')).toBe(0);
  });

  // What broke once: each had an estimate of its own, and whoever came back to the drain was back for the rebalance, too.
  it('of another node credits each client that comes to one of the two', () => {
    const fleet = aBusyFleet(false);
    fleet.control.setAdminState(['c'], { adminState: 'drain', force: true, ratePerSecond: 2 }, bob);
    fleet.run(4);
    rebalance(fleet, 2);
    fleet.run(3);
    for (let client = 0; client < 8; client += 1) fleet.connect(1, 'b');
    fleet.run(2);
    const moved = fleet.goodbyes.filter(({ node }) => node === 'a');
    expect(moved.length).toBeGreaterThan(2);
    const back = fleet.control.operations().map(({ kind, progress }) => [kind, progress.returned]);
    // Those of the drain have been away for longer.
    expect(Object.fromEntries(back)).toEqual({ drain: 8, rebalance: 0 });
    fleet.stop();
  });

  it('leaves the drained node out of a rebalance that is asked for meanwhile', () => {
    const fleet = aBusyFleet();
    fleet.control.setAdminState(['a'], { adminState: 'drain', force: true, ratePerSecond: 1 }, bob);
    fleet.run(2);
    const { moves } = fleet.control.rebalance('chat', { dryRun: true }, ada);
    expect(moves.map(({ node }) => node)).not.toContain('a');
    fleet.stop();
  });
});
