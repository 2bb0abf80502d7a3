import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Server as SocketIo } from 'socket.io';
import { io as connectSocketIo, type Socket as SocketIoClient } from 'socket.io-client';
import { afterEach, describe, expect, it } from 'vitest';
import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws';
import { type Agent, createAgent } from '../../../src/agent/agent.ts';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** An agent that is never started: observing does not need a balancer. */
function anAgent(): Agent {
  const agent = createAgent({ balancers: ['http://127.0.0.1:9'], pool: 'chat', id: 'a' });
  cleanups.push(() => agent.stop());
  return agent;
}

async function listening(server: HttpServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

async function aClient(port: number, path = '/'): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  client.on('error', () => {});
  cleanups.push(() => client.terminate());
  await once(client, 'open');
  return client;
}

/** Sends texts to a server that echoes, and waits for all of them. */
async function echo(client: WebSocket, texts: readonly string[]): Promise<string[]> {
  const answers: string[] = [];
  const done = new Promise<void>((resolve) => {
    client.on('message', (data: Buffer) => {
      if (answers.push(data.toString()) === texts.length) resolve();
    });
  });
  for (const text of texts) client.send(text);
  await done;
  client.removeAllListeners('message');
  return answers;
}

/** Waits for a fact that an event on the other side of a socket brings about. */
async function eventually(isTrue: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000 && !isTrue(); turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(isTrue()).toBe(true);
}

function echoAll(server: WebSocketServer): void {
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
}

const texts = ['one', 'two', 'x'.repeat(200), 'y'.repeat(70_000)];

describe('observing ws', () => {
  it('counts on a port of its own, and clients that were there before', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    cleanups.push(() => server.close());
    await once(server, 'listening');
    echoAll(server);
    const { port } = server.address() as AddressInfo;
    const early = await aClient(port);
    await echo(early, ['not counted']);
    const agent = anAgent();
    agent.observe(server);
    const late = await aClient(port);
    expect(await echo(early, texts)).toEqual(texts);
    expect(await echo(late, texts)).toEqual(texts);
    expect(agent.status().traffic).toEqual({ servers: 1, connections: 2, messagesIn: 8, messagesOut: 8 });
    late.close();
    await eventually(() => agent.status().traffic.connections === 1);
  });

  it('counts when attached to an HTTP server, without client tracking and with compression', async () => {
    const http = createServer();
    const server = new WebSocketServer({ server: http, clientTracking: false, perMessageDeflate: true });
    echoAll(server);
    const agent = anAgent();
    agent.observe(server);
    const client = await aClient(await listening(http));
    expect(await echo(client, texts)).toEqual(texts);
    expect(agent.status().traffic).toMatchObject({ connections: 1, messagesIn: 4, messagesOut: 4 });
  });

  it('counts with noServer, also when the application emits no connection event', async () => {
    const http = createServer();
    const server = new WebSocketServer({ noServer: true });
    http.on('upgrade', (request, socket, head) => {
      server.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on('message', (data) => webSocket.send(String(data)));
        webSocket.send('welcome', () => {});
      });
    });
    const agent = anAgent();
    agent.observe(server);
    const client = await aClient(await listening(http));
    expect(await echo(client, texts)).toHaveLength(4);
    await eventually(() => agent.status().traffic.messagesOut === 5);
    expect(agent.status().traffic).toMatchObject({ connections: 1, messagesIn: 4, messagesOut: 5 });
  });

  it('counts a message in fragments once and nothing that is sent too late', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    cleanups.push(() => server.close());
    await once(server, 'listening');
    const agent = anAgent();
    agent.observe(server);
    const accepted = once(server, 'connection') as Promise<[WebSocket]>;
    const client = await aClient((server.address() as AddressInfo).port);
    const [socket] = await accepted;
    socket.send('a', { fin: false });
    socket.send('b', { fin: false });
    socket.send('c');
    const stream = createWebSocketStream(socket);
    stream.on('error', () => {});
    stream.write('d');
    expect(agent.status().traffic.messagesOut).toBe(2);
    client.terminate();
    await eventually(() => agent.status().traffic.connections === 0);
    socket.send('late', () => {});
    expect(agent.status().traffic.messagesOut).toBe(2);
  });

  it('leaves no trace after it is let go', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    cleanups.push(() => server.close());
    await once(server, 'listening');
    echoAll(server);
    const accepted = once(server, 'connection') as Promise<[WebSocket]>;
    const client = await aClient((server.address() as AddressInfo).port);
    const [socket] = await accepted;
    const listeners = socket.listenerCount('message') + socket.listenerCount('close');
    const agent = anAgent();
    const unobserve = agent.observe(server);
    expect(agent.observe(server)).toBe(unobserve);
    unobserve();
    unobserve();
    expect(agent.status().traffic).toMatchObject({ servers: 0, connections: 0 });
    expect(socket.listenerCount('message') + socket.listenerCount('close')).toBe(listeners);
    expect(Object.hasOwn(socket, 'send')).toBe(false);
    expect(Object.hasOwn(server, 'handleUpgrade')).toBe(false);
    await echo(client, ['again']);
    expect(agent.status().traffic.messagesIn).toBe(0);
  });
});

