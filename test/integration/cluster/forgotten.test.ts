// Registers of nodes that were drained once leave nothing behind in Redis, nor in whoever heard of them.
import { describe, expect, it } from 'vitest';
import { WishSweep } from '../../../src/balancer/control/wish-sweep.ts';
import { encodeWish } from '../../../src/protocol/peer-wishes.ts';
import { aRedisConfig, shortLimits, startRedisStore } from '../../support/a-shared-store.ts';
import { eventually } from '../../support/eventually.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { lacksRedis, startRedis } from '../../support/redis-server.ts';
import { allTogether, put } from './peers-room.ts';

const nodes = Array.from({ length: 1000 }, (_, index) => `chat node-${index}`);
const wish = (rank: number) => encodeWish({ rank, by: 'ops', why: 'deploy' }, 0);
const hash = '{herald}:registers:admin';

describe.skipIf(lacksRedis)('1,000 nodes that were drained and are ready again', () => {
  it('leave no register behind once their deletion is old, and the next wish stands everywhere', async () => {
    const redis = await startRedis();
    const limits = {
      ...shortLimits,
      presenceMs: 30_000,
      commandTimeoutMs: 10_000,
      deletedForMs: 1000,
      tidyEveryMs: 500,
    };
    const config = (peer: string) => aRedisConfig(redis.port, { peer });
    const peers = [await startRedisStore(config('a'), limits), await startRedisStore(config('b'), limits)];
    const [a, b] = peers;
    if (a === undefined || b === undefined) throw new Error('two were started');
    await allTogether(peers);
    for (const rank of [1, 0]) for (const node of nodes) await put(a.store, 'admin', node, wish(rank));
    await put(a.store, 'admin', 'chat kept', wish(2));
    expect(await redis.ask('HLEN', hash)).toBe(1001);
    const clock = new ManualClock();
    const here = { isHere: () => true, wanted: () => new Set<string>() };
    const sweep = new WishSweep({ store: a.store, clock, isLeader: () => true, ...here });
    sweep.start();
    for (let minute = 0; minute < 40; minute += 1) {
      clock.advance(60_000);
      // Not more at a time than the link takes.
      await a.store.write('other', 'n', { value: 'x', version: minute });
    }
    sweep.stop();
    for (const { store } of peers)
      await eventually(
        () => [...store.registers('admin').keys()],
        (keys) => keys.join() === 'chat kept',
      );
    await eventually(
      () => redis.ask('HLEN', hash),
      (count) => count === 1,
    );
    expect(await put(b.store, 'admin', 'chat node-7', wish(1))).toBe(1);
    await eventually(
      () => a.store.registers('admin').get('chat node-7')?.value,
      (value) => value === wish(1),
    );
    expect(a.heard.links.concat(b.heard.links).filter(({ state }) => state === 'degraded')).toEqual([]);
  });
});
