import { describe, expect, it } from 'vitest';
import { HeraldError } from '../../../../src/core/error.ts';
import type { AdminStateRequest, OperationProgress } from '../../../../src/protocol/operations.ts';
import { aDrainHouse, live, reportAll, type DrainHouse } from '../../../support/a-drain-house.ts';

const operator = { by: 'local' };

function drain(house: DrainHouse, nodes: string[], request: Partial<AdminStateRequest> = {}) {
  return house.control.setAdminState(nodes, { adminState: 'drain', ...request }, operator);
}

function drainOne(house: DrainHouse, request: Partial<AdminStateRequest> = {}, node = 'a') {
  const { operation } = drain(house, [node], request);
  if (operation === null) throw new Error('no operation');
  return operation;
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof HeraldError) return error.code;
    throw error;
  }
  return 'nothing';
}

function sums({ total, waiting, leaving, closed, cut, refusedByPeer, leftByThemselves }: OperationProgress) {
  return waiting + leaving + closed + cut + refusedByPeer + leftByThemselves === total;
}

const stateOf = (house: DrainHouse, node: string) => house.registry.node(node).node.adminState;

describe('a drain', () => {
  it('makes the node ineligible at once and empties it well before the deadline when there is room', () => {
    const house = aDrainHouse();
    house.connect('a', 200);
    live(house, 3);
    const { id } = drainOne(house, { deadlineMs: 600_000 });
    expect(stateOf(house, 'a')).toBe('drain');
    expect(house.place({ affinityNode: 'a' })?.node.id).not.toBe('a');
    live(house, 20);
    expect(house.control.operation(id)).toMatchObject({
      state: 'done',
      etaMs: null,
      progress: { total: 200, closed: 200, waiting: 0, leaving: 0 },
    });
    expect(house.told).toHaveLength(200);
    expect(house.told.every(({ adminState }) => adminState === 'drain')).toBe(true);
    expect(new Set(house.told.map(({ goodbye }) => goodbye.retryAfterMs)).size).toBeGreaterThan(100);
  });

  it('asks in portions, never more in two seconds than half of the room', () => {
    const house = aDrainHouse();
    house.connect('a', 800);
    house.connect('b', 700);
    house.connect('c', 700);
    live(house, 3);
    drainOne(house, { force: true });
    house.clock.advance(2000);
    // 2 × (0.95 − 0.7) ÷ 0.001 = 500.
    expect(house.told.length).toBeGreaterThan(100);
    expect(house.told.length).toBeLessThanOrEqual(260);
  });

  it('spreads goodbyes evenly where no load data says what the others can take', () => {
    const house = aDrainHouse();
    house.connect('a', 100);
    drainOne(house, { deadlineMs: 112_000 });
    house.clock.advance(50_000);
    expect(house.told.length).toBeGreaterThanOrEqual(48);
    expect(house.told.length).toBeLessThanOrEqual(51);
  });

  it('keeps to the rate that was asked for', () => {
    const house = aDrainHouse();
    house.connect('a', 100);
    live(house, 2);
    drainOne(house, { ratePerSecond: 5 });
    house.clock.advance(10_000);
    expect(house.told).toHaveLength(50);
  });

  it('raises a rate that cannot meet the deadline, and has asked everybody in time to answer', () => {
    const house = aDrainHouse();
    house.connect('a', 100);
    live(house, 2);
    const { id } = drainOne(house, { ratePerSecond: 0.1, deadlineMs: 30_000 });
    house.clock.advance(18_250);
    expect(house.told).toHaveLength(100);
    house.clock.advance(1000);
    expect(house.control.operation(id).state).toBe('done');
  });

  it('ends what is left at the deadline, and counts it', () => {
    const house = aDrainHouse();
    house.manners = 'deaf';
    house.connect('a', 30);
    const { id } = drainOne(house, { deadlineMs: 10_000 });
    house.clock.advance(10_500);
    expect(house.control.operation(id)).toMatchObject({
      state: 'deadline',
      progress: { total: 30, refusedByPeer: 30, leaving: 0, waiting: 0 },
    });
    expect(house.openOn('a')).toBe(0);
  });

  it('counts those that end by themselves, and those that open late', () => {
    const house = aDrainHouse();
    const dialled = house.place({ affinityNode: 'a' });
    house.connect('a', 10);
    drainOne(house, { deadlineMs: 600_000 });
    for (const guest of house.guests) guest.end();
    house.clock.advance(1000);
    const [running] = house.control.operations();
    expect(running).toMatchObject({ state: 'running', progress: { total: 10, leftByThemselves: 10 } });
    dialled?.opened();
    dialled?.release();
    house.clock.advance(1000);
    expect(house.control.operations()[0]).toMatchObject({ state: 'done' });
  });

  it('tells requests under way last', () => {
    const house = aDrainHouse();
    house.connect('a', 20, 'http');
    house.connect('a', 20);
    drainOne(house, { ratePerSecond: 20 });
    house.clock.advance(1000);
    expect(house.told).toHaveLength(20);
    expect([...house.guests].filter(({ goodbye }) => goodbye === undefined).map(({ kind }) => kind)).toEqual(
      Array.from({ length: 20 }, () => 'http'),
    );
  });

  it('sums at every moment, and never tells a connection twice', () => {
    const house = aDrainHouse();
    house.connect('a', 300);
    live(house, 2);
    const { id } = drainOne(house, { deadlineMs: 20_000 });
    for (let step = 0; step < 100; step++) {
      house.clock.advance(200);
      const { progress } = house.control.operation(id);
      expect(sums(progress)).toBe(true);
      expect(progress.returned).toBeLessThanOrEqual(progress.closed + progress.leaving);
    }
    expect(house.told).toHaveLength(300);
  });

  it('says when it will be done and how fast it goes', () => {
    const house = aDrainHouse();
    house.connect('a', 100);
    const { id } = drainOne(house, { ratePerSecond: 4 });
    house.clock.advance(10_000);
    const { ratePerSecond, etaMs } = house.control.operation(id);
    expect(ratePerSecond).toBeGreaterThan(3.5);
    expect(ratePerSecond).toBeLessThan(4.5);
    expect(etaMs).toBeGreaterThan(12_000);
    expect(etaMs).toBeLessThan(20_000);
  });

  // What broke once: the first progress line had 0/s, and the whole deadline for an ETA.
  it('tells no ETA before it has a rate, unless the rate was given', () => {
    const house = aDrainHouse();
    house.connect('a', 100);
    const auto = drainOne(house, { deadlineMs: 600_000 });
    expect([auto.ratePerSecond, auto.etaMs]).toEqual([0, null]);
    const house2 = aDrainHouse();
    house2.connect('a', 100);
    const { id, etaMs } = drainOne(house2, { ratePerSecond: 4, deadlineMs: 600_000 });
    expect(etaMs).toBe(25_000);
    house2.clock.advance(250);
    expect(house2.control.operation(id)).toMatchObject({ ratePerSecond: 4, etaMs: 24_750 });
    const empty = drainOne(aDrainHouse());
    expect(empty.etaMs).toBeLessThanOrEqual(1000);
  });

  it('asks by chance, so that each portion weighs what the average connection weighs', () => {
    const parts = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => {
      const house = aDrainHouse({ seed });
      house.connect('a', 200);
      const oldest = [...house.guests].slice(0, 100);
      drainOne(house, { ratePerSecond: 50 });
      house.clock.advance(1000);
      expect(house.told).toHaveLength(50);
      return oldest.filter(({ goodbye }) => goodbye !== undefined).length;
    });
    // 400 of 1,600 were told; by chance half of them are of the older half, with a deviation of nine.
    const older = parts.reduce((sum, each) => sum + each, 0);
    expect(older).toBeGreaterThan(164);
    expect(older).toBeLessThan(236);
  });

  it('takes what opens above the usual rate for clients that are back', () => {
    const house = aDrainHouse();
    house.connect('a', 40);
    live(house, 5);
    const { id } = drainOne(house, { ratePerSecond: 40 });
    house.clock.advance(1500);
    house.connect('b', 25);
    house.clock.advance(1000);
    expect(house.control.operation(id).progress.returned).toBe(25);
    house.connect('c', 60);
    house.clock.advance(1000);
    expect(house.control.operation(id).progress.returned).toBe(40);
  });
});

