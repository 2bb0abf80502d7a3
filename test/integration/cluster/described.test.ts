// What a peer says of itself, such as that it leads: known to a newcomer at once, and not lost with a message.
import { describe, expect, it } from 'vitest';
import { encodeEnvelope } from '../../../src/cluster/envelope.ts';
import { aRedisConfig, startRedisStore } from '../../support/a-shared-store.ts';
import { eventually } from '../../support/eventually.ts';
import { lacksRedis, startRedis } from '../../support/redis-server.ts';
import { put } from './peers-room.ts';

describe.skipIf(lacksRedis)('what a peer says of itself', () => {
  it('is known to a newcomer when it has started', async () => {
    const redis = await startRedis();
    const a = await startRedisStore(aRedisConfig(redis.port, { peer: 'a' }));
    a.store.describe('{"leads":7}');
    await eventually(
      () => redis.ask('GET', '{herald}:peer:a'),
      (said) => String(said).includes('leads'),
    );
    const b = await startRedisStore(aRedisConfig(redis.port, { peer: 'b' }));
    expect(b.store.peers().map(({ about }) => about)).toEqual(['{"leads":7}']);
  });

  it('is read again when a message of the peer is missing', async () => {
    const redis = await startRedis();
    const hearer = await startRedisStore(aRedisConfig(redis.port, { peer: 'hearer' }));
    // A peer by hand, whose message about itself is never sent.
    const present = (about: string) =>
      redis.ask('SET', '{herald}:peer:ghost', JSON.stringify(['e1', about]), 'PX', '60000');
    const speak = (seq: number) => {
      const said = { from: 'ghost', epoch: 'e1', seq, about: undefined, isFarewell: false, words: [] };
      return redis.ask('PUBLISH', '{herald}:words', encodeEnvelope(said));
    };
    const about = () => hearer.store.peers().find(({ id }) => id === 'ghost')?.about;
    await redis.ask('SADD', '{herald}:peers', 'ghost');
    await present('first');
    await speak(1);
    await eventually(about, (text) => text === 'first');
    await present('second');
    await speak(2);
    // Two beats of the hearer, by what it has sent.
    const { commandsTotal } = hearer.store.status();
    await eventually(
      () => hearer.store.status().commandsTotal,
      (total) => total > commandsTotal + 4,
    );
    expect(about()).toBe('first');
    await speak(4);
    await eventually(about, (text) => text === 'second');
    expect(await put(hearer.store, 'chat', 'n1', 'drain')).toBe(1);
  });
});
