// A failover under a real Sentinel, to a replica that has not heard of everything.
import { describe, expect, it } from 'vitest';
import { aRedisConfig, aRedisStore, startRedisStore } from '../../support/a-shared-store.ts';
import { eventually } from '../../support/eventually.ts';
import { lacksRedis, startRedis } from '../../support/redis-server.ts';
import {
  allHave,
  allTogether,
  canTalk,
  expectCalm,
  pageRights,
  pageSentinelRights,
  put,
  untilStatus,
} from './peers-room.ts';
import { Shedder } from './shedder.ts';

/** A master, its replica, and one Sentinel that watches them. */
async function startGuarded() {
  const master = await startRedis({ lines: ['repl-diskless-sync-delay 0'] });
  const replica = await startRedis({ lines: [`replicaof 127.0.0.1 ${master.port}`] });
  await eventually(
    () => replica.ask('INFO', 'replication'),
    (info) => String(info).includes('master_link_status:up'),
  );
  const sentinel = await startRedis({
    isSentinel: true,
    lines: [
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 2000',
    ],
  });
  await eventually(
    () => sentinel.ask('SENTINEL', 'REPLICAS', 'main'),
    (replicas) => Array.isArray(replicas) && replicas.length === 1,
  );
  const addresses = [{ host: '127.0.0.1', port: sentinel.port }];
  const config = (peer: string, masterName = 'main') =>
    aRedisConfig(master.port, { peer, servers: { kind: 'sentinel', addresses, masterName } });
  return { master, replica, sentinel, config };
}

describe.skipIf(lacksRedis)('a Sentinel with a password of its own', () => {
  it('is asked as its own user, with no more rights than the page names, and Redis as another', async () => {
    const { master, sentinel, config } = await startGuarded();
    await sentinel.ask('ACL', 'SETUSER', 'herald-watch', 'on', '>watch', ...pageSentinelRights);
    await sentinel.ask('ACL', 'SETUSER', 'default', 'resetpass', '>default-of-sentinel');
    await master.ask('ACL', 'SETUSER', 'herald', 'on', '>secret', ...pageRights);
    const asUser = { username: 'herald', password: 'secret' };
    const right = { ...asUser, sentinelUsername: 'herald-watch', sentinelPassword: 'watch' };
    const made = await startRedisStore({ ...config('a'), ...right });
    expect(made.store.status().state).toBe('connected');
    const byDefault = { ...asUser, sentinelPassword: 'default-of-sentinel' };
    const other = await startRedisStore({ ...config('b'), ...byDefault });
    await allTogether([made, other]);
    for (const wrong of [asUser, { ...right, sentinelPassword: 'wrong' }]) {
      const { store, heard } = aRedisStore({ ...config('c'), ...wrong });
      await expect(store.start(heard)).rejects.toThrow(/NOAUTH|WRONGPASS/);
    }
  });
});

describe.skipIf(lacksRedis)('a failover under Sentinel', () => {
  it('loses no register that a peer remembers, and gives no token twice', async () => {
    const { master, replica, config } = await startGuarded();
    const peers = [await startRedisStore(config('a')), await startRedisStore(config('b'))];
    const [a, b] = peers;
    if (a === undefined || b === undefined) throw new Error('two were started');
    await allTogether(peers);
    const version = await put(a.store, 'chat', 'n1', 'drain');
    await allHave(peers, 'chat', 'n1', 'drain');
    const shedder = new Shedder();
    const first = await a.store.lease('leader', { forMs: 60_000, seen: 0 });
    expect(shedder.act(first?.token ?? 0)).toBe(true);

    // What was written last has not reached the replica when the master dies.
    await eventually(
      () => replica.ask('GET', '{herald}:token:leader'),
      (token) => token === String(first?.token),
    );
    await replica.ask('CONFIG', 'SET', 'replica-read-only', 'no');
    await replica.ask('DEL', '{herald}:lease:leader', '{herald}:registers:chat');
    await replica.ask('SET', '{herald}:token:leader', '1');
    await master.kill();
    for (const peer of peers) await untilStatus(peer, 'degraded');
    await expectCalm(a);
    await allTogether(peers);
    await eventually(
      () => replica.ask('HGET', '{herald}:registers:chat', 'n1'),
      (stored) => stored === `${version}:0:drain`,
    );
    const second = await eventually(
      () => b.store.lease('leader', { forMs: 60_000, seen: 0 }),
      (held) => held !== undefined,
    );
    expect(second?.token).toBeGreaterThan(first?.token ?? 0);
    expect(shedder.act(second?.token ?? 0)).toBe(true);
    expect(shedder.act(first?.token ?? 0)).toBe(false);
    expect(await a.store.lease('leader', { forMs: 60_000, seen: first?.token ?? 0 })).toBeUndefined();
    await canTalk([a, b]);
  });

  it('is waited for while no Sentinel answers, and a name that none knows is said', async () => {
    const { sentinel, config } = await startGuarded();
    const unknown = await startRedisStore(config('c', 'nobody'));
    expect(unknown.store.status()).toMatchObject({
      state: 'degraded',
      reason: expect.stringContaining('nobody'),
    });
    await sentinel.kill();
    const lost = await startRedisStore(config('d'));
    expect(lost.store.status()).toMatchObject({
      state: 'degraded',
      reason: expect.stringMatching(/sentinel/i),
    });
    await expectCalm(lost);
    await sentinel.restart();
    await untilStatus(lost, 'connected');
  });

  it('is no reason to leave a master that still answers when Sentinel dies', async () => {
    const { sentinel, config } = await startGuarded();
    const made = await startRedisStore(config('a'));
    await sentinel.kill();
    expect(await put(made.store, 'chat', 'n1', 'drain')).toBe(1);
    expect(made.store.status().state).toBe('connected');
  });
});
