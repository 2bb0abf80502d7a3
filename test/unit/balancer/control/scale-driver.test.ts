import { describe, expect, it } from 'vitest';
import { live } from '../../../support/a-drain-house.ts';
import type { PolicyParts } from '../../../support/a-policy.ts';
import { anUnknownScaling } from '../../../support/a-scaling.ts';
import type { Operation } from '../../../../src/protocol/operations.ts';
import { aScaleHouse, type ScaleHouse } from './scale-house.ts';

const out = { action: 'out', desiredNodes: 5, reason: 'Too full.' } as const;
const victim = (id: string) => ({ id, zone: '', connections: 20, reason: '20 connections' });
const inC = { action: 'in', desiredNodes: 2, victims: [victim('c')], reason: 'Two suffice.' } as const;
/** How the feed sees the pool while c drains. */
const two = { nodes: 2, desiredNodes: 2 } as const;
const unknown = (parts = {}) => anUnknownScaling({ nodes: 2, desiredNodes: 2, ...parts });

describe('of several balancers', () => {
  it('only the leader asks, and the next leader goes on with the drains of the last', async () => {
    const scale = aScaleHouse();
    scale.isLeader = false;
    await scale.say(out);
    await scale.say(inC);
    expect(scale.wishes).toEqual([]);
    expect(scale.adminState('c')).toBe('ready');
    scale.isLeader = true;
    await scale.say(out);
    expect(scale.wishes).toHaveLength(1);
  });
});

