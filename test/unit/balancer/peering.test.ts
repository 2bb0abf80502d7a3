import { describe, expect, it } from 'vitest';
import { aStreet, type PeeredHouse } from '../../support/a-peered-house.ts';

const ops = { by: 'ops' };

function stateOf({ registry }: PeeredHouse, node: string): string | undefined {
  return registry.pool('chat').nodes.get(node)?.adminState;
}

describe('what operators want', () => {
  it('is done on every balancer, with who and why, and told once', async () => {
    const street = aStreet();
    const [one, two] = [await street.join('lb-1'), await street.join('lb-2')];
    one.control.setAdminState(['a'], { adminState: 'maint', why: 'disk' }, ops);
    await street.run(300);
    expect(stateOf(two, 'a')).toBe('maint');
    const told = two.notices.filter(({ event }) => event === 'admin state changed');
    expect(told.map(({ facts }) => facts)).toEqual([
      { pool: 'chat', node: 'a', from: 'ready', to: 'maint', by: 'ops', why: 'disk' },
    ]);
    two.control.setAdminState(['a'], { adminState: 'ready' }, ops);
    await street.run(300);
    expect(stateOf(one, 'a')).toBe('ready');
  });

  it('a drain empties the node on every balancer, each of its own connections; ready ends it everywhere', async () => {
    const street = aStreet();
    const [one, two] = [await street.join('lb-1'), await street.join('lb-2')];
    one.connect('a', 30);
    two.connect('a', 10);
    await street.run(300);
    const { operation } = one.control.setAdminState(['a'], { adminState: 'drain', ratePerSecond: 4 }, ops);
    await street.run(5000);
    // 4/s of both together, by what each has: about 15 and 5.
    expect(30 - one.openOn('a')).toBeGreaterThanOrEqual(13);
    expect(30 - one.openOn('a')).toBeLessThanOrEqual(17);
    expect(10 - two.openOn('a')).toBeGreaterThanOrEqual(3);
    expect(10 - two.openOn('a')).toBeLessThanOrEqual(7);
    expect(two.control.operations().map(({ state, by }) => [state, by])).toEqual([['running', 'ops']]);
    two.control.setAdminState(['a'], { adminState: 'ready' }, { by: 'another' });
    await street.run(300);
    expect(one.control.operation(operation?.id ?? '').state).toBe('cancelled');
    expect(stateOf(one, 'a')).toBe('ready');
  });

  it('a drain is not over before the others have let the node go', async () => {
    const street = aStreet();
    const [one, two] = [await street.join('lb-1'), await street.join('lb-2')];
    two.connect('a', 5);
    two.manners = 'deaf';
    await street.run(300);
    one.control.setAdminState(['a'], { adminState: 'drain', deadlineMs: 20_000 }, ops);
    await street.run(2000);
    expect(one.control.operations()[0]?.state).toBe('running');
    await street.run(20_000);
    expect(two.openOn('a')).toBe(0);
    expect(one.control.operations()[0]?.state).not.toBe('running');
  });

  it('a freeze and its end reach everybody', async () => {
    const street = aStreet();
    const [one, two] = [await street.join('lb-1'), await street.join('lb-2')];
    one.control.setFrozen('chat', { frozen: true, why: 'incident' }, ops);
    await street.run(300);
    expect(two.control.freezeState('chat')).toMatchObject({ frozen: true, by: 'ops', why: 'incident' });
    two.control.setFrozen(undefined, { frozen: false, why: '' }, ops);
    await street.run(300);
    expect(one.control.freezeState('chat').frozen).toBe(false);
  });

  it('a balancer that starts knows it before it serves, also of a node that is away', async () => {
    const street = aStreet();
    const one = await street.join('lb-1');
    one.control.setAdminState(['a'], { adminState: 'drain' }, ops);
    await street.run(300);
    const two = await street.join('lb-2', ({ registry }) => registry.remove('a'));
    expect(two.registry.wishes.all()).toEqual([{ pool: 'chat', node: 'a', adminState: 'drain' }]);
    const three = await street.join('lb-3');
    expect(stateOf(three, 'a')).toBe('drain');
  });

  it('a balancer that comes back with a drain of before tells it to a store that lacks it', async () => {
    const street = aStreet();
    const one = await street.join('lb-1');
    await street.join(
      'lb-2',
      (house) => void house.control.setAdminState(['b'], { adminState: 'maint' }, ops),
    );
    expect(stateOf(one, 'b')).toBe('maint');
  });

  it('a lost link that is back does not begin anything again', async () => {
    const street = aStreet();
    const [one, two] = [await street.join('lb-1'), await street.join('lb-2')];
    one.control.setFrozen(undefined, { frozen: true, why: '' }, ops);
    await street.run(300);
    one.control.setFrozen(undefined, { frozen: false, why: '' }, ops);
    await street.run(300);
    one.control.setFrozen('chat', { frozen: true, why: 'deploy' }, ops);
    two.connect('a', 5);
    two.manners = 'deaf';
    one.control.setAdminState(['a'], { adminState: 'drain', deadlineMs: 120_000 }, ops);
    await street.run(300);
    const deadlineAt = () => two.control.operations()[0]?.deadlineAt;
    const before = deadlineAt();
    const events = () => two.events.filter(({ type }) => /^(operation|freeze)/.test(type)).length;
    const told = events();
    street.hub.setCut('lb-2', true);
    await street.run(10_000);
    street.hub.setCut('lb-2', false);
    await street.run(2000);
    expect(Date.parse(deadlineAt() ?? '') - Date.parse(before ?? '')).toBeLessThan(1000);
    expect(two.control.freezeState('chat').frozen).toBe(true);
    expect(events()).toBe(told);
  });

  it('a balancer that restarts keeps a freeze of a pool although all were let go before', async () => {
    const street = aStreet();
    const one = await street.join('lb-1');
    one.control.setFrozen(undefined, { frozen: true, why: '' }, ops);
    await street.run(300);
    one.control.setFrozen(undefined, { frozen: false, why: '' }, ops);
    one.control.setFrozen('chat', { frozen: true, why: 'deploy' }, ops);
    await street.run(300);
    const two = await street.join('lb-2', ({ control }) => {
      control.setFrozen('chat', { frozen: true, why: 'deploy' }, ops);
      control.setFrozen(undefined, { frozen: true, why: 'old' }, ops);
    });
    expect(two.control.freezeState(undefined).frozen).toBe(false);
    expect(two.control.freezeState('chat')).toMatchObject({ frozen: true, why: 'deploy' });
  });

  it('of two operators who cannot hear each other the more restrictive is followed', async () => {
    const street = aStreet();
    const [one, two] = [await street.join('lb-1'), await street.join('lb-2')];
    one.control.setAdminState(['a'], { adminState: 'drain' }, ops);
    await street.run(300);
    street.hub.setCut('lb-2', true);
    await street.run(100);
    two.control.setAdminState(['a'], { adminState: 'maint' }, ops);
    one.control.setAdminState(['a'], { adminState: 'ready' }, ops);
    await street.run(500);
    expect(two.peering.view().unsaidWishes).toBe(1);
    street.hub.setCut('lb-2', false);
    await street.run(1000);
    expect([stateOf(one, 'a'), stateOf(two, 'a')]).toEqual(['maint', 'maint']);
    expect(two.peering.view().unsaidWishes).toBe(0);
  });

  it('a balancer that starts without a link brings nothing back that operators have changed meanwhile', async () => {
    const street = aStreet();
    const one = await street.join('lb-1');
    one.control.setAdminState(['a'], { adminState: 'maint' }, ops);
    one.control.setFrozen('chat', { frozen: true, why: '' }, ops);
    await street.run(300);
    one.control.setAdminState(['a'], { adminState: 'ready' }, ops);
    one.control.setFrozen('chat', { frozen: false, why: '' }, ops);
    await street.run(300);
    street.hub.setCut('lb-2', true);
    // What it saved before it ended, when both still stood.
    const two = await street.join('lb-2', ({ control }) => {
      control.setAdminState(['a'], { adminState: 'maint' }, ops);
      control.setFrozen('chat', { frozen: true, why: '' }, ops);
    });
    await street.run(500);
    street.hub.setCut('lb-2', false);
    await street.run(1000);
    expect([stateOf(one, 'a'), stateOf(two, 'a')]).toEqual(['ready', 'ready']);
    expect([one, two].map(({ control }) => control.freezeState('chat').frozen)).toEqual([false, false]);
    expect(two.peering.view().unsaidWishes).toBe(0);
  });

  it('at the same moment, too', async () => {
    const street = aStreet();
    const [one, two] = [await street.join('lb-1'), await street.join('lb-2')];
    one.control.setAdminState(['a'], { adminState: 'drain' }, ops);
    two.control.setAdminState(['a'], { adminState: 'maint' }, ops);
    await street.run(1000);
    expect([stateOf(one, 'a'), stateOf(two, 'a')]).toEqual(['maint', 'maint']);
  });
});

