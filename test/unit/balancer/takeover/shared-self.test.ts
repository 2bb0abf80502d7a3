// A process of a balancer among others is replaced: what the others count, see and hear of it.
import { describe, expect, it } from 'vitest';
import { aStreet, type PeeredHouse } from '../../../support/a-peered-house.ts';

const ops = { by: 'ops' };

function seenBy({ registry }: PeeredHouse, node = 'a'): number {
  return registry.node(node).node.counters.peers.connections;
}

async function two() {
  const street = aStreet();
  const [one, other] = [await street.join('lb-1'), await street.join('lb-2')];
  one.connect('a', 5);
  other.connect('a', 2);
  await street.run(300);
  return { street, one, other };
}

describe('a balancer that is replaced among others', () => {
  it('has every connection counted once by everybody at every moment, over two takeovers', async () => {
    const { street, one, other } = await two();
    const seen = new Set<number>();
    const run = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 50) {
        await street.run(50);
        seen.add(seenBy(other));
      }
    };
    const second = await street.heirOf(one);
    expect([seenBy(other), seenBy(second), second.registry.node('a').node.counters.connections]).toEqual([
      5, 2, 7,
    ]);
    await run(1000);
    await second.serve();
    await run(6000);
    const third = await street.heirOf(second);
    await third.serve();
    await run(6000);
    expect([...seen]).toEqual([5]);
    third.connect('a', 1);
    await street.run(300);
    expect([seenBy(other), third.registry.node('a').node.counters.connections]).toEqual([6, 8]);
    for (const guest of [...one.guests].slice(0, 3)) guest.end();
    await street.run(400);
    expect([seenBy(other), seenBy(third)]).toEqual([3, 2]);
    third.earlier?.clear();
    await street.run(200);
    expect(seenBy(other)).toBe(1);
    expect(other.types().filter((type) => type.startsWith('peer.'))).toEqual(['peer.joined']);
  });

  it('gives its past no second time to the others: the notes of what was carried stay as they were', async () => {
    const { street, one, other } = await two();
    await street.run(2000);
    const { counters } = other.registry.node('a').node;
    const nowMs = street.clock.nowMs();
    const before = counters.at(nowMs - 500, nowMs).connections;
    const heir = await street.heirOf(one);
    await heir.serve();
    await street.run(300);
    expect(counters.at(nowMs - 500, street.clock.nowMs()).connections).toBe(before);
  });

  it('leads on by a higher token, and is never one of two that lead', async () => {
    const { street, one, other } = await two();
    expect(one.peering.isLeader).toBe(true);
    const heir = await street.heirOf(one);
    expect([heir.peering.isLeader, one.peering.isLeader]).toEqual([false, true]);
    const tokens = () =>
      [one, other, heir]
        .flatMap(({ events }) => events)
        .flatMap(({ type, facts }) => (type === 'leader.began' ? [Number(facts['token'])] : []));
    const [first = 0] = tokens();
    await heir.serve();
    for (let passed = 0; passed < 7000; passed += 50) {
      await street.run(50);
      expect([one, other, heir].filter(({ peering }) => peering.isLeader)).toHaveLength(1);
    }
    expect(tokens()).toHaveLength(2);
    expect(tokens()[1]).toBeGreaterThan(first);
    expect(one.peering.isLeader).toBe(false);
    expect(other.peering.view().peers).toMatchObject([{ id: 'lb-1', isLeader: true, connections: 5 }]);
  });

  it('whose heir fails before it serves goes on as if nothing had been', async () => {
    const { street, one, other } = await two();
    const told = other.events.length;
    const heir = await street.heirOf(one);
    await heir.peering.stop();
    await street.run(6000);
    expect(one.peering.isLeader).toBe(true);
    expect(seenBy(other)).toBe(5);
    one.connect('a', 1);
    await street.run(200);
    expect(seenBy(other)).toBe(6);
    expect(other.events).toHaveLength(told);
  });

  it('hears what operators want while it is made ready, and says what is asked of it afterwards', async () => {
    const { street, one, other } = await two();
    const heir = await street.heirOf(one);
    other.control.setAdminState(['b'], { adminState: 'maint' }, ops);
    await street.run(300);
    await heir.serve();
    expect(heir.registry.node('b').node.adminState).toBe('maint');
    heir.control.setAdminState(['c'], { adminState: 'maint' }, ops);
    await street.run(300);
    expect(other.registry.node('c').node.adminState).toBe('maint');
  });

  it('is not replaced while the others have not heard what operators want', async () => {
    const { street, one, other } = await two();
    street.hub.setCut('lb-1', true);
    await street.run(100);
    one.control.setAdminState(['b'], { adminState: 'maint' }, ops);
    const refused = expect(one.peering.handOver()).rejects.toThrow(
      'not heard all that operators want (1 unsaid)',
    );
    await street.run(1500);
    await refused;
    street.hub.setCut('lb-1', false);
    await street.run(2000);
    expect(other.registry.node('b').node.adminState).toBe('maint');
    await expect(one.peering.handOver()).resolves.toMatchObject({ place: { id: 'lb-1' } });
  });
});
