// Redis that answers but does not do all it should: a read-only replica, full memory, a disk that fails.
import { describe, expect, it } from 'vitest';
import { lacksRedis, startRedis } from '../../support/redis-server.ts';
import { aRedisConfig, startRedisStore } from '../../support/a-shared-store.ts';
import { eventually } from '../../support/eventually.ts';
import { allHave, allTogether, canTalk, expectCalm, put, startTwo, untilStatus } from './peers-room.ts';

describe.skipIf(lacksRedis)('redis', () => {
  it('that is a read-only replica is said to be one, and used once it is a master', async () => {
    const master = await startRedis({ lines: ['repl-diskless-sync-delay 0'] });
    const replica = await startRedis({ lines: [`replicaof 127.0.0.1 ${master.port}`] });
    await eventually(
      () => replica.ask('INFO', 'replication'),
      (info) => String(info).includes('master_link_status:up'),
    );
    const made = await startRedisStore(aRedisConfig(replica.port));
    expect(made.store.status()).toMatchObject({
      state: 'degraded',
      reason: expect.stringContaining('READONLY'),
    });
    await expectCalm(made);
    await replica.ask('REPLICAOF', 'NO', 'ONE');
    await untilStatus(made, 'connected');
    expect(await put(made.store, 'chat', 'n1', 'drain')).toBe(1);
  });

  it('that becomes a replica while it is used is left', async () => {
    const redis = await startRedis();
    const other = await startRedis();
    const made = await startRedisStore(aRedisConfig(redis.port));
    await put(made.store, 'chat', 'n1', 'drain');
    await redis.ask('REPLICAOF', '127.0.0.1', String(other.port));
    await untilStatus(made, 'degraded', /READONLY|LOADING|MASTERDOWN|closed|reset/);
    await expectCalm(made);
    await redis.ask('REPLICAOF', 'NO', 'ONE');
    await untilStatus(made, 'connected');
    // The full copy of an empty master took the register away; whoever remembers brings it back.
    await eventually(
      () => redis.ask('HGET', '{herald}:registers:chat', 'n1'),
      (stored) => stored === '1:0:drain',
    );
  });

  it('whose memory is full keeps nothing new, and still carries words', async () => {
    const redis = await startRedis();
    const { peers, a, b } = await startTwo(redis.port);
    await put(a.store, 'chat', 'n1', 'drain');
    await redis.ask('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await redis.ask('CONFIG', 'SET', 'maxmemory', '1');
    for (const peer of peers) {
      await untilStatus(peer, 'degraded', /OOM/);
      await expectCalm(peer);
    }
    await canTalk([a, b]);
    await canTalk([b, a]);
    // Their keys have ended by now, their words have not: nobody is taken for gone.
    await eventually(
      () => redis.ask('EXISTS', '{herald}:peer:a', '{herald}:peer:b'),
      (count) => count === 0,
    );
    expect(a.heard.here).toEqual(['b']);
    await redis.ask('CONFIG', 'SET', 'maxmemory', '0');
    await allTogether(peers);
    expect(await put(b.store, 'chat', 'n1', 'maint')).toBe(2);
    await allHave(peers, 'chat', 'n1', 'maint');
  });

  it('whose memory is full from the start lets a store start, and says so', async () => {
    const redis = await startRedis({ lines: ['maxmemory 1', 'maxmemory-policy noeviction'] });
    const made = await startRedisStore(aRedisConfig(redis.port));
    expect(made.store.status()).toMatchObject({ state: 'degraded', reason: expect.stringContaining('OOM') });
    await expectCalm(made);
    await redis.ask('CONFIG', 'SET', 'maxmemory', '0');
    await untilStatus(made, 'connected');
    expect(await put(made.store, 'chat', 'n1', 'drain')).toBe(1);
  });

  it('that has not enough replicas to write is said so, and healed', async () => {
    const redis = await startRedis();
    const made = await startRedisStore(aRedisConfig(redis.port));
    await redis.ask('CONFIG', 'SET', 'min-replicas-to-write', '1');
    await untilStatus(made, 'degraded', /NOREPLICAS/);
    await expectCalm(made);
    await redis.ask('CONFIG', 'SET', 'min-replicas-to-write', '0');
    await untilStatus(made, 'connected');
  });
});