describe('a second request', () => {
  it('returns the drain under way and moves its deadline and rate only when it names them', () => {
    const house = aDrainHouse();
    house.connect('a', 50);
    const first = drainOne(house, { deadlineMs: 60_000, ratePerSecond: 1 });
    house.clock.advance(1000);
    const second = drainOne(house);
    expect([second.id, second.deadlineAt]).toEqual([first.id, first.deadlineAt]);
    const third = drainOne(house, { deadlineMs: 30_000 });
    expect(third.id).toBe(first.id);
    expect(Date.parse(third.deadlineAt ?? '') - Date.parse(first.deadlineAt ?? '')).toBe(-29_000);
    expect(house.events.map(({ type }) => type)).toEqual([
      'operation.started',
      'operation.updated',
      'operation.updated',
    ]);
  });

  it('adds nodes to the drain under way, each with its own deadline', () => {
    const house = aDrainHouse({ nodes: ['a', 'b', 'c', 'd'] });
    house.connect('a', 10);
    house.connect('b', 10);
    const first = drainOne(house, { deadlineMs: 600_000, ratePerSecond: 0.1 });
    const both = drain(house, ['a', 'b']).operation;
    expect(both).toMatchObject({ id: first.id, nodes: ['a', 'b'], progress: { total: 20 } });
    drainOne(house, { self: true, deadlineMs: 2000 }, 'b');
    house.clock.advance(2500);
    expect([house.openOn('b'), house.openOn('a')]).toEqual([0, 10]);
  });

  it('is refused when its nodes are in two drains', () => {
    const house = aDrainHouse({ nodes: ['a', 'b', 'c', 'd'] });
    house.connect('a', 10);
    house.connect('b', 10);
    drainOne(house, {}, 'a');
    drainOne(house, {}, 'b');
    expect(codeOf(() => drain(house, ['a', 'b']))).toBe('HERALD_OPERATION_RUNNING');
  });
});

