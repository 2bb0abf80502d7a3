// What broke once: a balancer that was replaced or restarted while it was cut off took what it had known before for newer
// than what its operator told it then.
import { describe, expect, it } from 'vitest';
import { WishMemory } from '../../../src/balancer/control/wish-memory.ts';
import { aStreet, type PeeredHouse, type Street } from '../../support/a-peered-house.ts';

const ops = { by: 'ops' };

const stateOf = ({ registry }: PeeredHouse, node: string) =>
  registry.pool('chat').nodes.get(node)?.adminState;

const tell = ({ control }: PeeredHouse, adminState: 'ready' | 'drain' | 'maint') =>
  void control.setAdminState(['a'], { adminState }, ops);

/** Both know that `a` is in maint, and the second has no way to the first. */
async function aCutStreet(): Promise<{ street: Street; one: PeeredHouse; two: PeeredHouse }> {
  const street = aStreet();
  const [one, two] = [await street.join('lb-1'), await street.join('lb-2')];
  tell(one, 'maint');
  await street.run(300);
  street.hub.setCut('lb-2', true);
  await street.run(300);
  return { street, one, two };
}

/** The second one starts again from what it has saved, still without a way. */
async function restarted(street: Street, two: PeeredHouse): Promise<PeeredHouse> {
  // As by way of a file.
  const saved = JSON.parse(
    JSON.stringify({ words: two.memory.section.save(), control: two.control.section.save() }),
  ) as { words: unknown; control: unknown };
  await two.peering.leave(undefined);
  return street.join('lb-2', (house) => {
    house.control.section.restore(saved.control, 0);
    house.memory.section.restore(saved.words, 0);
  });
}

async function healed(street: Street): Promise<void> {
  street.hub.setCut('lb-2', false);
  await street.run(3000);
}

describe('a balancer that starts again while it is cut off', () => {
  it('tells the others what it was told after its start: it knew what they know', async () => {
    const { street, one, two } = await aCutStreet();
    const again = await restarted(street, two);
    expect(stateOf(again, 'a')).toBe('maint');
    tell(again, 'ready');
    await healed(street);
    expect([stateOf(one, 'a'), stateOf(again, 'a')]).toEqual(['ready', 'ready']);
  });

  it('tells the others what it was told before its start', async () => {
    const { street, one, two } = await aCutStreet();
    tell(two, 'ready');
    const again = await restarted(street, two);
    await healed(street);
    expect([stateOf(one, 'a'), stateOf(again, 'a')]).toEqual(['ready', 'ready']);
  });

  it('gives way to what was said meanwhile, be it less restrictive: its own may have been told since it was saved', async () => {
    const { street, one, two } = await aCutStreet();
    tell(two, 'maint');
    const again = await restarted(street, two);
    tell(one, 'ready');
    await healed(street);
    expect([stateOf(one, 'a'), stateOf(again, 'a')]).toEqual(['ready', 'ready']);
  });

  it('follows what was said meanwhile where it was told nothing', async () => {
    const { street, one, two } = await aCutStreet();
    const again = await restarted(street, two);
    tell(one, 'drain');
    await healed(street);
    expect([stateOf(one, 'a'), stateOf(again, 'a')]).toEqual(['drain', 'drain']);
  });
});

describe('the memory of words', () => {
  it('leaves out what it does not understand', () => {
    const memory = new WishMemory();
    const saved = {
      followed: [
        ['admin', 'chat a', '2{"by":"","why":""}', 3],
        ['other', 'x', '', 1],
        'no row',
        ['admin', 1, '', 1],
      ],
      untold: [['freeze', 'chat', '1{"by":"","why":""}'], ['freeze', 'chat', 'nonsense'], null],
    };
    expect(memory.section.restore(saved, 500)).toBe(2);
    expect(memory.followed('admin', 'chat a')).toEqual({
      key: 'chat a',
      value: '2{"by":"","why":""}',
      version: 3,
    });
    expect(memory.restored).toMatchObject([{ scope: 'freeze', key: 'chat', wish: { rank: 1 }, agoMs: 500 }]);
    expect(memory.section.restore('nonsense', 0)).toBeUndefined();
  });

  it('saves what it restored while nobody speaks', () => {
    const memory = new WishMemory();
    const saved = {
      followed: [['admin', 'chat a', '0{"by":"b","why":"w"}', 1]],
      untold: [['admin', 'chat b', '2{"by":"","why":""}']],
    };
    memory.section.restore(saved, 0);
    expect(memory.section.save()).toEqual(saved);
  });
});
