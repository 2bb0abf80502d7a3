// Phoenix's JavaScript client against a stub of its server: channels through a balancer and over a drain.
import type { Server } from 'node:http';
import { Socket, type Channel, type SocketConnectOption } from 'phoenix';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { aClientHouse, otherThan } from '../../support/a-client-house.ts';
import { within } from '../../support/eventually.ts';
import { until } from '../../support/until.ts';

/** Version 2 of the wire format: join reference, reference, topic, event, payload. */
type Frame = [string | null, string | null, string, string, Record<string, unknown>];

/** A server of channels: joins are told the node, `burst` makes it push numbers, all else is replied as it came. */
function phoenixNode(heartbeats: string[]): (id: string, server: Server) => void {
  return (id, server) => {
    const sockets = new WebSocketServer({ server, path: '/socket/websocket' });
    sockets.on('connection', (socket) => {
      socket.on('message', (data) => {
        // Proof of `as`: the client of these tests sends nothing else.
        const [join, ref, topic, event, payload] = JSON.parse(String(data)) as Frame;
        const tell = (name: string, body: object, reference: string | null = null) =>
          socket.send(JSON.stringify([join, reference, topic, name, body]));
        const reply = (response: object) => tell('phx_reply', { status: 'ok', response }, ref);
        if (event === 'heartbeat') heartbeats.push(id);
        if (event === 'burst')
          for (let index = 0; index < Number(payload['count']); index += 1) tell('number', { index });
        reply(event === 'phx_join' ? { node: id } : payload);
      });
    });
  };
}

function connect(port: number, options: Partial<SocketConnectOption> = {}): Socket {
  const socket = new Socket(`ws://127.0.0.1:${port}/socket`, {
    // Node's `ws` has what the client uses of a browser's WebSocket.
    transport: WebSocket as unknown as new (endpoint: string) => object,
    ...options,
  });
  onTestFinished(() => socket.disconnect());
  socket.connect();
  return socket;
}

/** Joins, and keeps the node of each join: the client joins again by itself after each connect. */
function join(socket: Socket, topic: string): { channel: Channel; homes: string[] } {
  const channel = socket.channel(topic);
  const homes: string[] = [];
  channel.join().receive('ok', ({ node }: { node: string }) => homes.push(node));
  return { channel, homes };
}

function ask(channel: Channel, event: string, payload: object): Promise<unknown> {
  const reply = new Promise((resolve, reject) => {
    channel
      .push(event, payload)
      .receive('ok', resolve)
      .receive('error', reject)
      .receive('timeout', () => reject(new Error('timeout')));
  });
  return within(reply, `a reply to ${event}`);
}

describe('a Phoenix client', () => {
  it('joins channels, is replied to, and hears pushes in order', async () => {
    const { port } = await aClientHouse(phoenixNode([]));
    const { channel } = join(connect(port), 'room:1');
    const numbers: number[] = [];
    channel.on('number', ({ index }: { index: number }) => void numbers.push(index));
    expect(await ask(channel, 'say', { text: 'grüße 🎈' })).toEqual({ text: 'grüße 🎈' });
    await ask(channel, 'burst', { count: 500 });
    expect(numbers).toEqual(Array.from({ length: 500 }, (_, index) => index));
  });

  it('joins its channels again on another node after the goodbye of a drain, and its heart beats there', async () => {
    const heartbeats: string[] = [];
    const { port, drain } = await aClientHouse(phoenixNode(heartbeats));
    const socket = connect(port, { heartbeatIntervalMs: 100, rejoinAfterMs: () => 20 });
    const codes: number[] = [];
    socket.onClose(({ code }) => void codes.push(code));
    const rooms = ['room:1', 'room:2'].map((topic) => join(socket, topic));
    await until(
      () => rooms.every(({ homes }) => homes.length === 1) && heartbeats.length > 2,
      () => JSON.stringify([rooms.map(({ homes }) => homes), heartbeats]),
    );
    const home = rooms[0]?.homes[0] ?? '';
    const next = otherThan(home);
    await drain(home);
    await until(
      () => rooms.every(({ homes }) => homes.length === 2) && heartbeats.includes(next),
      () => JSON.stringify([rooms.map(({ homes }) => homes), heartbeats]),
    );
    expect(rooms.map(({ homes }) => homes)).toEqual([
      [home, next],
      [home, next],
    ]);
    expect(codes).toEqual([1012]);
    for (const { channel } of rooms) expect(await ask(channel, 'say', { now: next })).toEqual({ now: next });
  });
});