describe('what may be drained', () => {
  it('is refused with figures when the rest would pass saturation, unless forced', () => {
    const house = aDrainHouse();
    for (const id of ['a', 'b', 'c']) house.connect(id, 700);
    live(house, 3);
    try {
      drain(house, ['a']);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'HERALD_DRAIN_REFUSED' });
      expect(String(error)).toMatch(
        /700 connections of a go to 2 nodes: mean utilization rises from 70\.\d % to 10[45]\.\d %/,
      );
    }
    expect([stateOf(house, 'a'), house.control.operations()]).toEqual(['ready', []]);
    expect(drain(house, ['a'], { dryRun: true })).toMatchObject({
      operation: null,
      forecast: { isRefused: true, connections: 700 },
    });
    expect(stateOf(house, 'a')).toBe('ready');
    expect(drain(house, ['a'], { force: true }).operation?.state).toBe('running');
  });

  // What broke once: an empty node could not be drained while the others were over saturation already.
  it('may always be a node that has nothing to give away', () => {
    const house = aDrainHouse();
    for (const id of ['b', 'c']) house.connect(id, 700);
    live(house, 3, 0.0016);
    const { operation, forecast } = drain(house, ['a']);
    expect(operation).not.toBeNull();
    expect(forecast).toMatchObject({ connections: 0, isRefused: false });
    expect(forecast?.utilizationBefore).toBeGreaterThan(1);
  });

  it('is not the last node, unless forced or by itself', () => {
    const house = aDrainHouse({ nodes: ['a', 'b'] });
    house.connect('a', 1);
    expect(codeOf(() => drain(house, ['a', 'b']))).toBe('HERALD_DRAIN_REFUSED');
    expect([stateOf(house, 'a'), stateOf(house, 'b')]).toEqual(['ready', 'ready']);
    drainOne(house, {}, 'b');
    expect(codeOf(() => drain(house, ['a']))).toBe('HERALD_DRAIN_REFUSED');
    expect(drain(house, ['a'], { self: true }).operation?.state).toBe('running');
  });

  it('is all or none: one unknown node changes nothing, and the nearest is named', () => {
    const house = aDrainHouse({ nodes: ['node-a', 'node-b', 'node-c'] });
    house.connect('node-a', 1);
    try {
      drain(house, ['node-a', 'node-x']);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'HERALD_NODE_UNKNOWN' });
      expect(String(error)).toContain('node-a');
    }
    expect(stateOf(house, 'node-a')).toBe('ready');
    expect(house.control.operations()).toEqual([]);
  });

  it('makes all nodes ineligible before the first connection is asked', () => {
    const house = aDrainHouse({ nodes: ['a', 'b', 'c', 'd'] });
    house.connect('a', 20);
    house.connect('b', 20);
    live(house, 2);
    drain(house, ['a', 'b'], { deadlineMs: 1000 });
    expect([stateOf(house, 'a'), stateOf(house, 'b'), house.told.length]).toEqual(['drain', 'drain', 0]);
    live(house, 2);
    expect(house.told).toHaveLength(40);
  });

  it.each([
    ['a rate of 0', { ratePerSecond: 0 }],
    ['a deadline in the past', { deadlineMs: -1 }],
    ['a deadline of now', { deadlineMs: 0 }],
    ['a deadline that is no number', { deadlineMs: NaN }],
    ['a reason beyond 200 characters', { why: 'x'.repeat(201) }],
    ['a deadline for ready', { adminState: 'ready' as const, deadlineMs: 5 }],
    ['maint by the node itself', { adminState: 'maint' as const, self: true }],
  ])('refuses %s', (_, request) => {
    const house = aDrainHouse();
    expect(codeOf(() => drain(house, ['a'], request))).toBe('HERALD_ADMIN_STATE_INVALID');
    expect(stateOf(house, 'a')).toBe('ready');
  });

  it('refuses no nodes, and nodes of two pools', () => {
    const house = aDrainHouse();
    house.addPool('other', 'x');
    expect(codeOf(() => drain(house, []))).toBe('HERALD_ADMIN_STATE_INVALID');
    expect(codeOf(() => drain(house, ['a', 'x']))).toBe('HERALD_ADMIN_STATE_INVALID');
    expect(() => drain(house, ['a', 'x', 'b'])).toThrow(
      /^node 'x' is in pool 'other', not in pool 'chat', where 'a' is: drain them in two commands, `herald drain a b` and `herald drain x`$/,
    );
  });
});

