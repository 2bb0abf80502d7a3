import { describe, expect, it } from 'vitest';
import { createRegistrationsSection } from '../../../../src/balancer/state/registrations-section.ts';
import { aDrainHouse, type DrainHouse } from '../../../support/a-drain-house.ts';

const operator = { by: 'local' };
const anybody = () => true;

/** Another process with what the first one saved, `ageMs` later. */
function restarted(
  house: DrainHouse,
  { ageMs = 0, mayRegister = anybody as (host: string, port: number) => boolean } = {},
) {
  const saved: unknown = JSON.parse(JSON.stringify(house.control.section.save()));
  const nodes: unknown = JSON.parse(
    JSON.stringify(createRegistrationsSection(house.registry, mayRegister).save()),
  );
  const next = aDrainHouse();
  // The wall clock goes on, the other one begins somewhere else.
  next.clock.advance(house.clock.nowMs() + ageMs);
  const registered = createRegistrationsSection(next.registry, mayRegister).restore(nodes, ageMs);
  const restored = next.control.section.restore(saved, ageMs);
  return { next, registered, restored };
}

const stateOf = (house: DrainHouse, node: string) => house.registry.node(node).node.adminState;

describe('a restart of the balancer', () => {
  it('keeps admin states, of nodes that come later, too', () => {
    const house = aDrainHouse();
    house.report({ id: 'x' });
    house.control.setAdminState(['a', 'x'], { adminState: 'maint' }, operator);
    house.control.setAdminState(['b'], { adminState: 'drain' }, operator);
    const { next } = restarted(house, { mayRegister: () => false });
    expect([stateOf(next, 'a'), stateOf(next, 'b'), stateOf(next, 'c')]).toEqual(['maint', 'drain', 'ready']);
    next.report({ id: 'x', epoch: 'e2' });
    expect(stateOf(next, 'x')).toBe('maint');
  });

  it('lets a node that had drained itself be ready when it has been restarted meanwhile', () => {
    const house = aDrainHouse();
    house.report({ id: 'x', epoch: 'e1' });
    house.report({ id: 'y', epoch: 'e1' });
    house.control.setAdminState(['x', 'y'], { adminState: 'drain', self: true }, operator);
    const { next } = restarted(house);
    next.report({ id: 'x', epoch: 'e1', seq: 5 });
    next.report({ id: 'y', epoch: 'e2' });
    expect([stateOf(next, 'x'), stateOf(next, 'y')]).toEqual(['drain', 'ready']);
  });

  // What broke once: such a node was left in drain for good, since the wish of the operator was forgotten.
  it('gives back to maint a node that was in it and drained itself, and says that the drain is done', () => {
    const house = aDrainHouse();
    house.connect('a', 20);
    house.control.setAdminState(['a'], { adminState: 'maint' }, operator);
    const self = { adminState: 'drain' as const, self: true, deadlineMs: 60_000 };
    const { operation } = house.control.setAdminState(['a'], self, { by: 'agent' });
    house.clock.advance(500);
    expect(stateOf(house, 'a')).toBe('drain');
    const { next } = restarted(house);
    expect(stateOf(next, 'a')).toBe('maint');
    next.clock.advance(500);
    expect(next.control.operation(operation?.id ?? '')).toMatchObject({ state: 'done' });
    expect(stateOf(restarted(next).next, 'a')).toBe('maint');
  });

  it('goes on with a drain by its deadline on the wall, its id and who asked', () => {
    const house = aDrainHouse();
    house.connect('a', 50);
    const request = { adminState: 'drain' as const, deadlineMs: 60_000, ratePerSecond: 10, why: 'deploy' };
    const { operation } = house.control.setAdminState(['a'], request, operator);
    house.clock.advance(2000);
    house.clock.advance(20);
    const { next } = restarted(house, { ageMs: 5000 });
    const again = next.control.operation(operation?.id ?? '');
    expect(again).toMatchObject({
      state: 'running',
      by: 'local',
      why: 'deploy',
      nodes: ['a'],
      startedAt: operation?.startedAt,
      // The connections of the first process have ended with it.
      progress: { total: 50, closed: 20, leftByThemselves: 30, waiting: 0, leaving: 0 },
    });
    const off = Date.parse(again.deadlineAt ?? '') - Date.parse(operation?.deadlineAt ?? '');
    expect(Math.abs(off)).toBeLessThanOrEqual(1);
    next.clock.advance(500);
    expect(next.control.operation(again.id)).toMatchObject({ state: 'done' });
  });

  it('ends a drain whose deadline passed meanwhile', () => {
    const house = aDrainHouse();
    house.connect('a', 50);
    const { operation } = house.control.setAdminState(
      ['a'],
      { adminState: 'drain', deadlineMs: 30_000 },
      operator,
    );
    const { next } = restarted(house, { ageMs: 60_000 });
    next.clock.advance(500);
    expect(next.control.operation(operation?.id ?? '').state).toBe('done');
    expect(stateOf(next, 'a')).toBe('drain');
  });

  it('keeps what is over, and freezes', () => {
    const house = aDrainHouse();
    for (let i = 0; i < 3; i++) {
      house.control.setAdminState(['a'], { adminState: 'drain' }, operator);
      house.clock.advance(500);
      house.control.setAdminState(['a'], { adminState: 'ready' }, operator);
    }
    house.control.setFrozen('chat', { frozen: true, why: 'deploy' }, { by: 'ops' });
    const { next } = restarted(house);
    expect(next.control.operations()).toEqual(house.control.operations());
    expect(next.control.freezeState('chat')).toEqual(house.control.freezeState('chat'));
  });

  it('knows registered nodes at once, without data, until reports come', () => {
    const house = aDrainHouse();
    house.report({ id: 'x', host: '10.0.0.9', port: 8081, zone: 'eu-1', capacity: 2 });
    const { next, registered } = restarted(house);
    expect(registered).toBe(1);
    const { node } = next.registry.node('x');
    expect(node.identity).toMatchObject({ host: '10.0.0.9', port: 8081, zone: 'eu-1', capacity: 2 });
    expect([node.origin, node.load]).toEqual(['registered', undefined]);
    next.report({ id: 'x', host: '10.0.0.9', port: 8081, epoch: 'e2' });
    expect(next.registry.node('x').node.load).toBeDefined();
  });

  it('lets no registered node in that the configuration no longer lets in, nor where another stands', () => {
    const house = aDrainHouse();
    house.report({ id: 'x', host: '10.0.0.9', port: 8081 });
    expect(restarted(house, { mayRegister: () => false }).registered).toBe(0);
    const next = aDrainHouse();
    const taken = { id: 'y', host: '127.0.0.1', port: 9000, capacity: null, zone: '', version: '' };
    const section = createRegistrationsSection(next.registry, anybody);
    expect(
      section.restore({ chat: [taken, { ...taken, id: 'a', port: 1 }], gone: [{ ...taken, port: 2 }] }, 0),
    ).toBe(0);
  });

  it('writes only when something has changed', () => {
    const house = aDrainHouse();
    const { section } = house.control;
    const before = section.revision();
    house.clock.advance(5000);
    expect(section.revision()).toBe(before);
    house.control.setAdminState(['a'], { adminState: 'maint' }, operator);
    expect(section.revision()).not.toBe(before);
    house.connect('b', 1);
    house.control.setAdminState(['b'], { adminState: 'drain' }, operator);
    expect(section.revision()).not.toBe(section.revision());
  });

  it.each([
    ['nothing', undefined],
    ['a list', []],
    ['lists that are none', { wishes: {}, drains: [], over: [], freezes: {} }],
  ])('does not understand %s', (_, saved) => {
    expect(aDrainHouse().control.section.restore(saved, 0)).toBeUndefined();
    expect(createRegistrationsSection(aDrainHouse().registry, anybody).restore('x', 0)).toBeUndefined();
  });

  it('leaves out entries that make no sense', () => {
    const house = aDrainHouse();
    const saved = {
      wishes: [
        7,
        { pool: 'chat', node: 'a', adminState: 'ready' },
        { pool: 'chat', node: 'b', adminState: 'drain' },
      ],
      drains: [null, { operation: { id: 'x' }, deadlines: { a: 1 } }],
      over: ['x', { id: 'y' }],
      freezes: { chat: { by: 1 } },
    };
    expect(house.control.section.restore(saved, 0)).toBe(1);
    expect([stateOf(house, 'a'), stateOf(house, 'b')]).toEqual(['ready', 'drain']);
    expect(house.control.operations()).toEqual([]);
    const nodes = createRegistrationsSection(house.registry, anybody);
    expect(
      nodes.restore(
        { chat: [null, { id: '' }, { id: 'q', host: 'h', port: 0 }, { id: 'q', host: 'h', port: 9 }] },
        0,
      ),
    ).toBe(0);
  });
});
