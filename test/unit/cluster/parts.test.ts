import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf } from '../../../src/cluster/address-of.ts';
import { pauseMs } from '../../../src/cluster/backoff.ts';
import { chanceId } from '../../../src/cluster/chance-id.ts';
import { decodeEnvelope, encodeEnvelope } from '../../../src/cluster/envelope.ts';
import { faultOf } from '../../../src/cluster/fault.ts';
import { createKeys } from '../../../src/cluster/keys.ts';
import { defaultLimits } from '../../../src/cluster/limits.ts';
import { Mirror, stands } from '../../../src/cluster/mirror.ts';
import { Outbox } from '../../../src/cluster/outbox.ts';
import { PeerBook } from '../../../src/cluster/peer-book.ts';
import { commandBytes, compareBytes } from '../../../src/cluster/text-bytes.ts';
import { pcg32 } from '../../../src/core/rng.ts';
import { aRedisConfig } from '../../support/a-shared-store.ts';

describe('keys', () => {
  it('share one hash tag, whatever scopes and names are called', () => {
    const keys = createKeys('prod', 0);
    const all = [
      keys.words,
      keys.changes,
      keys.peers,
      keys.revision,
      keys.revisions,
      keys.peer('a}{b'),
      keys.registers('{chat}'),
      keys.lease('x'),
      keys.token('x'),
    ];
    // A Cluster hashes what stands between the first { and the first } after it.
    expect(all.map((key) => /\{(.*?)\}/.exec(key)?.[1])).toEqual(all.map(() => 'prod'));
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('an envelope', () => {
  const word = fc.record({ channel: fc.string({ unit: 'binary' }), text: fc.string({ unit: 'binary' }) });
  const envelope = fc.record({
    from: fc.string(),
    epoch: fc.string(),
    seq: fc.nat(),
    about: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
    isFarewell: fc.boolean(),
    words: fc.array(word, { maxLength: 5 }),
  });

  it('is read as it was written', () => {
    fc.assert(
      fc.property(envelope, (written) => {
        expect(decodeEnvelope(encodeEnvelope(written))).toEqual(written);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('is not read from anything else, and nothing throws', () => {
    fc.assert(
      fc.property(envelope, fc.nat(), fc.string(), (written, at, noise) => {
        const text = encodeEnvelope(written);
        const cut = at % text.length;
        const read = decodeEnvelope(text.slice(0, cut) + noise + text.slice(cut + noise.length));
        if (read !== undefined) expect(typeof read.from).toBe('string');
      }),
      { seed: 2, numRuns: 500 },
    );
    for (const text of [
      '',
      '\n',
      'null\n',
      '[]\n',
      '5\n',
      '{"from":"a","epoch":"e","seq":1}\n',
      '{"from":"a","epoch":"e","seq":1,"words":[["c",-1]]}\n',
      '{"from":"a","epoch":"e","seq":1,"words":[["c",2]]}\nabc',
      '{"from":"a","epoch":"e","seq":1,"about":5,"words":[]}\n',
    ])
      expect(decodeEnvelope(text)).toBeUndefined();
  });
});

describe('the outbox', () => {
  it('gives words in order, as many as fit into a message, at least one', () => {
    const outbox = new Outbox(100_000);
    for (const text of ['x'.repeat(500), 'b', 'c']) outbox.add('chat', text);
    expect(outbox.take(100).map(({ text }) => text.length)).toEqual([500]);
    expect(outbox.take(40).map(({ text }) => text)).toEqual(['b']);
    expect(outbox.take(1000).map(({ text }) => text)).toEqual(['c']);
    expect(outbox.take(1000)).toEqual([]);
    expect(outbox.isEmpty).toBe(true);
  });

  it('takes no more bytes than it may, and counts what it drops', () => {
    const outbox = new Outbox(1000);
    for (let index = 0; index < 100; index += 1) outbox.add('chat', 'x'.repeat(64));
    // 64 bytes, the channel's 4, and 32 for its place in the head.
    expect(outbox.droppedTotal).toBe(90);
    expect(outbox.take(10_000)).toHaveLength(10);
    outbox.add('chat', 'again');
    outbox.clear();
    expect(outbox.droppedTotal).toBe(91);
    outbox.add('chat', 'again');
    expect(outbox.take(10_000)).toHaveLength(1);
  });
});

describe('a mirror', () => {
  const register = (version: number, value: string, deletedAtMs = 0) => ({
    key: 'n1',
    version,
    value,
    deletedAtMs,
  });

  it('keeps the higher version, and at the same version the greater value in bytes', () => {
    const mirror = new Mirror();
    expect(mirror.take('chat', register(2, 'b'))).toBe(true);
    expect(mirror.take('chat', register(1, 'z'))).toBe(false);
    expect(mirror.take('chat', register(2, 'b'))).toBe(false);
    expect(mirror.take('chat', register(2, 'a'))).toBe(false);
    expect(mirror.take('chat', register(2, 'c'))).toBe(true);
    expect(mirror.take('chat', register(3, ''))).toBe(true);
    expect(mirror.get('chat', 'n1')).toEqual(register(3, ''));
    expect(mirror.scope('other').size).toBe(0);
  });

  it('comes to the same end in whatever order it hears', () => {
    const heard = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.string()), { minLength: 1 });
    fc.assert(
      fc.property(heard, (changes) => {
        const [forth, back] = [new Mirror(), new Mirror()];
        for (const [version, value] of changes) forth.take('s', register(version, value));
        for (const [version, value] of changes.toReversed()) back.take('s', register(version, value));
        expect(forth.get('s', 'n1')).toEqual(back.get('s', 'n1'));
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it('orders by bytes, not by what a language takes for a letter', () => {
    expect(compareBytes('\u{1f600}', '\uff5e')).toBeGreaterThan(0);
    expect(stands(register(1, 'é'), register(1, 'z'))).toBe(true);
    expect(stands(register(1, 'Z'), register(1, 'a'))).toBe(false);
  });

  it('tells what a store lacks, and forgets what was deleted a day ago', () => {
    const mirror = new Mirror();
    mirror.take('chat', register(2, '', 1000));
    mirror.take('chat', { ...register(5, 'x'), key: 'n2' });
    const stored = new Map([['n2', { key: 'n2', version: 5, value: 'x' }]]);
    expect(mirror.missingIn('chat', stored).map(({ key }) => key)).toEqual(['n1']);
    mirror.forget('chat', 1000 + defaultLimits.deletedForMs);
    expect(mirror.scope('chat').size).toBe(2);
    mirror.forget('chat', 1001 + defaultLimits.deletedForMs);
    expect([...mirror.scope('chat').keys()]).toEqual(['n2']);
  });
});

describe('the peer book', () => {
  const said = (epoch: string, about?: string) => ({ id: 'a', epoch, about });

  it('tells of a peer that is new, has another life or describes itself otherwise', () => {
    const book = new PeerBook();
    expect(book.heard(said('e1'), 0)).toEqual({ id: 'a', epoch: 'e1', about: '', ageMs: 0 });
    expect(book.hasUndescribed).toBe(true);
    expect(book.heard(said('e1'), 10)).toBeUndefined();
    expect(book.heard(said('e1', '{}'), 20)).toMatchObject({ about: '{}' });
    expect(book.hasUndescribed).toBe(false);
    expect(book.heard(said('e1', '{}'), 30)).toBeUndefined();
    expect(book.heard(said('e2'), 40)).toMatchObject({ epoch: 'e2', about: '{}' });
    expect(book.list(100)).toEqual([{ id: 'a', epoch: 'e2', about: '{}', ageMs: 60 }]);
  });

  it('is brought back by no word of a life that is over', () => {
    const book = new PeerBook();
    book.heard(said('e1', ''), 0);
    book.heard(said('e2', ''), 1);
    expect(book.heard(said('e1', 'late'), 2)).toBeUndefined();
    expect(book.left('a', 'e1', 3)).toBeUndefined();
    expect(book.left('a', 'e2', 3)).toMatchObject({ epoch: 'e2' });
    expect(book.heard(said('e2', 'late'), 4)).toBeUndefined();
    expect(book.heard(said('e3', ''), 5)).toMatchObject({ epoch: 'e3' });
  });

  it('takes out who is silent, who may come back', () => {
    const book = new PeerBook();
    book.heard(said('e1', ''), 0);
    book.heard({ id: 'b', epoch: 'e', about: '' }, 50);
    expect(book.takeSilent(50, 60)).toEqual([{ id: 'a', epoch: 'e1', about: '', ageMs: 60 }]);
    expect(book.heard(said('e1', ''), 70)).toMatchObject({ id: 'a' });
  });

  it('remembers a bounded number of lives', () => {
    const book = new PeerBook();
    for (let life = 0; life < 1000; life += 1) book.heard(said(`e${life}`, ''), life);
    expect(book.isPast('a', 'e998')).toBe(true);
    expect(book.isPast('a', 'e10')).toBe(false);
  });
});

describe('the pause before another attempt', () => {
  it('doubles up to its limit, and is never more or less than half by chance', () => {
    const rng = pcg32(5);
    const bounds = { firstMs: 100, maxMs: 2000 };
    for (const [failures, fullMs] of [
      [1, 100],
      [2, 200],
      [5, 1600],
      [6, 2000],
      [1000, 2000],
    ] as const) {
      const pauses = Array.from({ length: 200 }, () => pauseMs(failures, bounds, rng));
      expect(Math.min(...pauses)).toBeGreaterThanOrEqual(fullMs / 2);
      expect(Math.max(...pauses)).toBeLessThanOrEqual(fullMs);
      expect(new Set(pauses).size).toBeGreaterThan(100);
    }
  });
});

describe('a name by chance', () => {
  it('is another one each time, and fits where names go', () => {
    const rng = pcg32(9);
    const ids = Array.from({ length: 1000 }, () => chanceId(rng));
    expect(new Set(ids).size).toBe(1000);
    expect(ids.every((id) => /^[A-Za-z0-9._:-]{1,64}$/.test(id))).toBe(true);
  });
});

describe('a fault', () => {
  const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' });
  const network = (code: string) => Object.assign(new Error(`connect ${code} 10.0.0.1:6379`), { code });

  it.each([
    [reply('WRONGPASS invalid username-password pair or user is disabled.'), 'refused', 'WRONGPASS'],
    [reply('NOAUTH HELLO must be called with the client already authenticated'), 'refused', 'NOAUTH'],
    [reply("NOPERM this user has no permissions to run the 'evalsha' command"), 'refused', "'evalsha'"],
    [
      reply("READONLY You can't write against a read only replica. script: 9, on @user_script:6."),
      'away',
      'READONLY',
    ],
    [
      reply('ERR Error running script (call to f_1): @user_script:1: -OOM command not allowed'),
      'limited',
      'OOM',
    ],
    [reply('LOADING Redis is loading the dataset in memory'), 'away', 'LOADING'],
    [reply('MISCONF Redis is configured to save RDB snapshots'), 'limited', 'MISCONF'],
    [reply('MASTERDOWN Link with MASTER is down'), 'away', 'MASTERDOWN'],
    [reply('CLUSTERDOWN Hash slot not served'), 'away', 'CLUSTERDOWN'],
    [reply('MOVED 3999 127.0.0.1:6381'), 'refused', '`cluster`'],
    [reply('ERR max number of clients reached'), 'away', 'maxclients'],
    [reply("ERR unknown command 'EVALSHA'"), 'refused', 'Redis 6'],
    [reply('ERR something new\nand more'), 'limited', 'it says: ERR something new'],
    [network('ECONNREFUSED'), 'away', 'refuses connections'],
    [network('ECONNRESET'), 'away', 'was reset'],
    [network('ENOTFOUND'), 'away', 'cannot be resolved'],
    [network('EHOSTUNREACH'), 'away', 'EHOSTUNREACH'],
    [network('SELF_SIGNED_CERT_IN_CHAIN'), 'refused', 'TLS fails'],
    [new Error('Unknown RESP type 72 "H". Please report this.'), 'refused', 'protocol of Redis'],
    ['not even an error', 'away', 'not even an error'],
  ])('tells what to do about %s', (error, kind, part) => {
    const fault = faultOf(error);
    expect(fault.kind).toBe(kind);
    expect(fault.reason).toContain(part);
    expect(fault.reason).not.toContain('\n');
  });
});

describe('figures and names', () => {
  it('counts the bytes of a command as they are sent', () => {
    expect(commandBytes(['GET', 'é'])).toBe(Buffer.byteLength('*2\r\n$3\r\nGET\r\n$2\r\né\r\n'));
    const long = 'x'.repeat(1000);
    expect(commandBytes(['SET', 'k', long])).toBe(
      `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000\r\n${long}\r\n`.length,
    );
  });

  it('calls Redis by its address, without any secret', () => {
    const addresses = [
      { host: '10.0.0.1', port: 1 },
      { host: 'fd00::1', port: 2 },
    ];
    const secret = { username: 'u', password: 'hunter2' };
    const tls = { ca: undefined, cert: undefined, key: undefined };
    expect(addressOf(aRedisConfig(6379, { ...secret, tls }))).toBe('rediss://127.0.0.1:6379');
    expect(addressOf(aRedisConfig(1, { servers: { kind: 'sentinel', addresses, masterName: 'main' } }))).toBe(
      'Redis main behind the Sentinels 10.0.0.1:1, [fd00::1]:2',
    );
    expect(addressOf(aRedisConfig(1, { servers: { kind: 'cluster', addresses } }))).toBe(
      'Redis Cluster 10.0.0.1:1, [fd00::1]:2',
    );
  });
});