describe('what ends a drain early', () => {
  it.each(['ready', 'maint'] as const)('is %s: what is left stays', (adminState) => {
    const house = aDrainHouse();
    house.connect('a', 50);
    const { id } = drainOne(house, { ratePerSecond: 10 });
    house.clock.advance(2000);
    house.control.setAdminState(['a'], { adminState }, { by: 'ops' });
    const told = house.told.length;
    house.clock.advance(60_000);
    expect(house.told).toHaveLength(told);
    expect(house.openOn('a')).toBe(50 - told);
    expect(house.control.operation(id)).toMatchObject({
      state: 'cancelled',
      reason: `ops set node 'a' to ${adminState}`,
      progress: { waiting: 50 - told, closed: told },
    });
  });

  it('is its cancelling, which leaves the node in drain; another drain begins anew', () => {
    const house = aDrainHouse();
    house.connect('a', 50);
    const { id } = drainOne(house, { ratePerSecond: 10 });
    house.clock.advance(2000);
    const over = house.control.cancel(id, { by: 'ops', why: 'wrong node' });
    expect(over).toMatchObject({ state: 'cancelled', reason: 'cancelled by ops: wrong node' });
    expect(house.control.cancel(id, { by: 'ops', why: '' })).toMatchObject({ reason: over.reason });
    expect(stateOf(house, 'a')).toBe('drain');
    expect(drainOne(house).id).not.toBe(id);
  });

  it('is a registry that was told by somebody else', () => {
    const house = aDrainHouse();
    house.connect('a', 50);
    const { id } = drainOne(house, { ratePerSecond: 1 });
    house.registry.setAdminState('a', 'ready');
    house.clock.advance(500);
    expect(house.control.operation(id)).toMatchObject({ state: 'cancelled', progress: { waiting: 50 } });
  });

  it('is the removal of its pool: its connections cannot be listed any more', () => {
    const house = aDrainHouse();
    house.connect('a', 5);
    const { id } = drainOne(house, { ratePerSecond: 1 });
    house.registry.configure([]);
    house.clock.advance(500);
    expect(house.control.operation(id)).toMatchObject({ state: 'stopped' });
    expect(house.control.operation(id).reason).toContain(
      "pool 'chat' is no longer configured: 5 connections",
    );
  });

  it('is not the removal of its node: what it held is still asked to leave', () => {
    const house = aDrainHouse();
    house.connect('a', 20);
    const { id } = drainOne(house, { ratePerSecond: 10 });
    house.registry.remove('a');
    house.clock.advance(5000);
    expect(house.control.operation(id)).toMatchObject({ state: 'done', progress: { closed: 20 } });
    expect(house.control.operation(id).reason).toContain('a is no longer a node');
  });

  it('is the death of its node, and the reason says so', () => {
    const house = aDrainHouse();
    house.connect('a', 20);
    const { id } = drainOne(house, { ratePerSecond: 1 });
    house.registry.setCheckFailure('a', 'connection refused');
    for (const guest of house.guests) guest.end();
    house.clock.advance(1000);
    expect(house.control.operation(id)).toMatchObject({ state: 'done', progress: { leftByThemselves: 20 } });
    expect(house.control.operation(id).reason).toContain('a is down');
  });
});

