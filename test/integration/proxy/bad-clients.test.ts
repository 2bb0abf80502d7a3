// Clients that are slow, cut off, too large, too many, or gone: on real sockets, with nothing left behind.
import { describe, expect, it } from 'vitest';
import { startProxy } from '../../support/proxy.ts';
import { RawClient, upgradeText } from '../../support/raw-client.ts';
import { answering, startRawNode, switching } from '../../support/raw-node.ts';
import { until } from '../../support/until.ts';

const big = (bytes: number): string => `X: ${'y'.repeat(bytes)}\r\n`;

async function drip(client: RawClient, text: string): Promise<string> {
  for (const byte of text) {
    if (client.isOver) break;
    client.send(byte);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return client.over();
}

describe('a head', () => {
  it('that never ends is answered 408, byte by byte', async () => {
    const proxy = await startProxy({ timeouts: { headMs: 200 } });
    const endless = `GET / HTTP/1.1\r\nHost: a\r\n${big(5_000)}`;
    expect(await drip(new RawClient(proxy.port), endless)).toMatch(
      /^HTTP\/1\.1 408 [^]*HERALD_REQUEST_TIMEOUT/,
    );
    await proxy.finish();
  });

  it('that stops within its first read is answered 408', async () => {
    const proxy = await startProxy({ timeouts: { headMs: 100 } });
    expect(await new RawClient(proxy.port).send('GET / HTTP/1.1\r\nHo').over()).toMatch(/^HTTP\/1\.1 408 /);
    expect(await new RawClient(proxy.port).send('POST / HTTP/1.1\r\nHo').over()).toMatch(/^HTTP\/1\.1 408 /);
    await proxy.finish();
  });

  it('that never begins ends without a word', async () => {
    const proxy = await startProxy({ timeouts: { headMs: 50 } });
    expect(await new RawClient(proxy.port).over()).toBe('');
    expect(proxy.told).toEqual([]);
    await proxy.finish();
  });

  it('that is too slow on a connection kept alive is answered 408, too', async () => {
    const node = await startRawNode('a', answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    const proxy = await startProxy({ nodes: [node], timeouts: { headMs: 200 } });
    const client = new RawClient(proxy.port).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.heard('\r\n\r\nok');
    expect(await drip(client, `GET / HTTP/1.1\r\n${big(5_000)}`)).toContain('HTTP/1.1 408 ');
    await proxy.finish();
  });

  it('of more than 16 KiB is answered 431, whether it upgrades or not', async () => {
    const proxy = await startProxy();
    for (const text of [upgradeText('/', big(17_000)), `GET / HTTP/1.1\r\nHost: a\r\n${big(40_000)}\r\n`])
      expect(await new RawClient(proxy.port).send(text).over()).toMatch(
        /^HTTP\/1\.1 431 [^]*HERALD_HEAD_TOO_LARGE/,
      );
    await proxy.finish();
  });

  it('that ends by FIN halfway is answered 400', async () => {
    const proxy = await startProxy();
    for (const text of ['GET / HTTP/1.1\r\nHost: a\r\n', 'POST / HTTP/1.1\r\nHost: a\r\n']) {
      const client = new RawClient(proxy.port).send(text);
      client.socket.end();
      expect(await client.over()).toMatch(/^HTTP\/1\.1 400 [^]*HERALD_REQUEST_INVALID/);
    }
    await proxy.finish();
  });
});

describe('a body', () => {
  it('that ends by FIN halfway cuts the request to the node', async () => {
    const node = await startRawNode('a', () => {});
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port).send(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf',
    );
    await until(
      () => node.received[0]?.endsWith('half') === true,
      () => `node got ${node.received[0]}`,
    );
    client.socket.end();
    await client.over();
    await proxy.finish();
    expect(proxy.placement.leases[0]?.settled).toBe('released');
  });

  it('that makes the node give up is not blamed on the node', async () => {
    const node = await startRawNode('a', (socket, text) => {
      if (text.endsWith('half')) socket.resetAndDestroy();
    });
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port).send(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf',
    );
    await client.heard('HERALD_DIAL_FAILED');
    expect(proxy.told).toEqual(['a: local', 'HERALD_DIAL_FAILED']);
    client.socket.destroy();
    await proxy.finish();
  });

  it('that stands still ends with the idle time', async () => {
    const node = await startRawNode('a', () => {});
    const proxy = await startProxy({ nodes: [node], timeouts: { requestIdleMs: 200 } });
    const client = new RawClient(proxy.port).send(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf',
    );
    expect(await client.over()).toMatch(/^HTTP\/1\.1 408 [^]*HERALD_REQUEST_TIMEOUT/);
    await proxy.finish();
  });
});

