import { describe, expect, it } from 'vitest';
import type { HeldLease, SharedStore } from '../../../src/balancer/state/shared-store.ts';
import { aMovingPolicy, MovingStreet, type MovingBalancer } from '../../support/a-moving-street.ts';
import { HeldWords, withLease } from '../../support/odd-stores.ts';

const leads = ({ peering }: MovingBalancer) => peering.isLeader;
const ops = { by: 'ops' };

/** The first balancer leads and carries nothing; those of node `a` say twice as much, on the two others. */
async function aStreetWhoseLeaderIsIdle(
  parts: Parameters<typeof aMovingPolicy>[0] = {},
): Promise<{ street: MovingStreet; one: MovingBalancer; two: MovingBalancer; three: MovingBalancer }> {
  const street = new MovingStreet(aMovingPolicy(parts), ['a', 'b']);
  const one = await street.join('lb-1');
  const two = await street.join('lb-2');
  const three = await street.join('lb-3');
  await street.run(3);
  for (let client = 0; client < 30; client += 1) {
    const balancer = client % 3 === 0 ? three : two;
    street.connect(balancer, 4 + (client % 5) * 2, 'a');
    street.connect(balancer, 2 + (client % 5), 'b');
  }
  return { street, one, two, three };
}

const kinds = ({ events }: MovingBalancer) =>
  events.filter(({ type }) => type.startsWith('operation')).map(({ type }) => type);

describe('a rebalance by orders', () => {
  it('levels what others carry, by a leader without a connection of its own, and shows one operation', async () => {
    const { street, one, two, three } = await aStreetWhoseLeaderIsIdle();
    expect(street.ratio).toBeGreaterThan(1.25);
    await street.run(180);
    expect(street.ratio).toBeLessThan(1.1);
    expect(street.clientCount).toBe(60);
    const asked = [two, three].map(({ goodbyes }) => goodbyes.length);
    expect(Math.min(...asked)).toBeGreaterThan(0);
    expect(one.goodbyes).toEqual([]);
    const all = two.goodbyes.length + three.goodbyes.length;
    const shown = one.operation();
    expect(shown).toMatchObject({
      kind: 'rebalance',
      owner: 'lb-1',
      state: 'done',
      by: 'auto',
      nodes: ['a'],
    });
    expect(shown.progress).toMatchObject({ total: all, closed: all, waiting: 0, leaving: 0, returned: all });
    expect(shown.reason).toMatch(new RegExp(`${all} connections moved$`));
    for (const other of [two, three]) {
      expect(other.control.operations()).toEqual(one.control.operations());
      expect(kinds(other)).toEqual(['operation.started', 'operation.ended']);
      expect(other.room.registry.node('a').node.isShedding).toBe(false);
    }
    const figures = one.control.figures();
    expect(figures.orders.find(({ outcome }) => outcome === 'given')?.count).toBeGreaterThan(0);
  });

  it('moves about as many as one balancer that has them all, and says so before', async () => {
    const { street, one } = await aStreetWhoseLeaderIsIdle({ mode: 'off' });
    await street.run(20);
    const { moves, imbalance } = one.control.rebalance('chat', { dryRun: true }, ops);
    expect(moves.map(({ node }) => node)).toEqual(['a']);
    expect(moves[0]?.connections).toBeGreaterThan(2);
    expect(imbalance.predicted).toBeLessThan(1.15);
  });

  it('lets nobody back to the hot node, on whichever balancer', async () => {
    const { street, two, three } = await aStreetWhoseLeaderIsIdle();
    await street.until(() => two.goodbyes.length > 0, 60);
    await street.run(1);
    for (const { room } of [two, three]) expect(room.registry.node('a').node.isShedding).toBe(true);
  });

  it('goes on when a balancer with a part of it crashes, and waits for nobody', async () => {
    const { street, one, two, three } = await aStreetWhoseLeaderIsIdle({ ratePerSecond: 0.03 });
    await street.until(() => three.goodbyes.length > 0, 90);
    three.crash();
    await street.until(() => one.operation().state !== 'running', 200);
    const { progress } = one.operation();
    expect([progress.waiting, progress.leaving]).toEqual([0, 0]);
    expect(progress.total).toBe(two.goodbyes.length + three.goodbyes.length);
  });
});

