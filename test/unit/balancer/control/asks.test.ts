import { describe, expect, it } from 'vitest';
import { aDrainHouse, type DrainHouse } from '../../../support/a-drain-house.ts';

/** A house whose node `a` has 60 connections and an agent that can shed. */
function anAskingHouse(): DrainHouse & { reportA(): void } {
  const house = aDrainHouse();
  house.connect('a', 60);
  const reportA = () =>
    house.report({
      id: 'a',
      connections: house.openOn('a'),
      signals: { cpu: 0.06 },
      capabilities: ['shed'],
      port: 9000,
    });
  reportA();
  return Object.assign(house, { reportA });
}

function drain(house: DrainHouse, deadlineMs = 600_000): string {
  const request = { adminState: 'drain' as const, ratePerSecond: 20, deadlineMs };
  return house.control.setAdminState(['a'], request, { by: 'local' }).operation?.id ?? '';
}

/** The application ends some of its connections. */
function endSome(house: DrainHouse, count: number): void {
  for (const guest of [...house.guests].filter(({ node }) => node === 'a').slice(0, count)) guest.end();
}

describe('a node whose agent can shed', () => {
  it('is asked in the answer to its next report, once, for what was planned until then', () => {
    const house = anAskingHouse();
    drain(house);
    expect(house.control.takeShed('chat', 'a')).toBeUndefined();
    house.clock.advance(1000);
    expect(house.control.takeShed('chat', 'a')).toEqual({ count: 20, byMs: 9250 });
    expect(house.control.takeShed('chat', 'a')).toBeUndefined();
    expect(house.told).toEqual([]);
  });

  it('counts what goes as asked', () => {
    const house = anAskingHouse();
    const id = drain(house);
    house.clock.advance(1000);
    house.control.takeShed('chat', 'a');
    endSome(house, 20);
    house.clock.advance(250);
    expect(house.control.operation(id).progress).toMatchObject({
      total: 60,
      closed: 20,
      leftByThemselves: 0,
    });
    expect(house.control.figures().sheds).toEqual([
      { pool: 'chat', node: 'a', cause: 'drain', way: 'ask', outcome: 'closed', count: 20 },
    ]);
  });

  it('has closed by the relay what it did not let go in time', () => {
    const house = anAskingHouse();
    const id = drain(house);
    for (let second = 0; second < 3; second++) {
      house.clock.advance(1000);
      house.reportA();
      house.control.takeShed('chat', 'a');
    }
    expect(house.told).toEqual([]);
    house.clock.advance(12_000);
    expect(house.told).toHaveLength(60);
    expect(house.control.operation(id)).toMatchObject({
      state: 'done',
      progress: { closed: 60, leaving: 0 },
    });
    expect(house.control.figures().sheds).toEqual([
      { pool: 'chat', node: 'a', cause: 'drain', way: 'ask', outcome: 'refusedByPeer', count: 60 },
      { pool: 'chat', node: 'a', cause: 'drain', way: 'close', outcome: 'closed', count: 60 },
    ]);
  });

  it('has closed by the relay what it never heard of, since it reports no more', () => {
    const house = anAskingHouse();
    const id = drain(house);
    house.clock.advance(30_000);
    expect(house.control.operation(id)).toMatchObject({ state: 'done', progress: { closed: 60 } });
    expect(house.told).toHaveLength(60);
  });

  it('is left alone when the drain is cancelled before it has heard', () => {
    const house = anAskingHouse();
    const id = drain(house);
    house.clock.advance(1000);
    house.control.setAdminState(['a'], { adminState: 'ready' }, { by: 'local' });
    expect(house.control.takeShed('chat', 'a')).toBeUndefined();
    expect(house.control.operation(id).progress).toMatchObject({ waiting: 60, leaving: 0 });
  });

  it('counts who goes before it has heard as gone by themselves', () => {
    const house = anAskingHouse();
    const id = drain(house);
    house.clock.advance(1000);
    endSome(house, 60);
    house.clock.advance(250);
    expect(house.control.operation(id)).toMatchObject({
      state: 'done',
      progress: { total: 60, leftByThemselves: 60, leaving: 0, closed: 0 },
    });
  });

  it('leaves everybody in time for the deadline all the same', () => {
    const house = anAskingHouse();
    const id = drain(house, 6000);
    for (let tick = 0; tick < 24; tick++) {
      house.clock.advance(250);
      if (tick % 4 === 3) house.control.takeShed('chat', 'a');
    }
    expect(house.openOn('a')).toBe(0);
    house.clock.advance(500);
    const { progress } = house.control.operation(id);
    expect(progress.closed + progress.refusedByPeer + progress.cut).toBe(60);
    expect(progress.cut).toBe(0);
  });
});
