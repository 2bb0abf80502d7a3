import { describe, expect, it } from 'vitest';
import type { Operation } from '../../../src/protocol/operations.ts';
import { aStreet, type PeeredHouse, type Street } from '../../support/a-peered-house.ts';

const ops = { by: 'ops' };

async function aPair(): Promise<{ street: Street; one: PeeredHouse; two: PeeredHouse }> {
  const street = aStreet();
  const [one, two] = [await street.join('lb-1'), await street.join('lb-2')];
  return { street, one, two };
}

function drainOn(house: PeeredHouse, request: object = {}): Operation {
  const { operation } = house.control.setAdminState(['a'], { adminState: 'drain', ...request }, ops);
  if (operation === null) throw new Error('a drain begins an operation');
  return operation;
}

const told = (house: PeeredHouse, type: string) =>
  house.events.filter((event) => event.type === type).map(({ facts }) => facts);

describe('a drain of several balancers', () => {
  it('is one operation with one id, one owner and the sums of all', async () => {
    const { street, one, two } = await aPair();
    one.connect('a', 9);
    two.connect('a', 5);
    await street.run(1300);
    const { id } = drainOn(one, { deadlineMs: 20_000 });
    await street.run(400);
    const running = two.control.operations();
    expect(running).toMatchObject([{ id, owner: 'lb-1', state: 'running', progress: { total: 14 } }]);
    await street.run(12_000);
    const over = one.control.operation(id);
    expect(over).toMatchObject({
      owner: 'lb-1',
      state: 'done',
      progress: { total: 14, closed: 14, waiting: 0 },
    });
    expect(over.reason).toBe('14 of 14 connections left when asked, 0 by themselves');
    expect(two.control.operations()).toEqual(one.control.operations());
    for (const house of [one, two]) {
      expect(told(house, 'operation.started')).toMatchObject([{ operation: id, owner: 'lb-1' }]);
      expect(told(house, 'operation.ended')).toMatchObject([
        { operation: id, owner: 'lb-1', total: 14, closed: 14 },
      ]);
    }
    // Metrics are added up over balancers: each tells of its own.
    const ended = [one, two].map(({ control }) => [...control.figures().ended].map(({ count }) => count));
    expect(ended).toEqual([[1], [1]]);
  });

  it('counts who came back once, whichever balancer they came back through', async () => {
    const { street, one, two } = await aPair();
    one.connect('a', 9);
    two.connect('a', 5);
    // Long enough for the arrivals to be forgotten: else they pass for the usual rate.
    await street.run(40_000);
    const { id } = drainOn(one, { deadlineMs: 30_000 });
    await street.run(3000);
    one.connect('b', 10);
    await street.run(1500);
    const { returned } = one.control.operation(id).progress;
    expect(returned).toBeGreaterThan(0);
    expect(returned).toBeLessThanOrEqual(10);
  });

  it('ends as past its deadline when others had somebody left', async () => {
    const { street, one, two } = await aPair();
    two.connect('a', 5);
    two.manners = 'deaf';
    await street.run(1300);
    const { id } = drainOn(one, { deadlineMs: 5000 });
    await street.run(9000);
    const over = one.control.operation(id);
    expect(over.state).toBe('deadline');
    expect(over.progress).toMatchObject({ total: 5, waiting: 0, leaving: 0 });
    expect(two.control.operation(id)).toEqual(over);
  });

  it('is cancelled everywhere by whomever', async () => {
    const { street, one, two } = await aPair();
    one.connect('a', 20);
    two.connect('a', 20);
    await street.run(1300);
    const { id } = drainOn(one, { deadlineMs: 600_000, ratePerSecond: 1 });
    await street.run(2000);
    const cancelled = two.control.cancel(id, { by: 'bob', why: 'not now' });
    expect(cancelled).toMatchObject({ id, state: 'cancelled', reason: 'cancelled by bob: not now' });
    await street.run(1500);
    const open = [one.openOn('a'), two.openOn('a')];
    await street.run(10_000);
    expect([one.openOn('a'), two.openOn('a')]).toEqual(open);
    expect(Math.min(...open)).toBeGreaterThan(10);
    for (const house of [one, two]) {
      expect(house.control.operation(id)).toMatchObject({
        state: 'cancelled',
        reason: 'cancelled by bob: not now',
      });
      expect(told(house, 'operation.ended')).toHaveLength(1);
    }
    // Cancelled, and still drained.
    expect(two.registry.node('a').node.adminState).toBe('drain');
  });

  it('goes on when its owner is gone, and anybody may end it', async () => {
    const { street, one, two } = await aPair();
    const three = await street.join('lb-3');
    two.connect('a', 20);
    three.connect('a', 20);
    await street.run(1300);
    const { id } = drainOn(one, { deadlineMs: 600_000, ratePerSecond: 2 });
    await street.run(2000);
    await one.peering.stop();
    one.control.stop();
    await street.run(1000);
    expect(two.control.operation(id)).toMatchObject({ state: 'running', owner: 'lb-1' });
    three.control.cancel(id, { by: 'bob', why: '' });
    await street.run(1000);
    for (const house of [two, three]) {
      expect(house.control.operation(id)).toMatchObject({ state: 'cancelled', reason: 'cancelled by bob' });
      expect(told(house, 'operation.ended')).toHaveLength(1);
    }
  });

  it('waits for nobody who is gone', async () => {
    const { street, one, two } = await aPair();
    one.connect('a', 3);
    two.connect('a', 5);
    two.manners = 'deaf';
    await street.run(1300);
    const { id } = drainOn(one, { deadlineMs: 60_000, ratePerSecond: 5 });
    await street.run(5000);
    street.hub.setCut('lb-2', true);
    two.control.stop();
    await street.run(30_000);
    const over = one.control.operation(id);
    expect(over.state).toBe('done');
    expect(over.progress).toMatchObject({ total: 8, waiting: 0, leaving: 0 });
  });

  it('that two operators began at the same moment is one, found by both ids', async () => {
    const { street, one, two } = await aPair();
    one.connect('a', 10);
    two.connect('a', 10);
    two.manners = 'deaf';
    await street.run(1300);
    const first = drainOn(one, { deadlineMs: 60_000 });
    const second = drainOn(two, { deadlineMs: 60_000 });
    expect(first.id).not.toBe(second.id);
    await street.run(2000);
    const ids = (house: PeeredHouse) => house.control.operations().map(({ id }) => id);
    expect(ids(two)).toEqual(ids(one));
    expect(ids(one)).toHaveLength(1);
    for (const id of [first.id, second.id])
      for (const { control } of [one, two]) expect(control.operation(id).id).toBe(ids(one)[0]);
    expect(one.control.operations()[0]?.progress.total).toBe(20);
  });

  it('of before a newcomer is on its list, with how it ended', async () => {
    const { street, one } = await aPair();
    one.connect('a', 3);
    await street.run(1300);
    const { id } = drainOn(one, { deadlineMs: 20_000 });
    await street.run(15_000);
    const three = await street.join('lb-3');
    await street.run(500);
    expect(three.control.operation(id)).toMatchObject({
      state: 'done',
      owner: 'lb-1',
      progress: { total: 3 },
    });
  });

  it('that this balancer never heard of is unknown', async () => {
    const { two } = await aPair();
    expect(() => two.control.operation('drain-x')).toThrow(/there is no operation 'drain-x'/);
    expect(() => two.control.cancel('drain-x', { by: 'bob', why: '' })).toThrow(/there is no operation/);
  });
});
