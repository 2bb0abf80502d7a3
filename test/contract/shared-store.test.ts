// One contract, every carrier: the memory of a process, one redis-server, and a Redis Cluster of one.
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest';
import { MemoryHub } from '../../src/cluster/memory-hub.ts';
import { createMemoryStore } from '../../src/cluster/memory-store.ts';
import { pcg32 } from '../../src/core/rng.ts';
import { createSystemClock } from '../../src/platform/system-clock.ts';
import type { RedisConfig } from '../../src/policy/config.ts';
import { aRedisConfig, aRedisStore, patientLimits } from '../support/a-shared-store.ts';
import { lacksRedis, startRedis, startRedisCluster, type RedisServer } from '../support/redis-server.ts';
import { sharedStoreContract, type Place } from './shared-store.contract.ts';

sharedStoreContract('memory', async () => {
  const clock = createSystemClock();
  const hub = new MemoryHub(clock);
  let seed = 0;
  return {
    create(selfId, inherited) {
      seed += 1;
      const rng = pcg32(seed);
      const store = createMemoryStore({ hub, clock, rng, selfId, ...(inherited && { inherited }) });
      onTestFinished(() => store.stop());
      return store;
    },
  };
});

/** One server for all tests; each has a prefix of its own, as two fleets on one Redis have. */
function onServer(
  name: string,
  start: () => Promise<RedisServer>,
  serversOf: (port: number) => RedisConfig['servers'],
): void {
  describe.skipIf(lacksRedis)(name, () => {
    let server: RedisServer | undefined;
    let places = 0;
    beforeAll(async () => {
      server = await start();
    });
    afterAll(() => server?.end());
    sharedStoreContract(name, async (): Promise<Place> => {
      const port = server?.port ?? 0;
      places += 1;
      const keyPrefix = `fleet-${places}`;
      const servers = serversOf(port);
      return {
        create: (peer, inherited) =>
          aRedisStore(aRedisConfig(port, { peer, keyPrefix, servers }), patientLimits, { inherited }).store,
      };
    });
  });
}

onServer(
  'redis',
  () => startRedis({ isShared: true }),
  (port) => ({ kind: 'single', address: { host: '127.0.0.1', port }, database: 0 }),
);
onServer(
  'redis cluster',
  () => startRedisCluster({ isShared: true }),
  (port) => ({ kind: 'cluster', addresses: [{ host: '127.0.0.1', port }] }),
);
