// What waiting does not mend ends the start with one clear error; the same later on is said, and does no more harm.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RedisConfig } from '../../../src/policy/config.ts';
import { aRedisConfig, aRedisStore, startRedisStore } from '../../support/a-shared-store.ts';
import { eventually } from '../../support/eventually.ts';
import { lacksRedis, startRedis } from '../../support/redis-server.ts';
import { allTogether, expectCalm, pageRights, put, untilStatus } from './peers-room.ts';

/** The error that a start ends with. */
async function refusal(config: RedisConfig): Promise<{ code: unknown; message: string }> {
  const { store, heard } = aRedisStore(config);
  const error: unknown = await store.start(heard).then(
    () => new Error('it started'),
    (reason: unknown) => reason,
  );
  await store.stop();
  if (!(error instanceof Error)) throw new Error('rejected with no error');
  return { code: 'code' in error ? error.code : undefined, message: error.message };
}

const rights = ['~{herald}:*', '&{herald}:*', '+@all'];

describe.skipIf(lacksRedis)('a start', () => {
  it('is refused with a wrong password, and with none where one is asked for', async () => {
    const redis = await startRedis({ lines: ['requirepass right-one'], password: 'right-one' });
    const wrong = await refusal(aRedisConfig(redis.port, { password: 'wrong-one' }));
    expect(wrong).toMatchObject({
      code: 'HERALD_STATE_REFUSED',
      message: `cannot share state over redis://127.0.0.1:${redis.port}: it refuses the user name or the password (WRONGPASS)`,
    });
    const none = await refusal(aRedisConfig(redis.port));
    expect(none).toMatchObject({ code: 'HERALD_STATE_REFUSED', message: expect.stringContaining('NOAUTH') });
    const right = await startRedisStore(aRedisConfig(redis.port, { password: 'right-one' }));
    expect(right.store.status().state).toBe('connected');
  });

  it('works with a password where none is asked for', async () => {
    const redis = await startRedis();
    const made = await startRedisStore(aRedisConfig(redis.port, { password: 'not-needed', peer: 'a' }));
    const other = await startRedisStore(aRedisConfig(redis.port, { peer: 'b' }));
    await allTogether([made, other]);
  });

  it('is refused to a user without rights on the prefix, and open to one with exactly them', async () => {
    const redis = await startRedis();
    await redis.ask('ACL', 'SETUSER', 'herald', 'on', '>secret', ...rights);
    await redis.ask('ACL', 'SETUSER', 'elsewhere', 'on', '>secret', '~other:*', '&other:*', '+@all');
    await redis.ask('ACL', 'SETUSER', 'mute', 'on', '>secret', '~{herald}:*', 'resetchannels', '+@all');
    const asUser = (username: string, peer: string) =>
      aRedisConfig(redis.port, { username, password: 'secret', peer });
    for (const username of ['elsewhere', 'mute']) {
      const { code, message } = await refusal(asUser(username, username));
      expect(code).toBe('HERALD_STATE_REFUSED');
      expect(message).toContain('NOPERM');
      expect(message).not.toContain('secret');
    }
    const made = [await startRedisStore(asUser('herald', 'a')), await startRedisStore(asUser('herald', 'b'))];
    await allTogether(made);
  });

  it('needs no more rights than the page names', async () => {
    const redis = await startRedis();
    await redis.ask('ACL', 'SETUSER', 'herald', 'on', '>secret', ...pageRights);
    const config = { username: 'herald', password: 'secret' };
    const made = [
      await startRedisStore(aRedisConfig(redis.port, { ...config, peer: 'a' })),
      await startRedisStore(aRedisConfig(redis.port, { ...config, peer: 'b' })),
    ];
    await allTogether(made);
    const [a, b] = made;
    if (a === undefined || b === undefined) throw new Error('two were started');
    await put(a.store, 'chat', 'n1', 'drain');
    await put(a.store, 'chat', 'n1', '');
    const held = await a.store.lease('leader', { forMs: 10_000, seen: 0 });
    await a.store.lease('leader', { forMs: 10_000, seen: held?.token ?? 0 });
    await a.store.release('leader', held?.token ?? 0);
    await redis.ask('FLUSHALL');
    await a.store.stop();
    await allTogether([b]);
    expect(b.heard.links.map(({ state }) => state)).not.toContain('degraded');
  });

  it('needs the right on channels that the page names, unless new users have it as before Redis 7', async () => {
    const withoutChannels = pageRights.filter((right) => !right.startsWith('&'));
    for (const lines of [[], ['acl-pubsub-default allchannels']]) {
      const redis = await startRedis({ lines });
      await redis.ask('ACL', 'SETUSER', 'herald', 'on', '>secret', ...withoutChannels);
      const config = aRedisConfig(redis.port, { username: 'herald', password: 'secret' });
      if (lines.length === 0) expect((await refusal(config)).message).toContain('NOPERM');
      else expect((await startRedisStore(config)).store.status().state).toBe('connected');
    }
  });

  it('is refused by what is no Redis', async () => {
    const server = createServer((_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
    // Proof of `as`: bound to a TCP port.
    const { port } = server.address() as AddressInfo;
    expect(await refusal(aRedisConfig(port))).toMatchObject({
      code: 'HERALD_STATE_REFUSED',
      message: expect.stringContaining('does not speak the protocol of Redis'),
    });
  });

  it('is refused by a server without the database that is named', async () => {
    const redis = await startRedis();
    const servers = {
      kind: 'single',
      address: { host: '127.0.0.1', port: redis.port },
      database: 99,
    } as const;
    expect(await refusal(aRedisConfig(redis.port, { servers }))).toMatchObject({
      code: 'HERALD_STATE_REFUSED',
      message: expect.stringContaining('it has no database of this number'),
    });
    const second = { ...servers, database: 2 };
    const made = await startRedisStore(aRedisConfig(redis.port, { servers: second }));
    expect(await put(made.store, 'chat', 'n1', 'drain')).toBe(1);
    expect(await redis.ask('DBSIZE')).toBe(0);
  });

  it('is refused by a Sentinel where a Redis is named, without telling what it was asked', async () => {
    const sentinel = await startRedis({ isSentinel: true, lines: ['sentinel monitor main 127.0.0.1 1 1'] });
    const { code, message } = await refusal(aRedisConfig(sentinel.port, { password: 'hunter2' }));
    expect(code).toBe('HERALD_STATE_REFUSED');
    expect(message).toContain('a Sentinel where a Redis is named');
    expect(message).not.toContain('hunter2');
  });

  it('is refused by a single server that is configured as a Cluster', async () => {
    const redis = await startRedis();
    const addresses = [{ host: '127.0.0.1', port: redis.port }];
    expect(
      await refusal(aRedisConfig(redis.port, { servers: { kind: 'cluster', addresses } })),
    ).toMatchObject({
      code: 'HERALD_STATE_REFUSED',
      message: expect.stringContaining('it is no Redis Cluster'),
    });
  });
});

describe.skipIf(lacksRedis)('a store that runs', () => {
  it('hears nothing of a fleet with another prefix, or in another database', async () => {
    const redis = await startRedis();
    const address = { host: '127.0.0.1', port: redis.port };
    const servers = { kind: 'single', address, database: 1 } as const;
    const ours = await startRedisStore(aRedisConfig(redis.port, { peer: 'a' }));
    const others = [
      await startRedisStore(aRedisConfig(redis.port, { peer: 'b', keyPrefix: 'other' })),
      await startRedisStore(aRedisConfig(redis.port, { peer: 'c', servers })),
    ];
    for (const { store } of others) {
      await put(store, 'chat', 'n1', 'drain');
      store.say('reports', 'not for a');
    }
    const friend = await startRedisStore(aRedisConfig(redis.port, { peer: 'd' }));
    friend.store.say('reports', 'for a');
    await eventually(
      () => ours.heard.words,
      (words) => words.length > 0,
    );
    expect(ours.heard.words).toEqual([['d', 'reports', 'for a']]);
    expect(ours.heard.registers).toEqual([]);
    expect(ours.heard.here).toEqual(['d']);
  });

  it('says that its rights were taken away, and goes on when it has them again', async () => {
    const redis = await startRedis();
    await redis.ask('ACL', 'SETUSER', 'herald', 'on', '>secret', ...rights);
    const made = await startRedisStore(aRedisConfig(redis.port, { username: 'herald', password: 'secret' }));
    await put(made.store, 'chat', 'n1', 'drain');
    await redis.ask('ACL', 'SETUSER', 'herald', 'resetkeys', '~other:*');
    await untilStatus(made, 'degraded', /NOPERM/);
    await expectCalm(made);
    await redis.ask('ACL', 'SETUSER', 'herald', '>changed', '<secret', '~{herald}:*');
    await redis.ask('CLIENT', 'KILL', 'USER', 'herald');
    await untilStatus(made, 'degraded', /WRONGPASS/);
    await redis.ask('ACL', 'SETUSER', 'herald', '>secret');
    await untilStatus(made, 'connected');
    expect(await put(made.store, 'chat', 'n1', 'maint')).toBe(2);
  });

  it('uses a new password from the next connection on, and loses nothing by the change', async () => {
    const redis = await startRedis();
    await redis.ask('ACL', 'SETUSER', 'herald', 'on', '>first', ...rights);
    const config = (password: string) =>
      aRedisConfig(redis.port, { username: 'herald', password, peer: 'a' });
    let current = config('first');
    const made = aRedisStore(config('first'), undefined, { current: () => current });
    await made.store.start(made.heard);
    await redis.ask('ACL', 'SETUSER', 'herald', '>second');
    current = config('second');
    await redis.ask('ACL', 'SETUSER', 'herald', '<first');
    // The connection that is open goes on.
    expect(await put(made.store, 'chat', 'n1', 'drain')).toBe(1);
    await redis.ask('CLIENT', 'KILL', 'USER', 'herald');
    await untilStatus(made, 'degraded', /./);
    await untilStatus(made, 'connected');
    expect(await put(made.store, 'chat', 'n1', 'maint')).toBe(2);
    expect(made.heard.links.map(({ reason }) => reason).join()).not.toContain('WRONGPASS');
  });

  it('does not take the user of another server along', async () => {
    const redis = await startRedis();
    await redis.ask('ACL', 'SETUSER', 'herald', 'on', '>first', ...rights);
    const first = { username: 'herald', password: 'first' };
    const current = aRedisConfig(redis.port + 1, { username: 'other', password: 'other' });
    const made = aRedisStore(aRedisConfig(redis.port, first), undefined, { current: () => current });
    await made.store.start(made.heard);
    expect(made.store.status().state).toBe('connected');
  });

  it('says that another balancer has its name, until that is gone', async () => {
    const redis = await startRedis();
    const first = await startRedisStore(aRedisConfig(redis.port, { peer: 'same' }));
    const second = await startRedisStore(aRedisConfig(redis.port, { peer: 'same' }));
    for (const made of [first, second])
      await untilStatus(made, 'degraded', /another balancer calls itself same/);
    await second.store.stop();
    await untilStatus(first, 'connected');
  });
});