describe('scale-out', () => {
  it('is asked for at once, with what is desired', async () => {
    const scale = aScaleHouse();
    await scale.say(out);
    expect(scale.wishes).toHaveLength(1);
    expect(scale.wishes[0]).toMatchObject({ pool: 'chat', desired: 5, action: 'out', victims: [] });
    expect(scale.wishes[0]?.id).toMatch(/^out-[a-z0-9]+-[a-z0-9]{4}$/);
    expect(scale.told()).toEqual(['scale.acted']);
    expect(scale.lastWords()).toBe('scale-out: stub was asked for 5 nodes');
  });

  it('is not asked for again while the nodes may be on their way', async () => {
    const scale = aScaleHouse({ policy: { scale: aScale({ startTimeMs: 60_000 }) } });
    await scale.say(out);
    await scale.say(out);
    scale.house.clock.advance(119_000);
    await scale.say({ ...out, nodes: 4 });
    expect(scale.wishes).toHaveLength(1);
    scale.house.clock.advance(1_000);
    await scale.say({ ...out, nodes: 4 });
    expect(scale.wishes.map(({ desired }) => desired)).toEqual([5, 5]);
  });

  it('is asked for at once when yet more are needed', async () => {
    const scale = aScaleHouse();
    await scale.say(out);
    await scale.say({ ...out, desiredNodes: 8 });
    expect(scale.wishes.map(({ desired }) => desired)).toEqual([5, 8]);
  });

  it('is over when the nodes have come', async () => {
    const scale = aScaleHouse();
    await scale.say(out);
    await scale.say({ nodes: 5, desiredNodes: 5 });
    // Two died since: the same wish is a new one.
    await scale.say({ ...out, nodes: 3 });
    expect(scale.wishes).toHaveLength(2);
    expect(scale.wishes[0]?.id).not.toBe(scale.wishes[1]?.id);
  });

  it('that fails is repeated with backoff under the same id, an event for each', async () => {
    const scale = aScaleHouse();
    scale.platform = new Error('quota exceeded');
    await scale.say(out);
    expect(scale.lastWords()).toBe('scale-out to 5 nodes failed: quota exceeded; again in 5 s');
    scale.house.clock.advance(4_000);
    await scale.say(out);
    expect(scale.wishes).toHaveLength(1);
    scale.house.clock.advance(1_000);
    await scale.say(out);
    expect(scale.lastWords()).toContain('again in 10 s');
    scale.platform = 'takes';
    scale.house.clock.advance(10_000);
    await scale.say(out);
    expect(new Set(scale.wishes.map(({ id }) => id)).size).toBe(1);
    expect(scale.told()).toEqual(['scale.failed', 'scale.failed', 'scale.acted']);
  });

  it('that fails and is not needed any more is dropped', async () => {
    const scale = aScaleHouse();
    scale.platform = new Error('quota exceeded');
    await scale.say(out);
    scale.house.clock.advance(60_000);
    await scale.say();
    await scale.say(out);
    expect(scale.told()).toEqual(['scale.failed', 'scale.cancelled', 'scale.failed']);
  });

  it('is asked for without load data where nodes are below the least', async () => {
    const scale = aScaleHouse();
    await scale.say(unknown({ action: 'out', nodes: 1, desiredNodes: 3 }));
    expect(scale.wishes.map(({ desired }) => desired)).toEqual([3]);
  });

  it('counts nodes that an operator keeps out, since the platform runs them', async () => {
    const scale = withGuests();
    scale.house.control.setAdminState(['c'], { adminState: 'maint' }, { by: 'local' });
    await scale.say({ ...out, nodes: 2, desiredNodes: 4 });
    expect(scale.wishes[0]?.desired).toBe(5);
    await scale.say({ nodes: 4, desiredNodes: 4 });
    await scale.say({ ...out, nodes: 4, desiredNodes: 6 });
    expect(scale.wishes.map(({ desired }) => desired)).toEqual([5, 7]);
  });

  it('without load data never asks for fewer than were known: they may be there unheard', async () => {
    const scale = aScaleHouse();
    await scale.say({ nodes: 8, desiredNodes: 8 });
    await scale.say(unknown({ action: 'out', nodes: 0, desiredNodes: 2 }));
    expect(scale.wishes.map(({ desired }) => desired)).toEqual([8]);
  });

  it('waits at the start until every node may have been heard of', async () => {
    const scale = aScaleHouse({ graceMs: 30_000 });
    await scale.say({ ...out, nodes: 1, desiredNodes: 2 });
    scale.house.clock.advance(29_000);
    await scale.say({ ...out, nodes: 1, desiredNodes: 2 });
    expect(scale.wishes).toEqual([]);
    scale.house.clock.advance(1_000);
    await scale.say(out);
    expect(scale.wishes.map(({ desired }) => desired)).toEqual([5]);
  });

  it('that hangs has failed after two minutes, and meanwhile nothing else is asked', async () => {
    const scale = aScaleHouse();
    scale.platform = 'hangs';
    await scale.say(out);
    scale.house.clock.advance(119_000);
    await scale.say({ ...out, desiredNodes: 9 });
    expect(scale.wishes).toHaveLength(1);
    scale.house.clock.advance(1_000);
    expect(scale.lastWords()).toContain('no answer within 120 s');
  });
});

