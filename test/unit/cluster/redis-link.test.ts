// The link and its sessions over a stub of the connection: time, bounds and attempts.
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../../src/cluster/fault.ts';
import { defaultLimits } from '../../../src/cluster/limits.ts';
import type { RedisClient } from '../../../src/cluster/redis-client.ts';
import { RedisLink, type LinkParts } from '../../../src/cluster/redis-link.ts';
import type { RedisSession } from '../../../src/cluster/redis-session.ts';
import { pcg32 } from '../../../src/core/rng.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/until.ts';

/** A connection that the test answers for. */
class StubClient implements RedisClient {
  readonly asked: { command: string; resolve: (value: unknown) => void; reject: (error: Error) => void }[] =
    [];
  isDestroyed = false;
  #end: (error: Error | undefined) => void = () => {};

  call(command: string): Promise<unknown> {
    return new Promise((resolve, reject) => this.asked.push({ command, resolve, reject }));
  }
  async subscribe(): Promise<unknown> {
    return 1;
  }
  onMessage(): void {}
  onEnd(hear: (error: Error | undefined) => void): void {
    this.#end = hear;
  }
  destroy(): void {
    this.isDestroyed = true;
  }
  end(message?: string): void {
    this.#end(message === undefined ? undefined : new Error(message));
  }
}

/** What the next attempt to connect comes to. */
type Attempt = StubClient | Error | 'never';

function aLink(attempts: readonly Attempt[], prepare: LinkParts['prepare'] = async () => undefined) {
  const clock = new ManualClock();
  const told: string[] = [];
  const meter = { commandsTotal: 0, bytesTotal: 0 };
  let opened = 0;
  let abandoned = 0;
  const link = new RedisLink({
    address: 'redis://stub',
    open() {
      const attempt = attempts[Math.min(opened, attempts.length - 1)];
      opened += 1;
      const client =
        attempt instanceof StubClient
          ? Promise.resolve(attempt)
          : attempt === 'never'
            ? new Promise<RedisClient>(() => {})
            : Promise.reject(attempt ?? new Error('there is no attempt'));
      return { client, abandon: () => void (abandoned += 1) };
    },
    clock,
    rng: pcg32(1),
    limits: defaultLimits,
    meter,
    prepare,
    tell: (state, reason) => told.push(reason === '' ? state : `${state}: ${reason}`),
  });
  return { link, clock, told, meter, opened: () => opened, abandoned: () => abandoned };
}

/** Starts a link whose first attempt succeeds. */
async function connected(client = new StubClient()) {
  const made = aLink([client]);
  await made.link.start();
  const { session } = made.link;
  if (session === undefined) throw new Error('it is not connected');
  return { ...made, client, session };
}

const asked = (session: RedisSession) => session.ask('GET', 'x');

describe('a link', () => {
  it('is ready when what it is for has been prepared', async () => {
    const { link, told } = await connected();
    expect(told).toEqual(['connecting', 'connected']);
    link.stop();
    expect(link.session).toBeUndefined();
  });

  it('gives an attempt up that does not come to an end, and tries again after a pause', async () => {
    const client = new StubClient();
    const { link, clock, told, opened, abandoned } = aLink(['never', client]);
    const started = link.start();
    await until(
      () => opened() === 1,
      () => 'it never tried',
    );
    clock.advance(defaultLimits.connectTimeoutMs);
    await started;
    expect(told.at(-1)).toBe('degraded: redis://stub: no answer within 2000 ms; trying again');
    expect(abandoned()).toBe(1);
    clock.advance(defaultLimits.backoffMs);
    await until(
      () => told.at(-1) === 'connected',
      () => told.join(),
    );
    expect(opened()).toBe(2);
  });

  it('tries again and again, with pauses that grow to their limit', async () => {
    const { link, clock, told, opened } = aLink([new Error('connect ECONNREFUSED')]);
    await link.start();
    for (let attempt = 1; attempt <= 8; attempt += 1) {
      expect(opened()).toBe(attempt);
      clock.advance(Math.min(2000, 100 * 2 ** (attempt - 1)));
      await until(
        () => told.length === attempt + 2,
        () => `no attempt after ${attempt}`,
      );
    }
    link.stop();
    expect(clock.pending).toBe(0);
  });

  it('ends the start with an error where waiting does not help, and tries no more', async () => {
    const wrong = Object.assign(new Error('WRONGPASS invalid username-password pair'), {
      name: 'ReplyError',
    });
    const { link, clock } = aLink([wrong]);
    await expect(link.start()).rejects.toMatchObject({ code: 'HERALD_STATE_REFUSED' });
    expect(clock.pending).toBe(0);
  });

  it('is degraded, with a connection, while the server does not do all it should', async () => {
    const full: Fault = { kind: 'limited', reason: 'full' };
    const { link, told } = aLink([new StubClient()], async () => full);
    await link.start();
    expect(link.session).toBeDefined();
    expect(told).toEqual(['connecting', 'degraded: redis://stub: full']);
    link.limit(undefined);
    expect(told.at(-1)).toBe('connected');
  });

  it('gives a connection up that was lost while it was prepared', async () => {
    const client = new StubClient();
    const { link, told } = aLink([client], async (session) => {
      client.end('read ECONNRESET');
      const answer = await asked(session);
      return 'fault' in answer ? answer.fault : undefined;
    });
    await link.start();
    expect(link.session).toBeUndefined();
    expect(told.at(-1)).toContain('ECONNRESET');
    link.stop();
  });

  it('does not come to life again after it was stopped', async () => {
    const client = new StubClient();
    const { link, clock, told } = aLink([new Error('connect ECONNREFUSED'), client]);
    await link.start();
    link.stop();
    clock.advance(60_000);
    expect(link.session).toBeUndefined();
    expect(told.at(-1)).toContain('degraded');
  });
});

