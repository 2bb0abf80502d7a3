// A Redis Cluster of three masters: keys and channels find each other, and a restart is no loss.
import { describe, expect, it } from 'vitest';
import type { RedisConfig } from '../../../src/policy/config.ts';
import { aRedisConfig, startRedisStore } from '../../support/a-shared-store.ts';
import { eventually } from '../../support/eventually.ts';
import {
  freePort,
  lacksRedis,
  startRedis,
  startRedisCluster,
  type RedisServer,
} from '../../support/redis-server.ts';
import {
  allHave,
  allTogether,
  canTalk,
  expectCalm,
  pageClusterRights,
  pageRights,
  put,
  untilStatus,
} from './peers-room.ts';

const slots = 16_384;

/** Masters that share the slots evenly. */
async function startMasters(count: number): Promise<readonly RedisServer[]> {
  const masters: RedisServer[] = [];
  for (let index = 0; index < count; index += 1) {
    const lines = [
      'cluster-enabled yes',
      'cluster-announce-ip 127.0.0.1',
      `cluster-port ${await freePort()}`,
    ];
    masters.push(await startRedis({ lines: [...lines, 'cluster-node-timeout 1000'] }));
  }
  const [first] = masters;
  if (first === undefined) throw new Error('at least one is needed');
  for (const [index, master] of masters.entries()) {
    const from = Math.floor((index * slots) / count);
    const to = Math.floor(((index + 1) * slots) / count) - 1;
    await master.ask('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to));
    await master.ask('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
  }
  const busPort = String(await first.ask('CONFIG', 'GET', 'cluster-port')).split(',')[1] ?? '';
  for (const master of masters.slice(1))
    await master.ask('CLUSTER', 'MEET', '127.0.0.1', String(first.port), busPort);
  for (const master of masters)
    await eventually(
      () => master.ask('CLUSTER', 'INFO'),
      (info) =>
        String(info).includes('cluster_state:ok') && String(info).includes(`cluster_known_nodes:${count}`),
    );
  return masters;
}

function onCluster(servers: readonly RedisServer[], peer: string): RedisConfig {
  const addresses = servers.map(({ port }) => ({ host: '127.0.0.1', port }));
  return aRedisConfig(0, { peer, servers: { kind: 'cluster', addresses } });
}

describe.skipIf(lacksRedis)('a Redis Cluster', () => {
  it('of three masters carries words, registers and leases, whichever server a peer was told of', async () => {
    const masters = await startMasters(3);
    const peers = await Promise.all(
      masters.map((master, index) => startRedisStore(onCluster([master], `peer-${index}`))),
    );
    await allTogether(peers);
    const [a, b, c] = peers;
    if (a === undefined || b === undefined || c === undefined) throw new Error('three were started');
    await canTalk([a, b, c]);
    await canTalk([c, a, b]);
    for (const scope of ['chat', 'games', 'iot']) {
      await put(b.store, scope, 'n1', 'drain');
      await allHave(peers, scope, 'n1', 'drain');
    }
    const held = await a.store.lease('leader', { forMs: 60_000, seen: 0 });
    expect(held?.token).toBeGreaterThan(0);
    expect(await b.store.lease('leader', { forMs: 60_000, seen: 0 })).toBeUndefined();
    // All of it lies on one server: that is what one hash tag means.
    const sizes = await Promise.all(masters.map((master) => master.ask('DBSIZE')));
    expect(sizes.filter((size) => size !== 0)).toHaveLength(1);
  });

  it('lets a user in who has the rights that the page names', async () => {
    const server = await startRedisCluster();
    await server.ask('ACL', 'SETUSER', 'herald', 'on', '>secret', ...pageRights, ...pageClusterRights);
    const config = { ...onCluster([server], 'a'), username: 'herald', password: 'secret' };
    const peers = [await startRedisStore(config), await startRedisStore({ ...config, peer: 'b' })];
    await allTogether(peers);
    await canTalk(peers);
  });

  it('that was killed is said to be gone, and used again', async () => {
    const server = await startRedisCluster();
    const peers = [
      await startRedisStore(onCluster([server], 'a')),
      await startRedisStore(onCluster([server], 'b')),
    ];
    const [a, b] = peers;
    if (a === undefined || b === undefined) throw new Error('two were started');
    await allTogether(peers);
    await put(a.store, 'chat', 'n1', 'drain');
    await allHave(peers, 'chat', 'n1', 'drain');
    await server.kill();
    for (const peer of peers) {
      await untilStatus(peer, 'degraded');
      await expectCalm(peer);
    }
    // It remembers its slots, in nodes.conf, but not what was in them.
    await server.restart();
    await allTogether(peers);
    await eventually(
      () => server.ask('HGET', '{herald}:registers:chat', 'n1'),
      (stored) => stored === '1:0:drain',
    );
    await canTalk([a, b]);
  });
});