describe('scale-in', () => {
  it('drains the victim first and names it when it is empty', async () => {
    const scale = withGuests();
    await scale.say(inC);
    expect(scale.adminState('c')).toBe('drain');
    await scale.say(two);
    expect(scale.wishes).toEqual([]);
    live(scale.house, 60);
    await scale.say(two);
    const [operation] = scale.house.control.operations();
    expect(operation).toMatchObject({ state: 'done', by: 'auto', why: 'scale-in: Two suffice.' });
    expect(scale.wishes).toEqual([
      {
        id: `in-${operation?.id}`,
        pool: 'chat',
        desired: 2,
        action: 'in',
        victims: [victim('c')],
        reason: 'Two suffice.',
      },
    ]);
    expect(scale.lastWords()).toBe('scale-in: stub was asked for 2 nodes without c');
  });

  it('has its clients asked evenly until `down.drain`', async () => {
    const scale = withGuests({ drain: { deadlineMs: 120_000 } });
    await scale.say(inC);
    const { deadlineAt } = operationOf(scale);
    expect(deadlineAt).toBe(new Date(scale.house.clock.wallMs() + 120_000).toISOString());
    live(scale.house, 50);
    const { waiting, total } = operationOf(scale).progress;
    expect(total).toBe(20);
    expect(waiting).toBeGreaterThan(5);
    expect(waiting).toBeLessThan(16);
  });

  it('goes on when the deadline has passed', async () => {
    const scale = withGuests({ drain: { deadlineMs: 5_000 } });
    scale.house.manners = 'deaf';
    await scale.say(inC);
    live(scale.house, 8);
    await scale.say(two);
    expect(scale.house.control.operations()[0]?.state).toBe('deadline');
    expect(scale.wishes).toHaveLength(1);
  });

  it('that the pool cannot do without any more is taken back: the victim serves again', async () => {
    const scale = withGuests();
    await scale.say(inC);
    await scale.say({ ...out, nodes: 2, desiredNodes: 3 });
    expect(scale.adminState('c')).toBe('ready');
    expect(scale.wishes).toEqual([]);
    expect(scale.lastWords()).toBe('scale-in of c given up: its nodes are needed: Too full.');
    await scale.say({ ...out, desiredNodes: 4 });
    expect(scale.wishes.map(({ action }) => action)).toEqual(['out']);
  });

  it('is taken back when load data are missing, drained or not', async () => {
    const scale = withGuests();
    await scale.say(inC);
    await scale.say(unknown());
    expect(scale.adminState('c')).toBe('ready');
    await scale.say(inC);
    live(scale.house, 60);
    await scale.say(unknown());
    expect(scale.adminState('c')).toBe('ready');
    expect(scale.wishes).toEqual([]);
  });

  it('never begins without load data, whatever else the recommendation says', async () => {
    const scale = withGuests();
    await scale.say(unknown({ ...inC, nodes: 3 }));
    expect(scale.adminState('c')).toBe('ready');
    expect(scale.house.control.operations()).toEqual([]);
  });

  it('never goes below the least, whatever the recommendation says', async () => {
    const scale = withGuests();
    await scale.say({ ...inC, min: 3 });
    expect(scale.adminState('c')).toBe('ready');
  });

  it('leaves a node that somebody wants, for as long as fewer must have sufficed', async () => {
    const scale = withGuests({ scale: aScale({ afterMs: 300_000 }) });
    await scale.say(inC);
    scale.house.control.setAdminState(['c'], { adminState: 'ready' }, { by: 'local' });
    await scale.say();
    expect(scale.lastWords()).toContain('its drain was cancelled: local set node');
    scale.house.clock.advance(299_000);
    await scale.say(inC);
    expect(scale.adminState('c')).toBe('ready');
    scale.house.clock.advance(1_000);
    await scale.say(inC);
    expect(scale.adminState('c')).toBe('drain');
  });

  it('that would push the rest over saturation is refused, told and tried later, never forced', async () => {
    const scale = aScaleHouse({ nodes: ['a', 'b', 'c'] });
    scale.house.connect('a', 900);
    scale.house.connect('b', 900);
    scale.house.connect('c', 900);
    live(scale.house, 10);
    await scale.say(inC);
    expect(scale.adminState('c')).toBe('ready');
    expect(scale.told()).toEqual(['scale.failed']);
    expect(scale.lastWords()).toMatch(/refused: .* again in 5 s/);
    await scale.say(inC);
    expect(scale.told()).toEqual(['scale.failed']);
    scale.house.clock.advance(5_000);
    await scale.say(inC);
    expect(scale.told()).toEqual(['scale.failed', 'scale.failed']);
  });

  it('without victims yet waits for them', async () => {
    const scale = withGuests();
    await scale.say({ ...inC, victims: [] });
    expect(scale.wishes).toEqual([]);
    expect(scale.told()).toEqual([]);
  });

  it('without victims is left to the platform, which chooses for itself', async () => {
    const scale = withGuests({ scale: { victims: 'external' } });
    await scale.say({ ...inC, victims: [] });
    expect(scale.wishes[0]).toMatchObject({ action: 'in', desired: 2, victims: [] });
    expect(scale.house.control.operations()).toEqual([]);
  });

  it('asks again for victims that nobody has stopped, under the same id', async () => {
    const scale = withGuests({ scale: aScale({ startTimeMs: 60_000 }) });
    await drained(scale);
    live(scale.house, 119);
    await scale.say(two);
    expect(scale.wishes).toHaveLength(1);
    live(scale.house, 2);
    await scale.say(two);
    expect(scale.wishes).toHaveLength(2);
    expect(scale.wishes[1]).toMatchObject({ id: scale.wishes[0]?.id, victims: [{ id: 'c' }] });
  });

  it('is settled when the victim is gone, and the next may go', async () => {
    const scale = withGuests();
    await drained(scale);
    leave(scale, 'c');
    await scale.say({ nodes: 2, action: 'in', desiredNodes: 1, victims: [victim('b')] });
    expect(scale.adminState('b')).toBe('drain');
  });

  it('ends with the process of its victim: one that comes back under its name serves', async () => {
    const scale = withGuests();
    await drained(scale);
    leave(scale, 'c');
    await scale.say(two);
    scale.house.report({ id: 'c', epoch: 'another', port: portOf(scale, 'c') });
    expect(scale.adminState('c')).toBe('ready');
    await scale.say();
    expect(scale.wishes).toHaveLength(1);
  });

  it('leaves a victim drained that an operator has drained meanwhile', async () => {
    const scale = withGuests();
    await scale.say(inC);
    scale.house.control.setAdminState(['c'], { adminState: 'drain' }, { by: 'local' });
    await scale.say({ ...out, nodes: 2, desiredNodes: 3 });
    expect(scale.adminState('c')).toBe('drain');
  });

  it('that the platform has taken is not taken back: what is needed then is asked for', async () => {
    const scale = withGuests();
    await drained(scale);
    await scale.say({ ...out, nodes: 2, desiredNodes: 3 });
    expect(scale.adminState('c')).toBe('drain');
    expect(scale.wishes.map(({ action, desired }) => [action, desired])).toEqual([
      ['in', 2],
      ['out', 3],
    ]);
  });

  it('that the platform refuses is repeated, and taken back when the nodes are needed', async () => {
    const scale = withGuests();
    scale.platform = new Error('no such group');
    await drained(scale);
    scale.house.clock.advance(5_000);
    await scale.say(two);
    expect(scale.told()).toEqual(['scale.failed', 'scale.failed']);
    await scale.say({ ...out, nodes: 2, desiredNodes: 3 });
    expect(scale.adminState('c')).toBe('ready');
    expect(scale.told().at(-1)).toBe('scale.cancelled');
  });
});

