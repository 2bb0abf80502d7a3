import { describe, expect, it } from 'vitest';
import { createKeys } from '../../../src/cluster/keys.ts';
import { defaultLimits } from '../../../src/cluster/limits.ts';
import type { RedisClient } from '../../../src/cluster/redis-client.ts';
import { RedisLeases } from '../../../src/cluster/redis-leases.ts';
import { RedisSession } from '../../../src/cluster/redis-session.ts';
import { loadScripts } from '../../../src/cluster/scripts.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** Leases over a connection that answers `reply` to every script and writes down what it was asked. */
async function someLeases(reply: () => unknown) {
  const clock = new ManualClock(1000);
  const asked: (readonly string[])[] = [];
  const client: RedisClient = {
    async call(_command, args) {
      asked.push(args);
      clock.advance(300);
      return reply();
    },
    subscribe: async () => 1,
    onMessage() {},
    onEnd() {},
    destroy() {},
  };
  const meter = { commandsTotal: 0, bytesTotal: 0 };
  const scripts = await loadScripts();
  const session = new RedisSession({ client, scripts, clock, limits: defaultLimits, meter, onLost() {} });
  const leases = new RedisLeases(createKeys('herald', 0), clock, { id: 'a', epoch: 'e1' });
  /** The token that the last script was told to go above. */
  const seenBy = () => asked.at(-1)?.at(-2);
  return { leases, session, asked, seenBy };
}

describe('a shared lease', () => {
  it('ends, by the holder’s clock, sooner than Redis forgets it', async () => {
    const { leases, session } = await someLeases(() => [1, '7']);
    // Asked at 1,000, answered at 1,300: Redis counts from somewhere between.
    expect(await leases.take(session, 'leader', { forMs: 10_000, seen: 0 })).toEqual({
      token: 7,
      untilMs: 10_900,
    });
  });

  it('is asked for above every token that was heard of, by whatever way', async () => {
    const { leases, session, seenBy } = await someLeases(() => [0, '50']);
    await leases.take(session, 'leader', { forMs: 1000, seen: 3 });
    expect(seenBy()).toBe('3');
    // The answer named the token of the one who has it.
    expect(await leases.take(session, 'leader', { forMs: 1000, seen: 3 })).toBeUndefined();
    expect(seenBy()).toBe('50');
    leases.hear('90 leader');
    leases.hear('999 other');
    leases.hear('80 leader');
    await leases.take(session, 'leader', { forMs: 1000, seen: 3 });
    expect(seenBy()).toBe('90');
    leases.hear('no number leader');
    leases.hear('');
    await leases.take(session, 'leader', { forMs: 1000, seen: 1000 });
    expect(seenBy()).toBe('1000');
  });

  it('is not held on the word of an answer that makes no sense', async () => {
    const { leases, session } = await someLeases(() => 'OK');
    expect(await leases.take(session, 'leader', { forMs: 1000, seen: 0 })).toBeUndefined();
    expect(await leases.take(undefined, 'leader', { forMs: 1000, seen: 0 })).toBeUndefined();
  });

  it('is given back once, with the others, when the holder goes', async () => {
    let token = 6;
    const { leases, session, asked } = await someLeases(() => [1, String((token += 1))]);
    for (const name of ['leader', 'webhooks', 'scale'])
      await leases.take(session, name, { forMs: 1000, seen: 0 });
    await leases.release(session, 'webhooks', 8);
    asked.length = 0;
    await leases.releaseAll(session);
    expect(asked.map((args) => args.slice(2))).toEqual([
      ['{herald}:lease:leader', '7 a e1'],
      ['{herald}:lease:scale', '9 a e1'],
    ]);
  });
});