describe('the leader', () => {
  it('is one, and everybody knows which', async () => {
    const street = aStreet();
    const [one, two] = [await street.join('lb-1'), await street.join('lb-2')];
    await street.run(1500);
    expect([one.peering.isLeader, two.peering.isLeader]).toEqual([true, false]);
    expect(two.peering.view().peers).toMatchObject([{ id: 'lb-1', isLeader: true }]);
    expect(one.types()).toContain('leader.began');
  });

  it('that resigns is followed by another with a higher token', async () => {
    const street = aStreet();
    const [one, two] = [await street.join('lb-1'), await street.join('lb-2')];
    await street.run(1500);
    await one.peering.resign();
    await one.peering.stop();
    await street.run(1500);
    expect(two.peering.isLeader).toBe(true);
    const began = two.events.find(({ type }) => type === 'leader.began');
    expect(began?.facts['token']).toBe(2);
  });

  it('that has lost its link leads no more before another begins', async () => {
    const street = aStreet();
    const [one, two] = [await street.join('lb-1'), await street.join('lb-2')];
    await street.run(1500);
    street.hub.setCut('lb-1', true);
    for (let passed = 0; passed < 10_000; passed += 50) {
      await street.run(50);
      expect(one.peering.isLeader && two.peering.isLeader).toBe(false);
    }
    expect(two.peering.isLeader).toBe(true);
    expect(one.types()).toContain('leader.ended');
  });
});
