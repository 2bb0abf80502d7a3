// A connection that is no tunnel goes to node:http over the same descriptor, with the bytes already read.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createTransport } from '../../../src/balancer/proxy/transport.ts';
import { pcg32 } from '../../../src/core/rng.ts';
import { Cleanup, Recorder, deferred, randomBytes, turns } from '../../contract/wire-recorder.ts';

const MiB = 1024 * 1024;

const echo: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () =>
    response.end(`${request.method} ${request.url} ${Buffer.concat(chunks).toString()}`),
  );
};

describe.each(['fast', 'plain'] as const)('a wire of the %s transport given to node:http', (form) => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  /** A client of a server that gets each connection after `seenBytes` of it were read from the wire. */
  async function open(
    seenBytes: number,
    listener: RequestListener,
  ): Promise<{ client: Socket; server: Server }> {
    const server = createServer(listener);
    cleanup.add(() => server.closeAllConnections());
    const transport = await createTransport({ form });
    const bound = await transport.listen({ host: '127.0.0.1', port: 0 }, (wire) => {
      const heard = new Recorder();
      wire.reader = heard;
      heard.onEvent = (event) => {
        if (event === 'bytes' && heard.receivedBytes >= seenBytes)
          server.emit('connection', wire.toSocket(Buffer.concat(heard.chunks)));
      };
      wire.resume();
    });
    cleanup.add(() => bound.close());
    const client = connect({ host: '127.0.0.1', port: bound.port, allowHalfOpen: true });
    cleanup.add(() => client.destroy());
    client.setNoDelay(true);
    return { client, server };
  }

  it('serves several requests of one connection', async () => {
    const { client } = await open(1, echo);
    for (const path of ['/1', '/2', '/3']) {
      client.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      expect(await bodies(client, 1)).toEqual([`GET ${path} `]);
    }
  });

  it('serves pipelined requests that came in one read', async () => {
    const { client } = await open(1, echo);
    const requests = ['/1', '/2', '/3', '/4'].map(
      (path) => `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc`,
    );
    client.write(requests.join(''));
    expect(await bodies(client, 4)).toEqual(['POST /1 abc', 'POST /2 abc', 'POST /3 abc', 'POST /4 abc']);
  });

  it.each([1, 10, 40])(
    'serves a request whose head came in pieces, taken over after %i bytes',
    async (seen) => {
      const { client } = await open(seen, echo);
      const request = 'POST /split HTTP/1.1\r\nHost: example.org\r\nContent-Length: 5\r\n\r\nhello';
      for (const byte of request) {
        client.write(byte);
        await turns(2);
      }
      expect(await bodies(client, 1)).toEqual(['POST /split hello']);
    },
  );

  it.each([
    ['by length', false],
    ['in chunks', true],
  ])('takes an upload of several megabytes %s, though its reader stalls', async (_how, chunked) => {
    const body = randomBytes(pcg32(41), 8 * MiB);
    let same = false;
    const { client } = await open(1, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        if (chunks.length % 20 !== 0) return;
        request.pause();
        setTimeout(() => request.resume(), 2);
      });
      request.on('end', () => {
        same = Buffer.concat(chunks).equals(body);
        response.end('done');
      });
    });
    const framing = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
    client.write(`POST /upload HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`);
    if (chunked) client.write(`${body.length.toString(16)}\r\n`);
    client.write(body);
    if (chunked) client.write('\r\n0\r\n\r\n');
    expect(await bodies(client, 1)).toEqual(['done']);
    expect(same).toBe(true);
  });

  it('sends a large answer to a client that stalls', async () => {
    const body = randomBytes(pcg32(42), 8 * MiB);
    const { client } = await open(1, (_request, response) => response.end(body));
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const chunks: Buffer[] = [];
    client.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (chunks.length % 20 !== 0) return;
      client.pause();
      setTimeout(() => client.resume(), 2);
    });
    await once(client, 'end');
    const all = Buffer.concat(chunks);
    expect(all.subarray(all.indexOf('\r\n\r\n') + 4).equals(body)).toBe(true);
  });

  it('hands over upgrades with the bytes behind the head', async () => {
    const { client, server } = await open(1, echo);
    const upgraded = once(server, 'upgrade');
    client.write('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst');
    // The arguments of an upgrade, by Node's documentation.
    const [, socket, head] = (await upgraded) as [unknown, Socket, Buffer];
    expect(head.toString()).toBe('first');
    client.write(' second');
    expect((await once(socket, 'data')).toString()).toBe(' second');
    socket.end('bye');
    expect((await once(client, 'data')).toString()).toBe('bye');
    client.end();
    await once(socket, 'close');
  });

  it('answers 400 to what is no HTTP', async () => {
    const { client } = await open(1, echo);
    client.write('\x16\x03\x01 what is this\r\n\r\n');
    const chunks: Buffer[] = [];
    client.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(client, 'end');
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('notices that the client has reset the connection', async () => {
    const taken = deferred<Socket>();
    const { client } = await open(1, (request) => taken.resolve(request.socket));
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const socket = await taken.promise;
    const { promise: closed, resolve } = deferred<unknown>();
    socket.once('close', resolve);
    client.resetAndDestroy();
    await closed;
    expect(socket.destroyed).toBe(true);
  });
});

/** The bodies of the next `count` answers; each has a Content-Length. */
async function bodies(client: Socket, count: number): Promise<string[]> {
  let text = '';
  const found: string[] = [];
  const onData = (chunk: Buffer): void => void (text += chunk.toString('latin1'));
  client.on('data', onData);
  while (found.length < count) {
    const head = text.indexOf('\r\n\r\n');
    const length = Number(/content-length: (\d+)/i.exec(text.slice(0, Math.max(head, 0)))?.[1] ?? NaN);
    if (head >= 0 && text.length >= head + 4 + length) {
      found.push(text.slice(head + 4, head + 4 + length));
      text = text.slice(head + 4 + length);
    } else await once(client, 'data');
  }
  client.off('data', onData);
  return found;
}