describe('a restart', () => {
  it('goes on with a drain that is under way', async () => {
    const scale = withGuests();
    await scale.say(inC);
    scale.restart();
    await scale.say(two);
    expect(scale.wishes).toEqual([]);
    live(scale.house, 60);
    await scale.say(two);
    expect(scale.wishes[0]).toMatchObject({ desired: 2, victims: [{ id: 'c' }], reason: 'Two suffice.' });
  });

  it('waits for load data before it goes on with a drain, and then gives it up for want of data as ever', async () => {
    const scale = withGuests();
    await scale.say(inC);
    scale.restart();
    await scale.say(unknown());
    expect(scale.adminState('c')).toBe('drain');
    await scale.say(two);
    await scale.say(unknown());
    expect(scale.adminState('c')).toBe('ready');
  });

  it('gives a drain up without load data where nodes are below the least', async () => {
    const scale = withGuests();
    await scale.say(inC);
    scale.restart();
    await scale.say(unknown({ action: 'out', desiredNodes: 3, min: 3 }));
    expect(scale.adminState('c')).toBe('ready');
  });

  it('gives a drain up that meets a freeze', async () => {
    const scale = withGuests();
    await scale.say(inC);
    scale.restart();
    await scale.say({ ...two, isFrozen: true });
    expect(scale.adminState('c')).toBe('ready');
  });

  it('asks again for what may not have been asked, under the same id', async () => {
    const scale = withGuests();
    await drained(scale);
    scale.restart();
    await scale.say(two);
    expect(scale.wishes).toHaveLength(2);
    expect(scale.wishes[0]?.id).toBe(scale.wishes[1]?.id);
  });

  it('lets be what an operator has drained, even where a scale-in had the node before', async () => {
    const scale = withGuests();
    await drained(scale);
    scale.house.control.setAdminState(['c'], { adminState: 'ready' }, { by: 'local' });
    scale.house.control.setAdminState(['c'], { adminState: 'drain' }, { by: 'local' });
    live(scale.house, 5);
    scale.restart();
    await scale.say(two);
    await scale.say({ ...out, nodes: 2, desiredNodes: 3 });
    expect(scale.adminState('c')).toBe('drain');
    expect(scale.wishes.map(({ action }) => action)).toEqual(['in', 'out']);
  });
});

