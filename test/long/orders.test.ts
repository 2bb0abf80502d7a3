// Rebalances over several balancers on a real Redis: what one leads and others carry, and who may lead.
import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../src/balancer/balancer.ts';
import { createKeys } from '../../src/cluster/keys.ts';
import type { Operation } from '../../src/protocol/operations.ts';
import { aSharingBalancer, heatUp, loadsOf, untilLeads } from '../support/a-shared-hot-fleet.ts';
import { eventually } from '../support/eventually.ts';
import { withLease } from '../support/odd-stores.ts';
import { lacksRedis, startRedis } from '../support/redis-server.ts';

const limitMs = 90_000;
const ops = { by: 'ops' };

const counted = ({ control }: Balancer, outcome: string) =>
  control.figures().orders.find((each) => each.outcome === outcome)?.count ?? 0;

const untilOver = (balancer: Balancer, id: string): Promise<Operation> =>
  eventually(
    () => balancer.control.operation(id),
    ({ state }) => state !== 'running',
    limitMs,
  );

/** They never lead. */
const followers = (store: Parameters<typeof withLease>[0]) => withLease(store, async () => undefined);

describe.skipIf(lacksRedis)('balancers on one Redis', () => {
  it('level a hot node of which the leader carries nothing, and show one operation with the sums', async () => {
    const redis = await startRedis();
    const leader = await aSharingBalancer(redis, 'lb-1');
    const [two, three] = [
      await aSharingBalancer(redis, 'lb-2', followers),
      await aSharingBalancer(redis, 'lb-3', followers),
    ];
    await untilLeads(leader);
    const clients = await heatUp([two, three]);
    const codes = () => clients.flatMap((each) => each.codes);
    const nodes = () => [...leader.registry.pool('chat').nodes.values()];
    await eventually(
      () => nodes().reduce((sum, { counters }) => sum + counters.connections, 0),
      (connections) => connections === 44,
      limitMs,
    );
    // Those who came a moment ago would pass for the usual arrivals, and nobody for back.
    await eventually(
      () => leader.control.shared.shedder.returns('chat').usualPerSecond,
      (perSecond) => perSecond < 0.2,
      limitMs,
    );
    // Asked of one that does not lead.
    const { operation } = await eventually(
      () => two.control.rebalance('chat', { ratePerSecond: 2, why: 'hot' }, ops),
      (answer) => answer.operation !== null,
      limitMs,
    );
    const id = operation?.id ?? '';
    expect(operation).toMatchObject({ owner: 'lb-1', by: 'ops' });
    const over = await untilOver(leader, id);
    expect(over.reason).toMatch(/^the pool is level/);
    expect(over).toMatchObject({ state: 'done', owner: 'lb-1', nodes: ['a'], why: 'hot' });
    const { progress } = over;
    expect(progress.closed).toBeGreaterThan(1);
    expect([progress.waiting, progress.leaving]).toEqual([0, 0]);
    expect(progress.total).toBe(progress.closed + progress.leftByThemselves);
    expect(codes().filter((code) => code === 1012)).toHaveLength(progress.closed);
    expect(counted(two, 'done') + counted(three, 'done')).toBeGreaterThan(1);
    expect(leader.registry.pool('chat').table.size).toBe(0);
    for (const each of [two, three]) {
      const seen = await untilOver(each, id);
      expect(seen).toEqual(over);
      expect(loadsOf(each)['a']).toBeLessThan(0.55);
    }
  }, 240_000);

  it('refuse a leader whose token was given out before, as after a failover that forgot the counter', async () => {
    const redis = await startRedis();
    const keys = createKeys('herald', 0);
    // The clock of the server that is lost was ahead.
    const ahead = Math.round((Date.now() + 3_600_000) * 1000);
    await redis.ask('SET', keys.token('leader'), String(ahead));
    const told = await aSharingBalancer(redis, 'lb-3', followers);
    const first = await aSharingBalancer(redis, 'lb-1');
    const highest = await untilLeads(first);
    expect(highest).toBeGreaterThan(ahead);
    await heatUp([told]);
    await first.stop();
    await redis.ask('DEL', keys.token('leader'), keys.lease('leader'));
    const second = await aSharingBalancer(redis, 'lb-2');
    const low = await untilLeads(second);
    expect(low).toBeLessThan(highest);
    const asked = () => second.control.rebalance('chat', { ratePerSecond: 2 }, ops).operation;
    const begun = await eventually(asked, (operation) => operation !== null, limitMs);
    const refused = await eventually(
      () => told.events.since(0).events.find(({ type }) => type === 'order.refused'),
      (event) => event !== undefined,
      limitMs,
    );
    expect(refused?.facts).toMatchObject({ owner: 'lb-2', reason: 'token', token: low, highest });
    expect(counted(told, 'done')).toBe(0);
    expect((await untilOver(second, begun?.id ?? '')).state).toBe('cancelled');
    // It has heard of the higher one, and the store lifts it above.
    const lifted = await eventually(
      () => untilLeads(second),
      (token) => token > highest,
      limitMs,
    );
    expect(lifted).toBeGreaterThan(highest);
    await eventually(asked, (operation) => operation !== null, limitMs);
    await eventually(
      () => counted(told, 'done'),
      (count) => count > 0,
      limitMs,
    );
  }, 240_000);
});
