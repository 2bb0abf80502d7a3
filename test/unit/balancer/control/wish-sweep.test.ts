// Registers that say nothing any more are deleted by the leader, after a time, and nothing else is.
import { describe, expect, it } from 'vitest';
import { aStreet, type PeeredHouse } from '../../../support/a-peered-house.ts';

const ops = { by: 'ops' };
// One look more than the time that a register must have said nothing.
const longMs = 13 * 60_000;

async function aPair() {
  const street = aStreet();
  return { street, one: await street.join('lb-1'), two: await street.join('lb-2') };
}

/** Registers of a balancer that have not been deleted, by key, with their versions. */
function kept({ store }: PeeredHouse, scope: string): Record<string, number> {
  const registers = [...store.registers(scope).values()].filter(({ value }) => value !== '');
  return Object.fromEntries(registers.map(({ key, version }) => [key, version]));
}

describe('registers of what operators wanted', () => {
  it('are deleted where they say the default again, and nothing changes by that', async () => {
    const { street, one, two } = await aPair();
    for (const adminState of ['maint', 'ready'] as const) {
      one.control.setAdminState(['a'], { adminState, why: 'deploy' }, ops);
      await street.run(300);
    }
    two.control.setAdminState(['b'], { adminState: 'maint' }, ops);
    for (const frozen of [true, false]) {
      two.control.setFrozen('chat', { frozen, why: '' }, ops);
      await street.run(300);
    }
    expect([kept(one, 'admin'), kept(one, 'freeze')]).toEqual([{ 'chat a': 2, 'chat b': 1 }, { chat: 2 }]);
    const told = [one, two].map(({ events }) => events.length);
    await street.run(longMs);
    for (const house of [one, two]) {
      expect([kept(house, 'admin'), kept(house, 'freeze')]).toEqual([{ 'chat b': 1 }, {}]);
      expect(house.registry.node('b').node.adminState).toBe('maint');
      expect(house.registry.node('a').node.adminState).toBe('ready');
    }
    expect([one, two].map(({ events }) => events.length)).toEqual(told);
    expect(two.store.registers('admin').get('chat a')).toMatchObject({ value: '', version: 3 });
    // Whoever wants something later goes on from there, and a newcomer hears the same.
    two.control.setAdminState(['a'], { adminState: 'drain' }, ops);
    await street.run(300);
    expect(one.registry.node('a').node.adminState).toBe('drain');
    const three = await street.join('lb-3');
    expect(three.registry.node('a').node.adminState).toBe('drain');
    expect(three.store.registers('admin').get('chat a')?.version).toBe(4);
  });

  it('stay while they are young, and begin anew with each change', async () => {
    const { street, one } = await aPair();
    const say = async (adminState: 'maint' | 'ready') => {
      one.control.setAdminState(['a'], { adminState }, ops);
      await street.run(300);
    };
    await say('maint');
    await say('ready');
    await street.run(9 * 60_000);
    await say('maint');
    await say('ready');
    await street.run(9 * 60_000);
    expect(kept(one, 'admin')).toEqual({ 'chat a': 4 });
  });

  it('end with a node that drained itself or was removed; a wish of one that is away stands', async () => {
    const { street, one, two } = await aPair();
    one.control.setAdminState(['a'], { adminState: 'drain', self: true }, ops);
    one.control.setAdminState(['b', 'c'], { adminState: 'maint' }, ops);
    await street.run(300);
    expect(Object.keys(kept(two, 'admin'))).toEqual(['chat a', 'chat b', 'chat c']);
    for (const { registry } of [one, two]) {
      for (const node of ['a', 'b', 'c']) registry.remove(node);
      registry.wishes.restore({ pool: 'chat', node: 'c', adminState: 'maint' });
    }
    await street.run(longMs);
    for (const house of [one, two]) {
      expect(Object.keys(kept(house, 'admin'))).toEqual(['chat c']);
      expect(house.registry.wishes.all()).toEqual([{ pool: 'chat', node: 'c', adminState: 'maint' }]);
    }
  });

  it('are the leader’s to delete, and nobody’s without one', async () => {
    const { street, one, two } = await aPair();
    for (const adminState of ['maint', 'ready'] as const) {
      one.control.setAdminState(['a'], { adminState }, ops);
      await street.run(300);
    }
    for (const id of ['lb-1', 'lb-2']) street.hub.setCut(id, true);
    await street.run(longMs);
    expect(kept(two, 'admin')).toEqual({ 'chat a': 2 });
    for (const id of ['lb-1', 'lb-2']) street.hub.setCut(id, false);
    await street.run(2 * 60_000);
    expect([one, two].map((house) => kept(house, 'admin'))).toEqual([{}, {}]);
  });
});