describe('a rebalance asked of a balancer that does not lead', () => {
  it('is run by the leader, under the id that the operator was told', async () => {
    const { street, one, two } = await aStreetWhoseLeaderIsIdle({ mode: 'off' });
    await street.run(20);
    const { operation } = two.control.rebalance('chat', { ratePerSecond: 2, why: 'uneven' }, ops);
    expect(operation).toMatchObject({ owner: 'lb-1', state: 'running' });
    expect(operation?.reason).toBe("waits for balancer 'lb-1', which leads");
    await street.run(2);
    const led = one.operation();
    expect(led).toMatchObject({
      id: operation?.id,
      owner: 'lb-1',
      by: 'ops',
      why: 'uneven',
      state: 'running',
    });
    expect(() => two.control.rebalance('chat', {}, ops)).toThrow(/is being rebalanced already/);
    await street.until(() => two.control.operation(operation?.id ?? '').state !== 'running', 120);
    expect(two.control.operation(operation?.id ?? '')).toEqual(one.operation());
    expect(one.operation().state).toBe('done');
    expect(street.ratio).toBeLessThan(1.15);
  });

  it('at the same moment as another one is done once', async () => {
    const { street, one, two, three } = await aStreetWhoseLeaderIsIdle({ mode: 'off' });
    await street.run(20);
    two.control.rebalance('chat', {}, ops);
    three.control.rebalance('chat', {}, ops);
    await street.run(2);
    const states = one.control.operations().map(({ state }) => state);
    expect(states.toSorted()).toEqual(['running', 'stopped']);
    const refused = three.control.operations().find(({ state }) => state === 'stopped');
    expect(refused?.reason).toMatch(/is being rebalanced already/);
    const ids = (balancer: MovingBalancer) => balancer.control.operations().map(({ id }) => id);
    expect(ids(two)).toEqual(ids(one));
  });

  it('is given up when nobody answers, and ended if it is begun after all', async () => {
    const held = new HeldWords();
    const street = new MovingStreet(aMovingPolicy({ mode: 'off' }), ['a', 'b']);
    const one = await street.join('lb-1');
    const two = await street.join('lb-2', (store) => held.around(store));
    await street.run(3);
    for (let client = 0; client < 30; client += 1) street.connect(two, 6, client % 4 === 0 ? 'b' : 'a');
    await street.run(20);
    held.isHolding = true;
    const { operation } = two.control.rebalance('chat', {}, ops);
    await street.run(10);
    const given = two.control.operation(operation?.id ?? '');
    expect(given.state).toBe('stopped');
    expect(given.reason).toBe("balancer 'lb-1', which leads, did not answer: nothing was moved");
    held.release();
    await street.run(3);
    expect(one.control.operation(operation?.id ?? '').state).toBe('cancelled');
  });

  it('goes to whoever leads next when the leader is gone', async () => {
    const { street, one, two } = await aStreetWhoseLeaderIsIdle({ mode: 'off' });
    await street.run(20);
    street.hub.setCut('lb-1', true);
    const { operation } = two.control.rebalance('chat', {}, ops);
    expect(operation?.owner).toBe('lb-1');
    // Another one leads before it is given up, and runs it.
    await street.until(() => two.control.operation(operation?.id ?? '').owner !== 'lb-1', 30);
    expect(one.control.operations()).toEqual([]);
    await street.until(() => two.control.operation(operation?.id ?? '').state !== 'running', 200);
    expect(two.control.operation(operation?.id ?? '').state).toBe('done');
  });

  it('is refused while nobody leads', async () => {
    const { street, two } = await aStreetWhoseLeaderIsIdle({ mode: 'off' });
    street.hub.setCut('lb-2', true);
    await street.run(1);
    const refusal = two.control.rebalance('chat', { dryRun: true }, ops).refusal;
    expect(refusal?.code).toBe('HERALD_NO_LEADER');
    expect(() => two.control.rebalance('chat', {}, ops)).toThrow(/nobody leads now/);
  });

  it('can be cancelled anywhere, and is over everywhere', async () => {
    const { street, one, two, three } = await aStreetWhoseLeaderIsIdle({ mode: 'off', ratePerSecond: 0.005 });
    await street.run(20);
    const { operation } = one.control.rebalance('chat', {}, ops);
    const id = operation?.id ?? '';
    await street.run(4);
    const cancelled = three.control.cancel(id, { by: 'bob', why: 'lunch' });
    expect(cancelled).toMatchObject({ state: 'cancelled', owner: 'lb-1' });
    await street.run(2);
    const moved = two.goodbyes.length + three.goodbyes.length;
    for (const each of [one, two, three]) {
      expect(each.control.operation(id).state).toBe('cancelled');
      expect(each.control.operation(id).reason).toMatch(/^cancelled by bob: lunch/);
      expect(kinds(each)).toEqual(['operation.started', 'operation.ended']);
    }
    await street.run(30);
    expect(two.goodbyes.length + three.goodbyes.length).toBe(moved);
  });
});