describe('a node that comes back', () => {
  it('is still in drain when an operator drained it', () => {
    const house = aDrainHouse();
    house.report({ id: 'x', epoch: 'e1' });
    house.clock.advance(6000);
    drain(house, ['x'], { force: true });
    house.report({ id: 'x', epoch: 'e1', leaving: true, seq: 9 });
    house.clock.advance(1000);
    expect(codeOf(() => house.registry.node('x'))).toBe('HERALD_NODE_UNKNOWN');
    house.report({ id: 'x', epoch: 'e2' });
    expect(stateOf(house, 'x')).toBe('drain');
  });

  it('is ready when it had drained itself, whether or not it was forgotten meanwhile', () => {
    const house = aDrainHouse();
    house.report({ id: 'x', epoch: 'e1' });
    drain(house, ['x'], { self: true });
    house.report({ id: 'x', epoch: 'e1' });
    expect(stateOf(house, 'x')).toBe('drain');
    house.report({ id: 'x', epoch: 'e2' });
    expect(stateOf(house, 'x')).toBe('ready');
    drain(house, ['x'], { self: true });
    house.report({ id: 'x', epoch: 'e2', leaving: true });
    house.clock.advance(1000);
    house.report({ id: 'x', epoch: 'e3' });
    expect(stateOf(house, 'x')).toBe('ready');
  });

  it('takes the epoch of the first report for its own when it drained itself before any', () => {
    const house = aDrainHouse();
    drain(house, ['a'], { self: true });
    house.report({ id: 'a', epoch: 'e1', port: 9000 });
    expect(stateOf(house, 'a')).toBe('drain');
    house.report({ id: 'a', epoch: 'e2', port: 9000 });
    expect(stateOf(house, 'a')).toBe('ready');
  });
});

