// What clients may ask for at most, and what they hear past it: on real sockets, with nothing left behind.
import { describe, expect, it } from 'vitest';
import { startHttpNode } from '../../support/http-node.ts';
import { startProxy } from '../../support/proxy.ts';
import { RawClient, upgradeText } from '../../support/raw-client.ts';
import { answering, startRawNode, switching } from '../../support/raw-node.ts';
import { until } from '../../support/until.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const retryLater = /\r\nRetry-After: [1-5]\r\n/;

describe('a listener that is full', () => {
  it('answers 503 at once, and takes the next when one has left, tunnels and kept-alive ones alike', async () => {
    const node = await startRawNode('a', (socket, text) => {
      if (text.endsWith('\r\n\r\n')) socket.write(text.includes('websocket') ? switching : ok);
    });
    const proxy = await startProxy({ nodes: [node], limits: { connections: 2 } });
    const tunnel = new RawClient(proxy.port).send(upgradeText());
    await tunnel.heard('101 Switching');
    const kept = new RawClient(proxy.port).send(get);
    await kept.heard('\r\n\r\nok');
    const refused = await new RawClient(proxy.port).send(upgradeText()).over();
    expect(refused).toMatch(/^HTTP\/1\.1 503 [^]*"code":"HERALD_LISTENER_FULL"/);
    expect(refused).toMatch(retryLater);
    for (const leaving of [tunnel, kept]) {
      leaving.socket.destroy();
      const next = await untilServed(proxy.port);
      next.socket.destroy();
    }
    await proxy.finish();
  });

  it('resets without a word who comes while a thousand are being told', async () => {
    const proxy = await startProxy({ limits: { connections: 1 } });
    const first = new RawClient(proxy.port);
    await until(
      () => proxy.listener.openCount === 1,
      () => 'the first was not accepted',
    );
    const clients = Array.from({ length: 1_010 }, () => new RawClient(proxy.port));
    await until(
      () => clients.every(({ isOver }) => isOver),
      () => 'not every client was refused',
    );
    const told = clients.filter(({ received }) => received.includes('503')).length;
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThanOrEqual(1_010);
    expect(proxy.told).toHaveLength(1_010);
    for (const client of [first, ...clients]) client.socket.destroy();
    await proxy.finish();
  });
});

/** Asks again until a place has become free: the proxy hears of an end a moment after its client. */
async function untilServed(port: number): Promise<RawClient> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const client = new RawClient(port).send(get);
    await until(
      () => /\r\n\r\nok|503/.test(client.received),
      () => `received ${client.received}`,
    );
    if (client.received.startsWith('HTTP/1.1 200')) return client;
    client.socket.destroy();
  }
  throw new Error('no place has become free');
}

