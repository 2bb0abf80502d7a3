// Requests that two parsers could read differently, byte for byte on the wire. None of them may reach a node
// in a form of which the node could make two requests, and each has one answer with a stable code.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startProxy, type TestProxy } from '../../support/proxy.ts';
import { RawClient, upgradeText } from '../../support/raw-client.ts';
import { answering, startRawNode, switching, type RawNode } from '../../support/raw-node.ts';
import { until } from '../../support/until.ts';

const post = 'POST /a HTTP/1.1\r\nHost: a\r\n';
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

const refused: readonly (readonly [string, string])[] = [
  ['CL.TE', `${post}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
  ['TE.CL', `${post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n${smuggled}\r\n0\r\n\r\n`],
  ['TE.TE with an unknown coding', `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ['chunked that is not the last coding', `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
  [
    'Transfer-Encoding twice',
    `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
  ],
  [
    'Transfer-Encoding in HTTP/1.0',
    'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['two different lengths', `${post}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`],
  ['two equal lengths', `${post}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`],
  ['a list of lengths', `${post}Content-Length: 5, 5\r\n\r\nhello`],
  ['a signed length', `${post}Content-Length: +5\r\n\r\nhello`],
  ['a folded field', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n'],
  ['bare LF between lines', 'GET / HTTP/1.1\nHost: a\n\n'],
  ['bare LF within a field', 'GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n'],
  ['bare CR within a field', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n'],
  ['NUL in a value', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n'],
  ['a control character in a value', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\x01b\r\n\r\n'],
  ['space before the colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n'],
  ['space before the colon of a coding', `${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
  ['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ['no Host', 'GET / HTTP/1.1\r\nX: a\r\n\r\n'],
  ['an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
  ['a Host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n'],
  ['absolute form', 'GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['CONNECT', 'CONNECT b:80 HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['an unknown version', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n'],
  ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00'],
  ['an upgrade with two Hosts', upgradeText('/', 'Host: b\r\n')],
  ['an upgrade with a length', upgradeText('/', 'Content-Length: 4\r\n')],
  ['an upgrade with chunks', `${upgradeText('/', 'Transfer-Encoding: chunked\r\n')}0\r\n\r\n`],
  ['an upgrade by POST', upgradeText().replace('GET', 'POST')],
  ['an upgrade in absolute form', upgradeText('http://b/')],
  ['an upgrade with a folded field', upgradeText('/', 'X: a\r\n b\r\n')],
  ['an upgrade with bare LF', upgradeText('/', 'X: a\nY: b\r\n')],
  ['an upgrade with NUL', upgradeText('/', 'X: a\0\r\n')],
  ['an upgrade with a space before a colon', upgradeText('/', 'X : a\r\n')],
];

describe('a request that could be read in two ways', () => {
  let node: RawNode;
  let proxy: TestProxy;

  beforeAll(async () => {
    node = await startRawNode('a', answering(switching));
    proxy = await startProxy({ nodes: [node] });
  });

  afterAll(async () => {
    await proxy.finish();
  });

  it.each(refused)('is refused with 400 and HERALD_REQUEST_INVALID: %s', async (_name, text) => {
    const answer = await new RawClient(proxy.port).send(text).over();
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('"code":"HERALD_REQUEST_INVALID"');
    expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
    expect(node.received).toEqual([]);
    await proxy.settled();
  });

  it('only in its chunks is refused when its head was sound, and its exchange is cut off', async () => {
    const text = `${post}Transfer-Encoding: chunked\r\n\r\n1;a\nX\r\n0\r\n\r\n${smuggled}`;
    expect(await new RawClient(proxy.port).send(text).over()).toMatch(
      /^HTTP\/1\.1 400 [^]*HERALD_REQUEST_INVALID/,
    );
    await proxy.settled();
    expect(node.received.join('')).not.toContain('X');
    expect(node.received.join('')).not.toContain('/smuggled');
  });
});

describe('bytes behind a request', () => {
  it('of known length are the next request, on the same connection', async () => {
    const node = await startRawNode('a', (socket, text) => {
      if (text.includes('\r\n\r\n'))
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
    });
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port).send(`${post}Content-Length: 2\r\n\r\nhi`);
    client.send('GET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const answer = await client.over();
    expect(answer.split('HTTP/1.1 200')).toHaveLength(3);
    expect(node.received).toHaveLength(2);
    await proxy.finish();
  });

  it.each([
    ['an upgrade', upgradeText()],
    ['CONNECT', 'CONNECT b:80 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['nonsense', 'nonsense\r\n\r\n'],
  ])(
    'of a request not yet answered are no request and end the connection after the answer when they are %s',
    async (_name, text) => {
      const node = await startRawNode('a', answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
      const proxy = await startProxy({ nodes: [node] });
      const client = new RawClient(proxy.port).send(`GET /slow HTTP/1.1\r\nHost: a\r\n\r\n${text}`);
      expect(await client.over()).toMatch(/^HTTP\/1\.1 200 (?:(?!HTTP)[^])*\r\n\r\nok$/);
      await proxy.finish();
      expect(node.received).toHaveLength(1);
      expect(node.received[0]).toMatch(/^GET \/slow [^]*\r\n\r\n$/);
    },
  );

  it('are begun one after the other, and too many end the connection', async () => {
    const node = await startRawNode('a', () => {});
    const proxy = await startProxy({ nodes: [node] });
    const requests = (count: number) => 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(count);
    const patient = new RawClient(proxy.port).send(requests(100));
    await until(
      () => node.received.length === 1,
      () => 'the first has not come',
    );
    expect(await new RawClient(proxy.port).send(requests(101)).over()).toBe('');
    patient.socket.destroy();
    await proxy.finish();
    expect(node.received.filter((text) => text !== '')).toHaveLength(1);
  });

  it('of a refused upgrade never reach another node as a request', async () => {
    const node = await startRawNode('a', answering('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'));
    const proxy = await startProxy({ nodes: [node] });
    const answer = await new RawClient(proxy.port).send(upgradeText() + smuggled).over();
    expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n[^]*Connection: close\r\n\r\nno$/);
    expect(node.received.join('')).not.toContain('/smuggled');
    await proxy.finish();
  });

  it('that claim another protocol are ordinary requests: Upgrade is ignored and the body is read', async () => {
    const node = await startRawNode('a', (socket, text) => {
      if (text.endsWith('hi')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
    const proxy = await startProxy({ nodes: [node] });
    const h2c = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';
    const client = new RawClient(proxy.port).send(`${post}${h2c}Content-Length: 2\r\n\r\nhi`);
    await client.heard('\r\n\r\nok');
    expect(node.received[0]).not.toMatch(/upgrade|h2c|http2/i);
    client.socket.destroy();
    await proxy.finish();
  });
});