describe('a frozen pool', () => {
  it('is let be, which is said once a freeze', async () => {
    const scale = withGuests();
    await scale.say({ ...out, isFrozen: true });
    await scale.say({ ...inC, isFrozen: true });
    expect(scale.told()).toEqual(['scale.frozen']);
    expect(scale.lastWords()).toBe('scale-out from 3 to 5 nodes waits: the pool is frozen');
    await scale.say();
    await scale.say({ ...out, isFrozen: true });
    expect(scale.told()).toEqual(['scale.frozen', 'scale.frozen']);
    expect(scale.wishes).toEqual([]);
  });

  it('gets nodes back that were to go', async () => {
    const scale = withGuests();
    await scale.say(inC);
    await scale.say({ ...two, isFrozen: true });
    expect(scale.adminState('c')).toBe('ready');
    expect(scale.lastWords()).toContain('given up: the pool is frozen');
  });

  it('keeps what the platform was asked to stop out of use', async () => {
    const scale = withGuests();
    await drained(scale);
    live(scale.house, 400);
    await scale.say({ ...two, isFrozen: true });
    expect(scale.adminState('c')).toBe('drain');
    expect(scale.wishes).toHaveLength(1);
  });
});

describe('a pool without an executor', () => {
  it('is let be', async () => {
    const scale = withGuests();
    scale.hasExecutor = false;
    await scale.say(out);
    await scale.say(inC);
    expect(scale.told()).toEqual([]);
    expect(scale.adminState('c')).toBe('ready');
  });

  it('gets nodes back that were to go when its executor is taken away', async () => {
    const scale = withGuests();
    await scale.say(inC);
    scale.hasExecutor = false;
    await scale.say(two);
    expect(scale.adminState('c')).toBe('ready');
  });
});

it('a pool that is no longer configured is forgotten, its unanswered wish with it', async () => {
  const scale = withGuests();
  scale.platform = 'hangs';
  await scale.say(out);
  scale.house.registry.configure([]);
  await scale.say({ pool: 'other' });
  scale.house.clock.advance(200_000);
  expect(scale.told()).toEqual([]);
});

function aScale({ startTimeMs = 0, afterMs = 0 }: { startTimeMs?: number; afterMs?: number }) {
  return { startTimeMs, down: { afterMs, step: 1, drainMs: 20_000 } };
}

function operationOf({ house }: ScaleHouse): Operation {
  const [operation] = house.control.operations();
  if (operation === undefined) throw new Error('there is no operation');
  return operation;
}

function withGuests(policy: PolicyParts = {}): ScaleHouse {
  const scale = aScaleHouse({ policy });
  for (const node of ['a', 'b', 'c']) scale.house.connect(node, 20);
  live(scale.house, 10);
  return scale;
}

/** The node's agent says goodbye. */
function leave(scale: ScaleHouse, id: string): void {
  scale.house.report({ id, leaving: true, port: portOf(scale, id) });
}

function portOf(scale: ScaleHouse, id: string): number {
  return scale.house.registry.node(id).node.identity.port;
}

/** Until the platform has been asked to stop c. */
async function drained(scale: ScaleHouse): Promise<void> {
  await scale.say(inC);
  live(scale.house, 60);
  await scale.say(two);
}