async function aSocketIo(
  transports: string[],
): Promise<{ agent: Agent; io: SocketIo; client: SocketIoClient }> {
  const http = createServer();
  const io = new SocketIo(http);
  cleanups.push(() => io.close());
  io.on('connection', (socket) => {
    socket.on('say', (text: string, heard: (text: string) => void) => heard(text));
  });
  const agent = anAgent();
  agent.observe(io);
  const client = connectSocketIo(`http://127.0.0.1:${await listening(http)}`, {
    transports,
    reconnection: false,
  });
  cleanups.push(() => client.disconnect());
  await new Promise<void>((resolve) => client.on('connect', () => resolve()));
  return { agent, io, client };
}

describe('observing Socket.IO', () => {
  it('counts packets of polling', async () => {
    const { agent, client } = await aSocketIo(['polling']);
    const before = agent.status().traffic;
    for (const text of ['one', 'two', 'three']) expect(await client.emitWithAck('say', text)).toBe(text);
    const after = agent.status().traffic;
    expect(client.io.engine.transport.name).toBe('polling');
    expect(after.connections).toBe(1);
    expect(after.messagesIn - before.messagesIn).toBe(3);
    expect(after.messagesOut - before.messagesOut).toBe(3);
  });

  it('counts on when polling becomes a WebSocket, and the connection once', async () => {
    const { agent, io, client } = await aSocketIo(['polling', 'websocket']);
    if (client.io.engine.transport.name !== 'websocket') {
      await new Promise<void>((resolve) => client.io.engine.once('upgrade', () => resolve()));
    }
    await eventually(() => client.io.engine.transport.name === 'websocket');
    expect(await client.emitWithAck('say', 'settled')).toBe('settled');
    const before = agent.status().traffic;
    for (const text of ['one', 'two']) expect(await client.emitWithAck('say', text)).toBe(text);
    io.emit('news', 1);
    const after = agent.status().traffic;
    expect(after.connections).toBe(1);
    expect(after.messagesIn - before.messagesIn).toBe(2);
    expect(after.messagesOut - before.messagesOut).toBe(3);
    client.disconnect();
    await eventually(() => agent.status().traffic.connections === 0);
  });

  it('counts clients that were there before, and stops when let go', async () => {
    const { agent, io, client } = await aSocketIo(['websocket']);
    const second = anAgent();
    const unobserve = second.observe(io);
    expect(second.status().traffic.connections).toBe(1);
    await client.emitWithAck('say', 'both');
    unobserve();
    await client.emitWithAck('say', 'first only');
    expect(second.status().traffic).toMatchObject({ connections: 0, messagesIn: 1, messagesOut: 1 });
    expect(agent.status().traffic.connections).toBe(1);
  });

  it('says what to do with a server that is not attached', () => {
    expect(() => anAgent().observe(new SocketIo())).toThrow(/after attach\(\)/);
  });
});

/** Accepts the upgrade by hand and echoes bytes: a client's frames come back masked, which counts the same. */
function acceptByHand(http: HttpServer, between = ''): void {
  http.on('upgrade', (request, socket: Duplex, head: Buffer) => {
    const key = request.headers['sec-websocket-key'] ?? '';
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    socket.on('error', () => {});
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${between}`,
    );
    socket.write(`Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
    if (head.length > 0) socket.write(head);
    socket.pipe(socket);
  });
}

const textFrame = (text: string) => Buffer.from([0x81, 0x80 + text.length, 0, 0, 0, 0, ...Buffer.from(text)]);

async function aRawClient(port: number, upgrade: string, early = Buffer.alloc(0)): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  cleanups.push(() => socket.destroy());
  const head = `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\nSec-WebSocket-Key: k\r\n\r\n`;
  socket.write(Buffer.concat([Buffer.from(head), early]));
  await once(socket, 'data');
  return socket;
}

