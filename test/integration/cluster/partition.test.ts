// Peers that cannot reach each other although Redis runs, and leases whose tokens are refused where they must be.
import { describe, expect, it } from 'vitest';
import { pcg32 } from '../../../src/core/rng.ts';
import { eventually } from '../../support/eventually.ts';
import { lacksRedis, startRedis } from '../../support/redis-server.ts';
import {
  allHave,
  allTogether,
  canTalk,
  expectCalm,
  put,
  startPeers,
  startTwo,
  untilStatus,
} from './peers-room.ts';
import { Shedder } from './shedder.ts';

describe.skipIf(lacksRedis)('a partition', () => {
  it('makes the one cut off go for the others, not the others for it', async () => {
    const redis = await startRedis();
    const peers = await startPeers(redis.port, 'a', 'b', 'c');
    const [a, b, c] = peers;
    if (a === undefined || b === undefined || c === undefined) throw new Error('three were started');
    const version = await put(a.store, 'chat', 'n1', 'drain');
    await allHave(peers, 'chat', 'n1', 'drain');
    a.link.cut();
    await untilStatus(a, 'degraded', /reset|closed/);
    await expectCalm(a);
    for (const other of [b, c])
      await eventually(
        () => other.heard.here,
        (here) => here.length === 1 && !here.includes('a'),
      );
    expect(
      a.store
        .peers()
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(['b', 'c']);
    expect(await put(b.store, 'chat', 'n1', 'maint')).toBe(version + 1);
    // What it knows is older than what stands: it is told so, not the others.
    expect(await a.store.write('chat', 'n1', { value: 'ready', version })).toMatchObject({
      kind: 'unreachable',
    });
    a.link.mend();
    await allTogether(peers);
    await allHave(peers, 'chat', 'n1', 'maint');
    expect(await a.store.write('chat', 'n1', { value: 'ready', version })).toMatchObject({
      kind: 'conflict',
      current: { value: 'maint', version: version + 1 },
    });
    await canTalk([a, b, c]);
  });

  it('of Redis from everybody, and another Redis meanwhile, ends with one value everywhere', async () => {
    const redis = await startRedis();
    const { peers, a, b } = await startTwo(redis.port);
    await put(a.store, 'chat', 'n1', 'ready');
    await allHave(peers, 'chat', 'n1', 'ready');
    // A failover that lost a's write: a has version 2, and so has what another peer wrote on the new master.
    b.link.cut();
    await untilStatus(b, 'degraded');
    expect(await put(a.store, 'chat', 'n1', '2 drain')).toBe(2);
    a.link.cut();
    await untilStatus(a, 'degraded');
    await redis.ask('HSET', '{herald}:registers:chat', 'n1', '2:0:1 maint');
    a.link.mend();
    b.link.mend();
    await allTogether(peers);
    // Same version, so the greater bytes: everywhere, and in Redis.
    await allHave(peers, 'chat', 'n1', '2 drain');
    await eventually(
      () => redis.ask('HGET', '{herald}:registers:chat', 'n1'),
      (stored) => stored === '2:0:2 drain',
    );
  });
});

describe.skipIf(lacksRedis)('a lease', () => {
  it('that is held by one who is cut off goes to another, whose token makes the old one useless', async () => {
    const redis = await startRedis();
    const { peers, a, b } = await startTwo(redis.port);
    const shedder = new Shedder();
    const first = await a.store.lease('leader', { forMs: 300, seen: 0 });
    expect(shedder.act(first?.token ?? 0)).toBe(true);
    a.link.cut();
    const second = await eventually(
      () => b.store.lease('leader', { forMs: 60_000, seen: 0 }),
      (held) => held !== undefined,
    );
    expect(shedder.act(second?.token ?? 0)).toBe(true);
    // a was asleep through all of it and still believes.
    expect(shedder.act(first?.token ?? 0)).toBe(false);
    a.link.mend();
    await allTogether(peers);
    expect(await a.store.lease('leader', { forMs: 300, seen: first?.token ?? 0 })).toBeUndefined();
  });

  it('never has two holders whose tokens are both accepted, even when the counter is rolled back', async () => {
    const seed = 7;
    const rng = pcg32(seed);
    const redis = await startRedis();
    const peers = await startPeers(redis.port, 'a', 'b', 'c');
    const shedder = new Shedder();
    const granted: { holder: string; token: number }[] = [];
    const seen = new Map<string, number>();
    for (let step = 0; step < 400; step += 1) {
      const peer = peers[Math.floor(rng.next() * peers.length)];
      if (peer === undefined) throw new Error('there are three');
      const { selfId: holder } = peer.store;
      const chance = rng.next();
      if (chance < 0.05) peer.link.cut();
      else if (chance < 0.15) {
        peer.link.mend();
        await untilStatus(peer, 'connected');
      }
      // A failover to a replica that had not heard of the lease, nor of the tokens since the first.
      else if (chance < 0.3) {
        await redis.ask('DEL', '{herald}:lease:leader');
        await redis.ask('SET', '{herald}:token:leader', '1');
      }
      const held = await peer.store.lease('leader', { forMs: 5, seen: seen.get(holder) ?? 0 });
      if (held === undefined) continue;
      granted.push({ holder, token: held.token });
      seen.set(holder, held.token);
      shedder.act(held.token);
    }
    expect(granted.length).toBeGreaterThan(20);
    expect(new Set(granted.map(({ holder }) => holder)).size).toBe(3);
    // A token belongs to one holder, and each holder's next one is above all that were given out before.
    const owners = new Map<number, string>();
    for (const { holder, token } of granted)
      expect(owners.set(token, owners.get(token) ?? holder).get(token)).toBe(holder);
    const tokens = granted.map(({ token }) => token);
    expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
    // So whoever acts with a token of yesterday is refused once anybody else has acted since.
    for (const { token } of granted) {
      const isLast = token === Math.max(...tokens);
      expect(shedder.act(token)).toBe(isLast);
    }
  });
});
