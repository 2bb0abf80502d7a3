// Redis that is gone, empty, paused, slow or half-open: the stores go on, say so, and are right again afterwards.
import { describe, expect, it } from 'vitest';
import { freePort, lacksRedis, startRedis } from '../../support/redis-server.ts';
import { eventually } from '../../support/eventually.ts';
import { startRedisStore, aRedisConfig } from '../../support/a-shared-store.ts';
import {
  allHave,
  allTogether,
  canTalk,
  expectCalm,
  put,
  startPeer,
  startTwo,
  untilStatus,
} from './peers-room.ts';
import { Shedder } from './shedder.ts';

describe.skipIf(lacksRedis)('redis', () => {
  it('that was killed and comes back empty is told again what the peers remember', async () => {
    const redis = await startRedis();
    const { peers, a, b } = await startTwo(redis.port);
    await put(a.store, 'chat', 'n1', 'drain');
    const version = await put(a.store, 'chat', 'n1', 'maint');
    await put(b.store, 'chat', 'n2', 'drain');
    await put(b.store, 'chat', 'n2', '');
    await allHave(peers, 'chat', 'n1', 'maint');
    await allHave(peers, 'chat', 'n2', '');
    const shedder = new Shedder();
    const first = await a.store.lease('leader', { forMs: 60_000, seen: 0 });
    expect(shedder.act(first?.token ?? 0)).toBe(true);

    await redis.kill();
    for (const peer of peers) {
      const { reason, sinceMs } = await untilStatus(peer, 'degraded', /ECONNREFUSED|reset|closed/);
      expect(reason).toContain(`redis://127.0.0.1:${peer.link.port}: `);
      expect(sinceMs).toBeGreaterThan(0);
      await expectCalm(peer);
      expect(peer.store.registers('chat').get('n1')).toMatchObject({ value: 'maint', version });
    }
    // Nobody is taken for gone because Redis is: who knows how many peers there are goes on sharing with them.
    expect(a.store.peers().map(({ id }) => id)).toEqual(['b']);
    expect(a.store.status().droppedWordsTotal).toBeGreaterThan(0);

    await redis.restart();
    await allTogether(peers);
    for (const { store } of peers)
      expect(store.registers('chat').get('n1')).toMatchObject({ value: 'maint', version });
    await eventually(
      () => redis.ask('HGET', '{herald}:registers:chat', 'n1'),
      (stored) => stored === `${version}:0:maint`,
    );
    // The lease is forgotten with all the rest; who takes it now makes the token of before useless.
    const second = await b.store.lease('leader', { forMs: 60_000, seen: 0 });
    expect(shedder.act(second?.token ?? 0)).toBe(true);
    expect(shedder.act(first?.token ?? 0)).toBe(false);
    expect(await a.store.lease('leader', { forMs: 60_000, seen: first?.token ?? 0 })).toBeUndefined();
    const newcomer = await startPeer(redis.port, 'c');
    expect(newcomer.store.registers('chat').get('n1')).toMatchObject({ value: 'maint', version });
    expect(newcomer.store.registers('chat').get('n2')).toMatchObject({ value: '', version: 2 });
    expect(await put(newcomer.store, 'chat', 'n1', 'ready')).toBe(version + 1);
    await allHave([...peers, newcomer], 'chat', 'n1', 'ready');
    await canTalk([a, b, newcomer]);
    expect(a.heard.peers.filter(([, isHere]) => !isHere)).toEqual([]);
  });

  it('that is not there yet is waited for', async () => {
    const port = await freePort();
    const a = await startRedisStore(aRedisConfig(port, { peer: 'a' }));
    expect(a.store.status()).toMatchObject({
      state: 'degraded',
      reason: expect.stringContaining('ECONNREFUSED'),
    });
    await expectCalm(a);
    await startRedis({ port });
    await untilStatus(a, 'connected');
    expect(a.heard.links.map(({ state }) => state)).toContain('connected');
    expect(await put(a.store, 'chat', 'n1', 'drain')).toBe(1);
  });

  it('that forgets everything while it runs is told again', async () => {
    const redis = await startRedis();
    const { peers, a } = await startTwo(redis.port);
    await put(a.store, 'chat', 'n1', 'drain');
    const version = await put(a.store, 'chat', 'n1', 'maint');
    await allHave(peers, 'chat', 'n1', 'maint');
    await redis.ask('FLUSHALL');
    await eventually(
      () => redis.ask('HGET', '{herald}:registers:chat', 'n1'),
      (stored) => stored === `${version}:0:maint`,
    );
    await allTogether(peers);
  });

  it('that is paused is given up after the timeout, and used again when it goes on', async () => {
    const redis = await startRedis();
    const { peers, a, b } = await startTwo(redis.port);
    await put(a.store, 'chat', 'n1', 'drain');
    redis.pause();
    for (const peer of peers) {
      await untilStatus(peer, 'degraded', /no answer within \d+ ms/);
      for (let index = 0; index < 5000; index += 1) peer.store.say('reports', 'x'.repeat(1000));
      expect(peer.store.status().droppedWordsTotal).toBeGreaterThanOrEqual(5000);
      await expectCalm(peer);
      expect(peer.store.peers()).toHaveLength(1);
    }
    redis.resume();
    await allTogether(peers);
    expect(await put(b.store, 'chat', 'n1', 'maint')).toBe(2);
    await allHave(peers, 'chat', 'n1', 'maint');
    await canTalk([a, b]);
  });

  it('that is slow makes fewer and larger messages, and the lag is told', async () => {
    const redis = await startRedis();
    const { peers, a, b } = await startTwo(redis.port);
    for (const { link } of peers) link.delayMs = 60;
    for (const peer of peers)
      await eventually(
        () => peer.store.status(),
        ({ lagMs, state }) => state === 'connected' && lagMs !== undefined && lagMs >= 100,
      );
    const before = a.store.status().commandsTotal;
    for (let index = 0; index < 500; index += 1) a.store.say('reports', String(index));
    await eventually(
      () => b.heard.words.length,
      (count) => count === 500,
    );
    expect(b.heard.words.map(([, , text]) => Number(text))).toEqual(
      Array.from({ length: 500 }, (_, index) => index),
    );
    expect(a.store.status().commandsTotal - before).toBeLessThan(100);
    expect(await put(b.store, 'chat', 'n1', 'drain')).toBe(1);
    for (const { link } of peers) link.delayMs = 0;
    await allTogether(peers);
  });

  it('that is slower than the timeout counts as gone until it is quicker', async () => {
    const redis = await startRedis();
    const a = await startPeer(redis.port, 'a');
    a.link.delayMs = 1500;
    await untilStatus(a, 'degraded', /no answer/);
    await expectCalm(a);
    a.link.delayMs = 0;
    await untilStatus(a, 'connected');
  });

  it('behind a half-open connection is found out by what we send ourselves', async () => {
    const redis = await startRedis();
    const { peers, a, b } = await startTwo(redis.port);
    a.link.isSwallowing = true;
    await untilStatus(a, 'degraded', /no answer/);
    await expectCalm(a);
    // The other one hears nothing of it and draws its conclusion.
    await eventually(
      () => b.heard.here,
      (here) => here.length === 0,
    );
    expect(a.store.peers().map(({ id }) => id)).toEqual(['b']);
    await put(b.store, 'chat', 'n1', 'drain');
    a.link.isSwallowing = false;
    await allTogether(peers);
    await allHave(peers, 'chat', 'n1', 'drain');
    await canTalk([b, a]);
  });

  it('takes no more from a store than is bounded while it does not answer', async () => {
    const redis = await startRedis();
    const a = await startPeer(redis.port, 'a');
    a.link.isSwallowing = true;
    const outcomes = await Promise.all(
      Array.from({ length: 500 }, (_, index) =>
        a.store.write('chat', `n${index}`, { value: 'x', version: 0 }),
      ),
    );
    const reasons = outcomes.map((outcome) =>
      outcome.kind === 'unreachable' ? outcome.reason : outcome.kind,
    );
    expect(reasons.filter((reason) => reason.includes('64 commands wait'))).not.toHaveLength(0);
    expect(reasons.filter((reason) => reason === 'written')).toEqual([]);
    a.link.isSwallowing = false;
    await untilStatus(a, 'connected');
  });
});