describe('an address with all its connections', () => {
  it('is answered 429', async () => {
    const node = await startRawNode('a', answering(switching));
    const proxy = await startProxy({ nodes: [node], limits: { connectionsPerAddress: 1 } });
    const tunnel = new RawClient(proxy.port).send(upgradeText());
    await tunnel.heard('101 Switching');
    const refused = await new RawClient(proxy.port).send(get).over();
    expect(refused).toMatch(/^HTTP\/1\.1 429 Too Many Requests\r\n[^]*"code":"HERALD_ADDRESS_FULL"/);
    expect(refused).toMatch(retryLater);
    tunnel.socket.destroy();
    await proxy.finish();
  });

  it('is the forwarded one behind a trusted proxy, for tunnels and requests', async () => {
    const node = await startRawNode('a', (socket, text) => {
      if (text.includes('websocket')) answering(switching)(socket, text);
    });
    const proxy = await startProxy({
      nodes: [node],
      limits: { connectionsPerAddress: 1 },
      trusted: (address) => address.startsWith('127.') || address === '192.0.2.7',
    });
    const from = (chain: string) => `X-Forwarded-For: ${chain}\r\n`;
    const tunnel = new RawClient(proxy.port).send(upgradeText('/', from('6.6.6.6, 198.51.100.1, 192.0.2.7')));
    await tunnel.heard('101 Switching');
    const poll = new RawClient(proxy.port).send(get.replace('Host', `${from('198.51.100.2')}Host`));
    await until(
      () => proxy.placement.unsettled === 2,
      () => 'the poll has not been placed',
    );
    const refused = [
      upgradeText('/', from('198.51.100.1')),
      get.replace('Host', `${from('198.51.100.2')}Host`),
    ];
    expect(await new RawClient(proxy.port).send(refused[0] ?? '').heard('HERALD_ADDRESS_FULL')).toMatch(
      /^HTTP\/1\.1 101 /,
    );
    expect(await new RawClient(proxy.port).send(refused[1] ?? '').heard('HERALD_ADDRESS_FULL')).toMatch(
      /^HTTP\/1\.1 429 /,
    );
    const other = new RawClient(proxy.port).send(upgradeText('/', from('198.51.100.3')));
    await other.heard('101 Switching');
    for (const client of [tunnel, poll, other]) client.socket.destroy();
    await proxy.listener.stop();
    await node.close();
  });
});

describe('a request', () => {
  it('with a longer head than the limit is answered 431', async () => {
    const proxy = await startProxy({ limits: { headBytes: 4_096 } });
    const field = `X: ${'y'.repeat(5_000)}\r\n`;
    for (const text of [upgradeText('/', field), get.replace('Host', `${field}Host`)])
      expect(await new RawClient(proxy.port).send(text).over()).toMatch(
        /^HTTP\/1\.1 431 [^]*may have 4096 bytes/,
      );
    await proxy.finish();
  });

  it('with a longer body than the limit is answered 413, announced or not', async () => {
    const node = await startRawNode('a', () => {});
    const proxy = await startProxy({ nodes: [node], limits: { bodyBytes: 1_024 } });
    const post = 'POST / HTTP/1.1\r\nHost: a\r\n';
    const announced = `${post}Content-Length: 2000\r\n\r\n`;
    const chunked = `${post}Transfer-Encoding: chunked\r\n\r\n7d0\r\n${'y'.repeat(2_000)}\r\n`;
    for (const text of [announced, chunked]) {
      const answer = await new RawClient(proxy.port).send(text).over();
      expect(answer).toMatch(/^HTTP\/1\.1 413 [^]*"code":"HERALD_BODY_TOO_LARGE"/);
      expect(answer).toContain('\r\nConnection: close\r\n');
    }
    await proxy.finish();
  });

  it('whose body drips is answered 408, and the node is let go', async () => {
    const node = await startRawNode('a', () => {});
    const proxy = await startProxy({ nodes: [node], timeouts: { requestIdleMs: 300 } });
    const client = new RawClient(proxy.port).send(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n',
    );
    for (let i = 0; i < 1_000 && !client.isOver; i++) {
      client.send('y');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(await client.over()).toMatch(/^HTTP\/1\.1 408 [^]*HERALD_REQUEST_TIMEOUT/);
    await proxy.finish();
    expect(proxy.placement.leases).toMatchObject([{ settled: 'released' }]);
  });
});

describe('a client that reads nothing of its answer', () => {
  it('is reset after the time, and the node is let go', async () => {
    const node = await startHttpNode('a', (_request, response) => {
      const chunk = Buffer.alloc(64 * 1024);
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', more);
      more();
    });
    const proxy = await startProxy({ nodes: [node], timeouts: { stallMs: 200 } });
    const client = new RawClient(proxy.port);
    client.socket.pause();
    client.send(get);
    await until(
      () => proxy.told.includes('stalled'),
      () => 'the client was not given up',
    );
    client.socket.resume();
    await client.over();
    await proxy.finish();
    expect(proxy.told).toEqual(['stalled']);
  });
});
