// Forwarding of HTTP, event streams and long polls: what each side sees, what is counted, what a lease spans.
import { createHash } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { EventSource } from 'eventsource';
import { describe, expect, it } from 'vitest';
import { startHttpNode } from '../../support/http-node.ts';
import { startProxy } from '../../support/proxy.ts';
import { RawClient } from '../../support/raw-client.ts';
import { answering, startRawNode } from '../../support/raw-node.ts';
import { until } from '../../support/until.ts';

const get = (path: string, extra = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: chat.example\r\n${extra}Connection: close\r\n\r\n`;
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('a forwarded request', () => {
  it('loses its hop-by-hop fields, also those that Connection names, and keeps the others', async () => {
    const node = await startRawNode('a', answering(ok));
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port).send(
      'GET /x?y=1 HTTP/1.1\r\nHost: chat.example:80\r\nConnection: close, X-Secret, Host\r\nX-Secret: 1\r\n' +
        'Keep-Alive: timeout=5\r\nTE: trailers\r\nTrailer: X\r\nProxy-Authorization: Basic eA==\r\n' +
        'Proxy-Connection: keep-alive\r\nAuthorization: Bearer t\r\nX-Twice: 1\r\nx-twice: caf\xe9\r\n\r\n',
    );
    await client.over();
    const [head = ''] = node.received;
    expect(head).toMatch(/^GET \/x\?y=1 HTTP\/1\.1\r\nhost: chat\.example:80\r\n/i);
    expect(head).not.toMatch(/secret|timeout=5|^trailer|proxy-/im);
    expect(head).toContain('Authorization: Bearer t\r\nX-Twice: 1\r\nx-twice: caf\xe9\r\n');
    await proxy.finish();
  });

  it('from a stranger has its claims about the client replaced', async () => {
    const node = await startRawNode('a', answering(ok));
    const proxy = await startProxy({ nodes: [node] });
    const claims =
      'X-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Real-IP: 6.6.6.6\r\n' +
      'X-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\nForwarded: for=6.6.6.6\r\n';
    await new RawClient(proxy.port).send(get('/', claims)).over();
    const [head = ''] = node.received;
    expect(head).not.toMatch(/6\.6\.6\.6|https|evil/);
    expect(head).toContain(
      'X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: chat.example\r\nX-Forwarded-Port: 80\r\n',
    );
    expect(head).toContain('Forwarded: for=127.0.0.1;host="chat.example";proto=http\r\n');
    await proxy.finish();
  });

  it('from a trusted proxy keeps its claims, and ours are appended', async () => {
    const node = await startRawNode('a', answering(ok));
    const proxy = await startProxy({ nodes: [node], trusted: true });
    const claims =
      'X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop\r\n' +
      'X-Forwarded-Port: 443\r\nForwarded: for=198.51.100.7;proto=https\r\n';
    await new RawClient(proxy.port).send(get('/', claims)).over();
    const [head = ''] = node.received;
    expect(head).toContain(
      'X-Forwarded-For: 198.51.100.7, 127.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop\r\n',
    );
    expect(head).toContain('for=198.51.100.7;proto=https, for=127.0.0.1;host="chat.example";proto=http\r\n');
    expect(head).toContain('X-Forwarded-Port: 443\r\n');
    await proxy.finish();
  });

  it('carries a large body each way unchanged', async () => {
    const node = await startHttpNode('a', (request, response) => void request.pipe(response));
    const proxy = await startProxy({ nodes: [node] });
    const body = Buffer.alloc(8 * 1024 * 1024);
    for (let i = 0; i < body.length; i += 4) body.writeUInt32LE((i * 2654435761) >>> 0, i);
    const hash = createHash('sha256');
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = httpRequest({ port: proxy.port, method: 'PUT', path: '/', agent: false }, resolve);
      sent.on('error', reject);
      sent.end(body);
    });
    for await (const chunk of answer) hash.update(chunk);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(body).digest('hex'));
    await proxy.finish();
    expect(proxy.placement.leases[0]).toMatchObject({
      toNode: { messages: 1, bytes: body.length },
      toClient: { messages: 1, bytes: body.length },
    });
  });

  it('that expects 100-continue hears it from the proxy, and the node never sees the expectation', async () => {
    const node = await startHttpNode('a', (request, response) => {
      response.end(`${request.headers.expect ?? 'nothing'} expected`);
      request.resume();
    });
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port).send(
      'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n',
    );
    await client.heard('HTTP/1.1 100 Continue\r\n\r\n');
    expect(await client.send('hi').over()).toContain('nothing expected');
    await proxy.finish();
  });

  it('that no node has to read whole may be answered early', async () => {
    const node = await startRawNode(
      'a',
      (socket) =>
        void socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno'),
    );
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port).send(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nstart',
    );
    await client.heard('\r\n\r\nno');
    client.socket.destroy();
    await proxy.finish();
  });
});

describe('an answer', () => {
  it('has its hop-by-hop fields replaced by ours and keeps the rest as sent', async () => {
    const node = await startRawNode(
      'a',
      answering(
        'HTTP/1.1 200 Fine\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nSet-Cookie: a=1\r\n' +
          'Set-Cookie: b=2\r\nX-Odd: caf\xe9\r\nContent-Length: 2\r\n\r\nok',
      ),
    );
    const proxy = await startProxy({ nodes: [node] });
    const answer = await new RawClient(proxy.port).send(get('/')).over();
    expect(answer).toMatch(/^HTTP\/1\.1 200 Fine\r\n/);
    expect(answer).not.toMatch(/x-hop|timeout=9/i);
    expect(answer).toContain('Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Odd: caf\xe9\r\n');
    await proxy.finish();
  });

  it('without a body has none: HEAD, 204, 304', async () => {
    const node = await startHttpNode('a', (request, response) => {
      response.writeHead(Number(request.url?.slice(1)), {
        'Content-Length': request.url === '/204' ? [] : '5',
      });
      response.end();
    });
    const proxy = await startProxy({ nodes: [node] });
    const heads = [get('/200').replace('GET', 'HEAD'), get('/304'), get('/204')];
    for (const text of heads) {
      const answer = await new RawClient(proxy.port).send(text).over();
      expect(answer).toMatch(/^HTTP\/1\.1 (200|304|204) [^]*\r\n\r\n$/);
      expect(answer).not.toMatch(/transfer-encoding/i);
      expect(answer.includes('204') || answer.includes('Content-Length: 5')).toBe(true);
    }
    await proxy.finish();
  });

  it('for an HTTP/1.0 client has no chunks and ends with the connection', async () => {
    const node = await startHttpNode('a', (_request, response) => {
      response.write('one');
      response.end('two');
    });
    const proxy = await startProxy({ nodes: [node] });
    const answer = await new RawClient(proxy.port).send('GET / HTTP/1.0\r\nHost: a\r\n\r\n').over();
    expect(answer).toMatch(/\r\n\r\nonetwo$/);
    expect(answer).not.toMatch(/transfer-encoding/i);
    await proxy.finish();
  });

  it('is asked for with TE where the client takes trailers, and announces those that will follow', async () => {
    const node = await startRawNode(
      'a',
      answering(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Grpc-Status, Set-Cookie,, TE\r\n\r\n' +
          '2\r\nok\r\n0\r\nGrpc-Status: 0\r\nSet-Cookie: late=1\r\nTransfer-Encoding: x\r\n\r\n',
      ),
    );
    const proxy = await startProxy({ nodes: [node] });
    const te = 'TE: deflate;q=0.5, Trailers\r\n';
    const answer = await new RawClient(proxy.port).send(get('/', te)).over();
    expect(answer).toMatch(/\r\nTrailer: Grpc-Status\r\n/);
    expect(answer).toMatch(/\r\n2\r\nok\r\n0\r\nGrpc-Status: 0\r\n\r\n$/);
    await new RawClient(proxy.port).send(get('/', 'TE: deflate\r\n')).over();
    const received = node.received.join('');
    expect(received.match(/^GET /gm)).toHaveLength(2);
    expect(received.match(/^te:.*$/gim)).toEqual(['TE: trailers']);
    await proxy.finish();
  });

  it.each([
    [
      'an HTTP/1.0 client',
      'GET / HTTP/1.0\r\nHost: a\r\nTE: trailers\r\n\r\n',
      'Transfer-Encoding: chunked',
      '2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n',
      'ok',
    ],
    ['HEAD', 'HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 'Transfer-Encoding: chunked', '', ''],
    ['an answer with a length', get('/'), 'Content-Length: 2', 'ok', 'ok'],
  ])('announces no trailers to %s', async (_, request, framing, body, told) => {
    const node = await startRawNode(
      'a',
      answering(`HTTP/1.1 200 OK\r\n${framing}\r\nTrailer: X-Sum\r\n\r\n${body}`),
    );
    const proxy = await startProxy({ nodes: [node] });
    const answer = await new RawClient(proxy.port).send(request).over();
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).not.toMatch(/trailer|x-sum/i);
    expect(answer.split('\r\n\r\n')[1]).toBe(told);
    if (request.includes('HTTP/1.0')) expect(node.received[0]).not.toMatch(/^te:/im);
    await proxy.finish();
  });

  it('keeps its trailers, and interim answers come before it', async () => {
    const node = await startRawNode(
      'a',
      answering(
        'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
          '2\r\nok\r\n0\r\nX-Sum: 7\r\nConnection: x\r\n\r\n',
      ),
    );
    const proxy = await startProxy({ nodes: [node] });
    const answer = await new RawClient(proxy.port).send(get('/')).over();
    expect(answer).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a>\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    expect(answer).toMatch(/\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n$/);
    await proxy.finish();
  });

  it('waits for a client that reads slowly, and the node with it', async () => {
    const total = 32 * 1024 * 1024;
    let written = 0;
    const node = await startHttpNode('a', (_request, response) => {
      const chunk = Buffer.alloc(64 * 1024, 'z');
      const push = (): void => {
        while (written < total) {
          written += chunk.length;
          if (!response.write(chunk)) return;
        }
        response.end();
      };
      response.on('drain', push);
      push();
    });
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port);
    client.socket.pause();
    client.send(get('/'));
    let last = -1;
    await until(
      () => written > 0,
      () => 'nothing written',
    );
    while (last !== written) {
      last = written;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(written).toBeLessThan(total);
    client.socket.destroy();
    await proxy.finish();
  });

  it('leaves the connection to the client open for the next request', async () => {
    const node = await startHttpNode('a', (request, response) => void response.end(`at ${request.url}`));
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port);
    for (const path of ['/1', '/2', '/3']) {
      client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await client.heard(`at ${path}`);
    }
    client.socket.destroy();
    await proxy.finish();
    expect(node.received).toEqual(['GET /1', 'GET /2', 'GET /3']);
  });
});

const later: { answer: () => void } = { answer: () => {} };

describe('a long poll', () => {
  it('is an open connection from its request on, until its answer has ended', async () => {
    const node = await startHttpNode('a', (_request, response) => {
      later.answer = () => void response.end('news');
    });
    const proxy = await startProxy({ nodes: [node] });
    const client = new RawClient(proxy.port).send(get('/poll'));
    await until(
      () => node.received.length === 1,
      () => 'no request',
    );
    expect(proxy.placement.leases).toMatchObject([{ isOpened: true, settled: 'no' }]);
    later.answer();
    expect(await client.over()).toContain('news');
    await proxy.finish();
    expect(proxy.placement.leases).toMatchObject([
      { settled: 'released', toNode: { messages: 1 }, toClient: { messages: 1, bytes: 4 } },
    ]);
  });
});

describe('an event stream', () => {
  it('reaches an EventSource event by event, and each is counted', async () => {
    const sending: ((text: string) => void)[] = [];
    const node = await startHttpNode('a', (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.flushHeaders();
      sending.push((text) => void response.write(text));
    });
    const proxy = await startProxy({ nodes: [node] });
    const source = new EventSource(`http://127.0.0.1:${proxy.port}/events`);
    const seen: string[] = [];
    source.addEventListener('message', (event) => seen.push(String(event.data)));
    await until(
      () => source.readyState === EventSource.OPEN,
      () => 'not open',
    );
    expect(proxy.placement.leases).toMatchObject([
      { isOpened: true, settled: 'no', toClient: { messages: 0 } },
    ]);
    for (const piece of ['data: one\n', '\ndata: t', 'wo\r\n\r', '\n\n\ndata: three\n\n'])
      sending[0]?.(piece);
    await until(
      () => seen.length === 3,
      () => `seen ${seen.join()}`,
    );
    expect(seen).toEqual(['one', 'two', 'three']);
    source.close();
    await proxy.finish();
    expect(proxy.placement.leases).toMatchObject([
      { settled: 'released', toNode: { messages: 1 }, toClient: { messages: 3 } },
    ]);
  });
});