describe('a session', () => {
  it('counts what it sends, and answers what the server answers', async () => {
    const { session, client, meter } = await connected();
    const answer = asked(session);
    client.asked[0]?.resolve('value');
    expect(await answer).toEqual({ value: 'value' });
    expect(meter).toEqual({ commandsTotal: 1, bytesTotal: '*2\r\n$3\r\nGET\r\n$1\r\nx\r\n'.length });
  });

  it('takes a command that is not answered in time for the end of the connection', async () => {
    const { session, client, clock, link, told } = await connected();
    const answer = asked(session);
    clock.advance(defaultLimits.commandTimeoutMs);
    expect(await answer).toMatchObject({ fault: { kind: 'away', reason: 'no answer within 2000 ms' } });
    expect(client.isDestroyed).toBe(true);
    expect(link.session).toBeUndefined();
    expect(told.at(-1)).toContain('no answer');
    expect(await asked(session)).toMatchObject({ fault: { reason: 'the link is down' } });
    // A late answer finds nobody.
    client.asked[0]?.resolve('late');
  });

  it('sends no more than may wait for an answer', async () => {
    const { session, client, link } = await connected();
    const answers = Array.from({ length: 70 }, () => asked(session));
    expect(client.asked).toHaveLength(64);
    expect(await answers.at(-1)).toMatchObject({ fault: { kind: 'limited' } });
    expect(link.session).toBe(session);
    for (const { resolve } of client.asked) resolve('OK');
    await Promise.all(answers);
    void asked(session);
    expect(client.asked).toHaveLength(65);
    link.stop();
  });

  it('keeps the connection when the server refuses a command for now, and gives it up for a replica', async () => {
    const { session, client, link } = await connected();
    const full = asked(session);
    client.asked[0]?.reject(Object.assign(new Error('OOM command not allowed'), { name: 'ReplyError' }));
    expect(await full).toMatchObject({ fault: { kind: 'limited' } });
    expect(link.session).toBe(session);
    const replica = asked(session);
    client.asked[1]?.reject(Object.assign(new Error('READONLY'), { name: 'ReplyError' }));
    expect(await replica).toMatchObject({ fault: { kind: 'away' } });
    expect(link.session).toBeUndefined();
    link.stop();
  });

  it('sends a whole script where the server does not know it', async () => {
    const { session, client } = await connected();
    const answer = session.run('release', ['key'], ['1 a']);
    expect(client.asked[0]?.command).toBe('EVALSHA');
    client.asked[0]?.reject(Object.assign(new Error('NOSCRIPT No matching script.'), { name: 'ReplyError' }));
    await until(
      () => client.asked.length === 2,
      () => 'it was not sent',
    );
    expect(client.asked[1]?.command).toBe('EVAL');
    client.asked[1]?.resolve(1);
    expect(await answer).toEqual({ value: 1 });
  });
});