describe('observing an HTTP server that upgrades by itself', () => {
  it('counts frames in both directions and leaves every byte alone', async () => {
    const http = createServer();
    acceptByHand(http);
    const agent = anAgent();
    agent.observe(http);
    const port = await listening(http);
    const socket = await aRawClient(port, 'websocket');
    const sent = Buffer.concat([
      textFrame('hello'),
      Buffer.from([0x89, 0x80, 0, 0, 0, 0]),
      textFrame('w'),
      Buffer.from([0x82, 0xfe, 0x01, 0x00, 1, 2, 3, 4]),
      Buffer.alloc(256, 7),
    ]);
    const back: Buffer[] = [];
    const done = new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        back.push(chunk);
        if (Buffer.concat(back).length === sent.length) resolve();
      });
    });
    // Byte by byte at first: frames do not come in one piece.
    socket.setNoDelay(true);
    for (const byte of sent.subarray(0, 20)) socket.write(Buffer.from([byte]));
    socket.write(sent.subarray(20));
    await done;
    expect(Buffer.concat(back).equals(sent)).toBe(true);
    expect(agent.status().traffic).toEqual({ servers: 1, connections: 1, messagesIn: 3, messagesOut: 3 });
    socket.destroy();
    await eventually(() => agent.status().traffic.connections === 0);
  });

  it('counts frames that came together with the request', async () => {
    const http = createServer();
    acceptByHand(http);
    const agent = anAgent();
    agent.observe(http);
    await aRawClient(await listening(http), 'websocket', textFrame('early'));
    await eventually(() => agent.status().traffic.messagesOut === 1);
    expect(agent.status().traffic).toMatchObject({ connections: 1, messagesIn: 1 });
  });

  it('counts no refused upgrade, and no messages of another protocol', async () => {
    const http = createServer();
    http.on('upgrade', (request, socket: Duplex) => {
      cleanups.push(() => socket.destroy());
      if (request.headers.upgrade === 'raw') {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n');
        return;
      }
      socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
    });
    const agent = anAgent();
    agent.observe(http);
    const port = await listening(http);
    const raw = await aRawClient(port, 'raw');
    raw.write(textFrame('hello'));
    await aRawClient(port, 'websocket');
    await eventually(() => agent.status().traffic.connections === 1);
    expect(agent.status().traffic).toMatchObject({ messagesIn: 0, messagesOut: 0 });
  });

  it('takes no upgrade away from a server that handles none', async () => {
    const http = createServer((_request, response) => response.end('plain'));
    anAgent().observe(http);
    const socket = connect(await listening(http), '127.0.0.1');
    cleanups.push(() => socket.destroy());
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    const [data] = (await once(socket, 'data')) as [Buffer];
    expect(data.toString()).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('counts once when ws behind it is observed as well', async () => {
    const http = createServer();
    const server = new WebSocketServer({ server: http });
    echoAll(server);
    const agent = anAgent();
    agent.observe(server);
    agent.observe(http);
    const client = await aClient(await listening(http));
    expect(await echo(client, texts)).toEqual(texts);
    expect(agent.status().traffic).toEqual({ servers: 2, connections: 1, messagesIn: 4, messagesOut: 4 });
  });

  it('gives every method back when let go', async () => {
    const http = createServer();
    const sockets: Duplex[] = [];
    http.on('upgrade', (_request, socket: Duplex) => sockets.push(socket));
    acceptByHand(http);
    const agent = anAgent();
    const unobserve = agent.observe(http);
    await aRawClient(await listening(http), 'websocket');
    expect(Object.hasOwn(sockets[0] ?? {}, 'push')).toBe(true);
    unobserve();
    expect(Object.hasOwn(http, 'emit')).toBe(false);
    for (const method of ['push', 'write', 'end'])
      expect(Object.hasOwn(sockets[0] ?? {}, method)).toBe(false);
    expect(agent.status().traffic.connections).toBe(0);
  });
});

describe('observing several servers', () => {
  it('adds them up', async () => {
    const agent = anAgent();
    for (let index = 0; index < 2; index += 1) {
      const http = createServer();
      const server = new WebSocketServer({ server: http });
      echoAll(server);
      agent.observe(server);
      await echo(await aClient(await listening(http)), ['a']);
    }
    expect(agent.status().traffic).toEqual({ servers: 2, connections: 2, messagesIn: 2, messagesOut: 2 });
  });

  it('refuses what is no server', () => {
    for (const value of [undefined, null, 1, {}, []]) {
      expect(() => anAgent().observe(value as never)).toThrow(/give a WebSocketServer/);
    }
  });
});