describe('a node that drains itself', () => {
  it('is in maint again after its restart when an operator had set it so, also when it was forgotten meanwhile', () => {
    const house = aDrainHouse();
    house.report({ id: 'x', epoch: 'e1' });
    house.control.setAdminState(['x'], { adminState: 'maint' }, operator);
    drain(house, ['x'], { self: true });
    drain(house, ['x'], { self: true });
    expect(stateOf(house, 'x')).toBe('drain');
    house.report({ id: 'x', epoch: 'e2' });
    expect(stateOf(house, 'x')).toBe('maint');
    drain(house, ['x'], { self: true });
    house.report({ id: 'x', epoch: 'e2', leaving: true, seq: 99 });
    house.clock.advance(1000);
    expect(codeOf(() => house.registry.node('x'))).toBe('HERALD_NODE_UNKNOWN');
    house.report({ id: 'x', epoch: 'e3' });
    expect(stateOf(house, 'x')).toBe('maint');
  });

  it('stays drained when an operator drains it, before or after', () => {
    for (const selfFirst of [true, false]) {
      const house = aDrainHouse();
      house.report({ id: 'x', epoch: 'e1' });
      drain(house, ['x'], { self: selfFirst, force: true });
      drain(house, ['x'], { self: !selfFirst, force: true });
      house.report({ id: 'x', epoch: 'e2' });
      expect(stateOf(house, 'x')).toBe('drain');
    }
  });

  it('has the shorter of its own deadline and the policy', () => {
    const house = aDrainHouse({ policy: { drain: { deadlineMs: 60_000 } } });
    house.connect('a', 5);
    house.connect('b', 5);
    const left = (deadlineAt: string | null) => Date.parse(deadlineAt ?? '') - house.clock.wallMs();
    expect(left(drainOne(house, { self: true, deadlineMs: 25_000 }).deadlineAt)).toBe(25_000);
    expect(left(drainOne(house, { self: true, deadlineMs: 999_000 }, 'b').deadlineAt)).toBe(60_000);
  });
});

describe('operations', () => {
  it('lists running ones first, keeps a hundred that are over, and names the nearest for an unknown id', () => {
    const house = aDrainHouse();
    for (let i = 0; i < 105; i++) {
      drainOne(house);
      house.clock.advance(300);
      house.control.setAdminState(['a'], { adminState: 'ready' }, operator);
    }
    house.connect('a', 5);
    const { id } = drainOne(house);
    const list = house.control.operations();
    expect(list).toHaveLength(101);
    expect(list[0]?.id).toBe(id);
    expect(codeOf(() => house.control.operation('drain-x'))).toBe('HERALD_OPERATION_UNKNOWN');
    expect(new Set(list.map((each) => each.id)).size).toBe(101);
  });

  it('counts what ended and what came of the shed, for metrics', () => {
    const house = aDrainHouse();
    house.connect('a', 5);
    live(house, 2);
    drainOne(house);
    live(house, 5);
    const figures = house.control.figures();
    expect([...figures.ended]).toEqual([{ pool: 'chat', kind: 'drain', state: 'done', count: 1 }]);
    expect(figures.sheds).toEqual([
      { pool: 'chat', node: 'a', cause: 'drain', way: 'close', outcome: 'closed', count: 5 },
    ]);
    house.registry.remove('a');
    expect(house.control.figures().sheds).toEqual([]);
  });
});

describe('a freeze', () => {
  it('stops nothing that an operator asked for', () => {
    const house = aDrainHouse();
    house.connect('a', 5);
    reportAll(house);
    house.control.setFrozen(undefined, { frozen: true, why: 'incident' }, operator);
    drainOne(house, { deadlineMs: 5000 });
    live(house, 6);
    expect(house.openOn('a')).toBe(0);
  });

  it('is for a pool or for all, keeps who and why, and is told once', () => {
    const house = aDrainHouse();
    const { control } = house;
    expect(control.freezeState('chat')).toEqual({ frozen: false, by: '', why: '', since: null });
    control.setFrozen('chat', { frozen: true, why: 'deploy' }, { by: 'ops' });
    control.setFrozen('chat', { frozen: true, why: 'again' }, { by: 'other' });
    expect(control.freezeState('chat')).toMatchObject({ frozen: true, by: 'ops', why: 'deploy' });
    expect(control.freezeState(undefined).frozen).toBe(false);
    control.setFrozen(undefined, { frozen: true, why: 'incident' }, operator);
    expect(control.setFrozen('chat', { frozen: false, why: '' }, operator)).toMatchObject({
      frozen: true,
      why: 'incident',
    });
    expect(control.setFrozen(undefined, { frozen: false, why: '' }, operator).frozen).toBe(false);
    expect(house.events.map(({ type, pool }) => `${type} ${pool}`)).toEqual([
      'freeze.began chat',
      'freeze.began ',
      'freeze.ended chat',
      'freeze.ended ',
    ]);
    expect(codeOf(() => control.freezeState('chta'))).toBe('HERALD_POOL_UNKNOWN');
  });
});