describe('a flood', () => {
  it('of upgrades is served, and leaves no lease and no socket', async () => {
    const node = await startRawNode('a', answering(switching));
    const proxy = await startProxy({ nodes: [node] });
    const clients = Array.from({ length: 300 }, () => new RawClient(proxy.port).send(upgradeText()));
    await Promise.all(clients.map((client) => client.heard('101 Switching')));
    expect(proxy.placement.unsettled).toBe(300);
    for (const [index, client] of clients.entries()) {
      if (index % 2 === 0) client.reset();
      else client.socket.end();
    }
    await Promise.all(clients.map((client) => client.over()));
    await proxy.finish();
    await until(
      () => node.openSockets === 0,
      () => `${node.openSockets} sockets at the node`,
    );
  });

  it('of upgrades that nobody can take is refused, and leaves nothing', async () => {
    const proxy = await startProxy();
    const clients = Array.from({ length: 300 }, () => new RawClient(proxy.port).send(upgradeText()));
    for (const client of clients) expect(await client.over()).toContain('HERALD_NO_NODE');
    await proxy.finish();
  });
});

describe('a client that resets', () => {
  it('before its head has ended leaves nothing', async () => {
    const proxy = await startProxy();
    const client = new RawClient(proxy.port).send('GET / HTTP/1.1\r\n');
    await until(
      () => proxy.listener.openCount === 1,
      () => 'the proxy has not accepted',
    );
    client.reset();
    await proxy.finish();
  });

  it('while the node is dialled releases the lease and aborts the dial', async () => {
    const node = await startRawNode('a', () => {});
    const proxy = await startProxy({ nodes: [node], hangingLookup: true });
    const client = new RawClient(proxy.port).send(upgradeText());
    await until(
      () => proxy.placement.unsettled === 1,
      () => 'nothing placed',
    );
    client.reset();
    await proxy.finish();
    expect(proxy.placement.leases).toMatchObject([{ isOpened: false, settled: 'released' }]);
    expect(node.received).toEqual([]);
  });

  it('during the handshake releases the lease and closes the node', async () => {
    const node = await startRawNode('a', () => {});
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port).send(upgradeText());
    await until(
      () => node.received[0]?.endsWith('\r\n\r\n') === true,
      () => 'no request at the node',
    );
    client.reset();
    await proxy.finish();
    expect(proxy.placement.leases).toMatchObject([{ isOpened: false, settled: 'released' }]);
    expect(proxy.told).toEqual([]);
  });

  it('after the 101 ends the tunnel', async () => {
    const node = await startRawNode('a', answering(switching));
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port).send(upgradeText());
    await client.heard('101 Switching');
    client.reset();
    await proxy.finish();
    expect(proxy.placement.leases).toMatchObject([{ isOpened: true, settled: 'released' }]);
  });

  it('while a refused upgrade is passed on ends the answer', async () => {
    const node = await startRawNode('a', answering('HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nhalf'));
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port).send(upgradeText());
    await client.heard('half');
    client.reset();
    await proxy.finish();
  });

  it('while a forwarded request waits, or its answer streams, ends the exchange', async () => {
    const node = await startRawNode('a', (socket, text) => {
      if (text.includes('/stream'))
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n');
    });
    const proxy = await startProxy({ nodes: [node] });
    const waiting = new RawClient(proxy.port).send('GET /wait HTTP/1.1\r\nHost: a\r\n\r\n');
    const streaming = new RawClient(proxy.port).send('GET /stream HTTP/1.1\r\nHost: a\r\n\r\n');
    await streaming.heard('hi');
    await until(
      () => node.received.length === 2,
      () => 'the node has not both requests',
    );
    waiting.reset();
    streaming.reset();
    await proxy.finish();
    expect(proxy.placement.leases).toMatchObject([{ settled: 'released' }, { settled: 'released' }]);
    expect(proxy.told).toEqual([]);
  });
});
