// StatsD over real UDP. Loopback may drop datagrams when the receiver is slow, so floods are sent in steps.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { createSources } from '../../../src/agent/sources/sources.ts';
import {
  maxBytesPerSecond,
  maxDatagramBytes,
  maxDatagramsPerSecond,
} from '../../../src/agent/sources/statsd-server.ts';
import { HeraldError } from '../../../src/core/error.ts';
import type { SourceConfig } from '../../../src/policy/agent-config.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/until.ts';
import { intervalMs, type SourcesRoom, startSources } from './sources-room.ts';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

interface StatsdRoom extends SourcesRoom {
  /** Sends datagrams, a few at a time, each few taken before the next. */
  send(...datagrams: (string | Buffer)[]): Promise<void>;
}

const aStatsd = (name: string, as: 'gauge' | 'rate', more: object = {}): SourceConfig => ({
  kind: 'statsd',
  name,
  as,
  scale: 1,
  maxAgeMs: 10_000,
  ...more,
});

async function aRoom(
  sources: Readonly<Record<string, SourceConfig>>,
  host = '127.0.0.1',
): Promise<StatsdRoom> {
  const room = await startSources(sources, { statsdBind: { host, port: 0 } });
  cleanups.push(() => room.sources.stop());
  const port = portOf(room.sources.statsdAddress);
  const sender = createSocket(host === '::1' ? 'udp6' : 'udp4');
  cleanups.push(() => sender.close());
  let sent = 0;
  return {
    ...room,
    async send(...datagrams) {
      for (const [index, datagram] of datagrams.entries()) {
        sender.send(datagram, port, host);
        sent += 1;
        // What waits must fit into the kernel's buffer for the socket, usually 200 KiB.
        const few = datagram.length > 1000 ? 4 : 20;
        if (sent % few === 0 || index === datagrams.length - 1) await received(room, sent);
      }
    },
  };
}

async function received(room: SourcesRoom, count: number): Promise<void> {
  const got = () => room.sources.stats.statsd?.datagrams;
  await until(
    () => got() === count,
    () => `${got()} of ${count} datagrams`,
  );
}

function portOf(address: string | undefined): number {
  return Number(address?.split(':').at(-1));
}

async function aBoundSocket(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  cleanups.push(() => socket.close());
  return socket;
}

const missing = (text: string) => ({ missing: expect.stringContaining(text) });

describe('StatsD signals', () => {
  it('share one socket and are told by counters, gauges and timers', async () => {
    const room = await aRoom({
      throughput: aStatsd('app.messages', 'rate'),
      queue: aStatsd('app.queue', 'gauge'),
      handleMs: aStatsd('app.handle', 'gauge'),
      handled: aStatsd('app.handle', 'rate'),
    });
    await room.send(
      'app.messages:3|c|@0.5\napp.messages:4|c\napp.queue:7|g|#env:prod',
      'app.queue:+2|g\napp.handle:10|ms\napp.handle:20|ms\n',
    );
    room.pass(2000);
    expect(room.read('throughput')).toEqual({ value: 5 });
    expect(room.read('queue')).toEqual({ value: 9 });
    expect(room.read('handleMs')).toEqual({ value: 15 });
    expect(room.read('handled')).toEqual({ value: 1 });
  });

  it('come over IPv6, too', async () => {
    const room = await aRoom({ s: aStatsd('x', 'gauge') }, '::1');
    await room.send('x:1|g');
    room.pass();
    expect(room.read()).toEqual({ value: 1 });
    expect(room.sources.statsdAddress).toMatch(/^\[::1\]:\d+$/);
  });

  it('that nobody sends are missing, with what came instead', async () => {
    const room = await aRoom({ s: aStatsd('x', 'rate') });
    await room.send('y:1|c\nz:1|c', 'garbage');
    room.pass();
    expect(room.read()).toEqual({
      missing: `statsd metric x: nothing has come yet: ${room.sources.statsdAddress} got 2 datagrams: 0 dropped past 20000 a second, 0 too long, 2 lines with other names, 1 not readable`,
    });
  });
});