describe('an order', () => {
  /** Both carry something of the hot node; the second one is told by the first. */
  async function aPair(wrapOne: (store: SharedStore) => SharedStore) {
    const street = new MovingStreet(aMovingPolicy({ forMs: 5000, ratePerSecond: 0.02 }), ['a', 'b']);
    const one = await street.join('lb-1', wrapOne);
    const two = await street.join('lb-2');
    const three = await street.join('lb-3');
    await street.run(3);
    for (let client = 0; client < 40; client += 1) street.connect(three, 6, client % 4 === 0 ? 'b' : 'a');
    return { street, one, two, three };
  }
  const refusals = ({ events }: MovingBalancer) =>
    events.filter(({ type }) => type === 'order.refused').map(({ facts }) => facts['reason']);
  const counted = ({ control }: MovingBalancer, outcome: string) =>
    control.figures().orders.find((each) => each.outcome === outcome)?.count ?? 0;

  it('that is older than a few seconds is not done, and told once', async () => {
    const held = new HeldWords();
    const { street, one, three } = await aPair((store) => held.around(store));
    held.isHolding = true;
    await street.until(() => counted(one, 'given') > 0, 60);
    await street.run(5);
    expect(counted(one, 'lapsed')).toBeGreaterThan(0);
    held.release();
    await street.run(0.2);
    expect(counted(three, 'stale')).toBeGreaterThan(0);
    expect(counted(three, 'stale') + counted(three, 'done')).toBe(counted(one, 'given'));
    expect(refusals(three)).toEqual(['stale']);
    const done = three.goodbyes.length;
    expect(done).toBeLessThanOrEqual(counted(three, 'done'));
    // The same leader's next one stands on what is now.
    await street.until(() => three.goodbyes.length > done, 60);
  });

  it('of a leader that was paused while another one began to lead is refused, and only one ever acts', async () => {
    const held = new HeldWords();
    const { street, one, two, three } = await aPair((store) => held.around(store));
    await street.until(() => one.control.operations().length > 0, 60);
    held.isHolding = true;
    await street.run(2);
    const before = three.goodbyes.length;
    expect(held.count).toBeGreaterThan(0);
    street.hub.setCut('lb-1', true);
    await street.until(() => leads(two) || leads(three), 30);
    street.hub.setCut('lb-1', false);
    await street.run(1);
    held.release();
    await street.run(0.2);
    expect(refusals(three)).toContain('token');
    expect(three.goodbyes.length).toBe(before);
    for (let passed = 0; passed < 20; passed += 1) {
      await street.run(1);
      expect([one, two, three].filter(leads).length).toBeLessThanOrEqual(1);
    }
    // Its run has ended with its lead.
    expect(
      one.control.operations().filter(({ state, owner }) => state === 'running' && owner === 'lb-1'),
    ).toEqual([]);
  });

  it('that comes twice is done once', async () => {
    const twice = (store: SharedStore): SharedStore =>
      withLease(store, undefined, (channel, text) => {
        store.say(channel, text);
        if (text.includes('"order"')) store.say(channel, text);
      });
    const { street, one, three } = await aPair(twice);
    await street.until(() => one.control.operations()[0]?.state === 'done', 200);
    expect(one.operation().progress.total).toBe(three.goodbyes.length);
    expect(counted(three, 'done')).toBe(counted(one, 'given'));
  });

  it('by a token that the store gave out again is refused, until its leader is above what was seen', async () => {
    const none = async () => undefined;
    const from =
      (least: number) =>
      async (_name: string, { forMs, seen }: { forMs: number; seen: number }): Promise<HeldLease> => ({
        token: Math.max(least, seen < least ? least : seen),
        untilMs: street.clock.nowMs() + forMs,
      });
    const street = new MovingStreet(aMovingPolicy({ forMs: 5000, ratePerSecond: 0.02 }), ['a', 'b']);
    const three = await street.join('lb-3', (store) => withLease(store, none));
    const one = await street.join('lb-1', (store) => withLease(store, from(7)));
    await street.run(3);
    for (let client = 0; client < 60; client += 1) street.connect(three, 6, client % 4 === 0 ? 'b' : 'a');
    await street.until(() => three.goodbyes.length > 0, 60);
    one.crash();
    await street.run(12);
    const before = three.goodbyes.length;
    // The store has forgotten its counter: the next leader gets 3 unless it says that it has seen more.
    const given: number[] = [];
    const two = await street.join('lb-2', (store) =>
      withLease(store, async (name, wish) => {
        const token = wish.seen <= 3 ? 3 : (given.findLast((each) => each > wish.seen - 1) ?? wish.seen + 1);
        given.push(token);
        return { ...(await from(token)(name, wish)), token };
      }),
    );
    expect(two.peering.isLeader).toBe(true);
    await street.until(() => refusals(three).length > 0, 60);
    expect(refusals(three)).toEqual(['token']);
    expect(three.goodbyes.length).toBe(before);
    const refused = three.events.find(({ type }) => type === 'order.refused');
    expect(refused?.facts).toMatchObject({ owner: 'lb-2', token: 3, highest: 7 });
    await street.until(() => three.goodbyes.length > before, 90);
    expect(given.at(-1)).toBe(8);
    expect(counted(two, 'given')).toBeGreaterThan(1);
  });

  it('for a frozen pool is not done where the freeze is known first', async () => {
    const { street, one, three } = await aPair((store) => store);
    street.hub.setCut('lb-2', true);
    await street.until(() => counted(one, 'given') > 0, 60);
    const before = three.goodbyes.length;
    three.control.setFrozen('chat', { frozen: true, why: 'incident' }, ops);
    await street.run(10);
    expect(three.goodbyes.length).toBeLessThanOrEqual(before + 1);
    expect(one.operation().state).toBe('cancelled');
  });
});
