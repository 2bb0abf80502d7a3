// The gateway on real sockets: upgrades that succeed, upgrades that are tried again, refusals.
import { describe, expect, it } from 'vitest';
import { startProxy } from '../../support/proxy.ts';
import { RawClient, upgradeText } from '../../support/raw-client.ts';
import { answering, startRawNode, switching } from '../../support/raw-node.ts';
import { until } from '../../support/until.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('an upgrade', () => {
  it('reaches the node with our account of the client, and bytes pass both ways', async () => {
    const node = await startRawNode('a', answering(switching));
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port).send(
      upgradeText('/room?id=1', 'X-Forwarded-For: 6.6.6.6\r\nX: y\r\n'),
    );
    expect(await client.heard('\r\n\r\n')).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    await client.send('hello').heard('echo:hello;');
    expect(node.received[0]).toContain('GET /room?id=1 HTTP/1.1\r\nHost: chat.example\r\n');
    expect(node.received[0]).toContain('\r\nX: y\r\n');
    expect(node.received[0]).toContain('\r\nX-Forwarded-For: 127.0.0.1\r\n');
    expect(node.received[0]).toContain('\r\nForwarded: for=127.0.0.1;host="chat.example";proto=http\r\n');
    expect(node.received[0]).not.toContain('6.6.6.6');
    expect(proxy.placement.leases[0]).toMatchObject({ isOpened: true, settled: 'no' });
    client.socket.end();
    await client.over();
    await proxy.finish();
    expect(proxy.placement.leases[0]).toMatchObject({ settled: 'released' });
  });

  it('that comes in two segments is recognised, one in many goes by node:http, and both are served', async () => {
    const node = await startRawNode('a', answering(switching));
    const proxy = await startProxy({ nodes: [node] });
    for (const cut of [30, 5]) {
      const text = upgradeText('/cut');
      const client = new RawClient(proxy.port);
      for (let at = 0; at < text.length; at += cut) {
        client.send(text.slice(at, at + cut));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await client.heard('Sec-WebSocket-Accept');
      await client.send('hi').heard('echo:hi;');
      client.socket.destroy();
    }
    await proxy.finish();
  });

  it('that is valid but not canonical is served by way of node:http', async () => {
    const node = await startRawNode('a', answering(switching));
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port).send(`\r\n${upgradeText('/odd')}early`);
    await client.heard('echo:early;');
    expect(node.received[0]).toContain('GET /odd HTTP/1.1');
    client.socket.destroy();
    await proxy.finish();
  });

  it('follows an ordinary request on the same connection', async () => {
    const node = await startRawNode('a', (socket, text) => {
      if (text.includes('/plain')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      else answering(switching)(socket, text);
    });
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port).send('GET /plain HTTP/1.1\r\nHost: chat.example\r\n\r\n');
    await client.heard('\r\n\r\nok');
    await client.send(upgradeText()).heard('101 Switching');
    client.socket.destroy();
    await proxy.finish();
  });

  it('keeps what the client sends before the 101 and gives it to the node after', async () => {
    const node = await startRawNode('a', answering(switching));
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port).send(`${upgradeText()}first`);
    await client.heard('echo:first;');
    client.socket.destroy();
    await proxy.finish();
  });

  it('holds a client back that sends much before the 101, and loses nothing', async () => {
    const later: { answer?: () => void } = {};
    const much = `${'0123456789'.repeat(2_000_000)}!`;
    const node = await startRawNode('a', (socket, text) => {
      if (text.length > much.length) socket.write('done');
      else if (later.answer === undefined && text.endsWith('\r\n\r\n'))
        later.answer = () => void socket.write(switching);
    });
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port).send(upgradeText());
    await until(
      () => later.answer !== undefined,
      () => 'no request at the node',
    );
    client.send(much);
    // Until nothing moves any more: what is left then waits for the node's answer.
    let left = -1;
    while (left !== client.socket.writableLength) {
      left = client.socket.writableLength;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(left).toBeGreaterThan(0);
    later.answer?.();
    await client.heard('done');
    expect(node.received[0]?.slice(-much.length) === much).toBe(true);
    client.socket.destroy();
    await proxy.finish();
  });

  it('passes what the node sends in one piece with its 101', async () => {
    const node = await startRawNode('a', answering(`${switching}welcome`));
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port).send(upgradeText());
    expect(await client.heard('welcome')).toMatch(/\r\n\r\nwelcome$/);
    client.socket.destroy();
    await proxy.finish();
  });

  it('skips interim answers before the 101', async () => {
    const node = await startRawNode(
      'a',
      answering(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${switching}`),
    );
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port).send(upgradeText());
    expect(await client.heard('\r\n\r\n')).toMatch(/^HTTP\/1\.1 101 /);
    client.socket.destroy();
    await proxy.finish();
  });
});

describe('a refusal', () => {
  it('for want of a node lets a WebSocket in and closes it with 1013 and a hint', async () => {
    const proxy = await startProxy();
    const client = new RawClient(proxy.port).send(
      upgradeText('/', 'Sec-WebSocket-Protocol: chat, superchat\r\n'),
    );
    const answer = await client.over();
    expect(answer).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n');
    expect(answer).toContain('Sec-WebSocket-Protocol: chat\r\n');
    const frame = Buffer.from(answer.slice(answer.indexOf('\r\n\r\n') + 4), 'latin1');
    expect(frame[0]).toBe(0x88);
    expect(frame.readUInt16BE(2)).toBe(1013);
    expect(frame.subarray(4).toString()).toMatch(/^HERALD_NO_NODE retry-ms=[1-5]\d{3}$/);
    expect(proxy.told).toEqual(['HERALD_NO_NODE']);
    await proxy.finish();
  });

  it('for want of a route is problem+json', async () => {
    const proxy = await startProxy({ route: (host, path) => (host === 'other' ? path : undefined) });
    const answer = await new RawClient(proxy.port).send(upgradeText('/x?secret=1')).over();
    expect(answer).toMatch(/^HTTP\/1\.1 404 Not Found\r\nContent-Type: application\/problem\+json\r\n/);
    expect(answer).toContain('"code":"HERALD_ROUTE_UNKNOWN"');
    expect(answer).not.toContain('secret');
    await proxy.finish();
  });

  it('for want of a node is a stream with a retry time for an EventSource, 503 for everything else', async () => {
    const proxy = await startProxy();
    const stream = new RawClient(proxy.port);
    stream.send('GET / HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n');
    expect(await stream.over()).toMatch(
      /^HTTP\/1\.1 200 OK\r\nContent-Type: text\/event-stream[^]*\nretry: [1-5]\d{3}\n\n/,
    );
    const plain = new RawClient(proxy.port).send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await plain.over()).toMatch(
      /^HTTP\/1\.1 503 [^]*\r\nRetry-After: [2-5]\r\n[^]*"code":"HERALD_NO_NODE"/,
    );
    await proxy.finish();
  });
});

describe('stopping', () => {
  it('to accept closes idle connections at once and others with their answer, and takes no new ones', async () => {
    const later: { answer: () => void } = { answer: () => {} };
    const node = await startRawNode('a', (socket, text) => {
      if (text.includes('/slow')) later.answer = () => void socket.write(ok);
      else socket.write(ok);
    });
    const proxy = await startProxy({ nodes: [node] });
    const idle = new RawClient(proxy.port).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await idle.heard('\r\n\r\nok');
    const busy = new RawClient(proxy.port).send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(
      () => node.received.join('').includes('/slow'),
      () => 'no slow request at the node',
    );
    await proxy.listener.stopAccepting();
    await idle.over();
    expect(busy.isOver).toBe(false);
    later.answer();
    expect(await busy.over()).toMatch(/Connection: close[^]*ok$/);
    const refused = new RawClient(proxy.port);
    expect(await refused.over()).toBe('');
    await proxy.finish();
  });

  it('ends heads, handshakes and tunnels, and settles their leases', async () => {
    const silent = await startRawNode('silent', () => {});
    const proxy = await startProxy({ nodes: [silent] });
    const idle = new RawClient(proxy.port).send('GET / HT');
    const waiting = new RawClient(proxy.port).send(upgradeText());
    const poll = new RawClient(proxy.port).send('GET /poll HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(
      () => silent.received.filter((text) => text.endsWith('\r\n\r\n')).length === 2,
      () => 'not both requests at the node',
    );
    await proxy.listener.stop();
    await Promise.all([idle.over(), waiting.over(), poll.over()]);
    await proxy.finish();
  });
});