describe('datagrams of no use', () => {
  it('are counted and change nothing', async () => {
    const room = await aRoom({ s: aStatsd('x', 'gauge') });
    const noise = Array.from({ length: 100 }, (_, index) => Buffer.alloc(1 + index * 7, index * 37));
    await room.send('x:4|g', ...noise, 'x', 'x:', 'x:|', 'x:NaN|g', 'x:1|c|@0', 'x:\u0000|g', '');
    room.pass();
    expect(room.read()).toEqual({ value: 4 });
  });

  it('with names nobody configured cost no memory and reach nobody', async () => {
    const room = await aRoom({ s: aStatsd('x', 'gauge') });
    const names = Array.from({ length: 500 }, (_, index) => `name${index}:9|g`);
    await room.send('x:4|g', ...names, '__proto__:1|g\nconstructor:1|c\nX:9|g\nx :9|g\nx.y:9|g');
    room.pass();
    expect(room.read()).toEqual({ value: 4 });
    expect(room.sources.stats.statsd).toMatchObject({ unknown: 505, malformed: 0 });
  });

  it('that are too long are dropped unread', async () => {
    const room = await aRoom({ s: aStatsd('x', 'gauge') });
    await room.send(`x:4|g\n${'y'.repeat(maxDatagramBytes)}`);
    room.pass();
    expect(room.read()).toEqual(missing('1 too long'));
    expect(room.sources.stats.statsd).toMatchObject({ oversized: 1, unknown: 0 });
  });
});

describe('a flood', () => {
  // The test's clock stands still, so all of it falls into one second.
  it('is read up to the limit; its span says nothing and the next one counts', async () => {
    const room = await aRoom({ s: aStatsd('x', 'rate') });
    const extra = 50;
    await room.send(...Array.from({ length: maxDatagramsPerSecond + extra }, () => 'x:1|c'));
    expect(room.sources.stats.statsd).toMatchObject({ flooded: extra });
    room.pass();
    expect(room.read()).toEqual(missing('flooded, so this span says nothing'));
    await room.send('x:5|c');
    room.pass();
    expect(room.read()).toEqual({ value: 5 });
  });

  it('of long datagrams is bounded by their bytes', async () => {
    const room = await aRoom({ s: aStatsd('x', 'rate') });
    const long = Buffer.alloc(maxDatagramBytes, 'y:1|c\n');
    const count = Math.floor(maxBytesPerSecond / maxDatagramBytes) + 3;
    await room.send(...Array.from({ length: count }, () => long));
    expect(room.sources.stats.statsd).toMatchObject({ flooded: 3 });
    room.pass();
    expect(room.read()).toEqual(missing('flooded'));
  });
});

describe('the socket', () => {
  it('that another process has is one clear error', async () => {
    const port = (await aBoundSocket()).address().port;
    const sources = createSources({
      clock: new ManualClock(),
      intervalMs,
      sources: [{ signal: 's', source: aStatsd('x', 'rate') }],
      statsdBind: { host: '127.0.0.1', port },
    });
    const error: unknown = await sources.open().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(HeraldError);
    expect(error).toMatchObject({
      code: 'HERALD_LISTEN_FAILED',
      message: `statsd cannot listen on 127.0.0.1:${port} (UDP): EADDRINUSE; another process has this port; free the port or choose another as statsd.bind`,
    });
    await sources.stop();
  });

  it('of an address that is not ours is an error, too', async () => {
    const sources = createSources({
      clock: new ManualClock(),
      intervalMs,
      sources: [],
      statsdBind: { host: '192.0.2.1', port: 0 },
    });
    await expect(sources.open()).rejects.toMatchObject({ code: 'HERALD_LISTEN_FAILED' });
  });

  it('is closed when the sources stop, and free again', async () => {
    const room = await startSources(
      { s: aStatsd('x', 'rate') },
      { statsdBind: { host: '127.0.0.1', port: 0 } },
    );
    const port = portOf(room.sources.statsdAddress);
    await room.sources.stop();
    await room.sources.stop();
    const again = createSocket('udp4');
    again.bind({ port, address: '127.0.0.1', exclusive: true });
    await once(again, 'listening');
    again.close();
  });

  it('that no configuration names is an error before anything is opened', () => {
    const sources = [{ signal: 's', source: aStatsd('x', 'rate') }];
    expect(() =>
      createSources({ clock: new ManualClock(), intervalMs, sources, statsdBind: undefined }),
    ).toThrow('s comes by statsd, but no address to listen on');
  });
});
