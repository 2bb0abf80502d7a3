// Phoenix's JavaScript client against a stub of its server: channels through a balancer and over a drain, on WebSocket
// and on long polls, whose requests must all reach the node that began the session.
import { randomUUID } from 'node:crypto';
import { LongPoll, Socket, type Channel, type SocketConnectOption } from 'phoenix';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { aClientHouse, otherThan } from '../../support/a-client-house.ts';
import { within } from '../../support/eventually.ts';
import { until } from '../../support/until.ts';
import { phoenixJournal, phoenixNode } from './phoenix-node.ts';

const byClient = { kind: 'query', name: 'client' };

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

/** A client on long polls that names itself in each request. */
function connectByPolls(port: number, options: Partial<SocketConnectOption> = {}): Socket {
  return connect(port, { transport: LongPoll, params: { client: randomUUID() }, ...options });
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

/** Says something with letters of all kinds, and hears 500 pushes in order. */
async function talk(channel: Channel): Promise<void> {
  const numbers: number[] = [];
  channel.on('number', ({ index }: { index: number }) => void numbers.push(index));
  expect(await ask(channel, 'say', { text: 'grüße 🎈' })).toEqual({ text: 'grüße 🎈' });
  await ask(channel, 'burst', { count: 500 });
  expect(numbers).toEqual(Array.from({ length: 500 }, (_, index) => index));
}

describe('a Phoenix client', () => {
  it('joins channels, is replied to, and hears pushes in order', async () => {
    const { port } = await aClientHouse(phoenixNode());
    const { channel } = join(connect(port), 'room:1');
    await talk(channel);
  });

  it('that polls keeps its session by a parameter of its own, and hears everything in order', async () => {
    const journal = phoenixJournal();
    const { port } = await aClientHouse(phoenixNode(journal), { affinity: byClient });
    // Their names are dice: that all of them belong to one node has a chance of 2^-23.
    const rooms = Array.from({ length: 24 }, () => join(connectByPolls(port), 'room:1'));
    await Promise.all(rooms.map(({ channel }) => talk(channel)));
    expect(rooms.map(({ homes }) => homes.length)).toEqual(rooms.map(() => 1));
    expect(journal.sessions.toSorted()).toEqual(rooms.flatMap(({ homes }) => homes).toSorted());
    expect(new Set(journal.sessions)).toEqual(new Set(['a', 'b']));
  });

  it.each([
    ['by none', { kind: 'none' }],
    ['by its token, which the node makes up after the first request', { kind: 'query', name: 'token' }],
    ['by a cookie, which is not kept outside of browsers', { kind: 'cookie' }],
  ])('that polls loses sessions with affinity %s', async (_, affinity) => {
    const journal = phoenixJournal();
    const { port } = await aClientHouse(phoenixNode(journal), { affinity });
    const codes: number[] = [];
    const sockets = Array.from({ length: 12 }, () => connectByPolls(port, { rejoinAfterMs: () => 20 }));
    for (const socket of sockets) {
      socket.onClose(({ code }) => void codes.push(code));
      join(socket, 'room:1');
    }
    // By 3410 it says that its next poll found no session; the other way to find out is a push that is refused, 1011.
    await until(
      () => codes.includes(3410) && journal.sessions.length > sockets.length,
      () => JSON.stringify([codes, journal.sessions]),
      20_000,
    );
  });

  it('joins its channels again on another node after the goodbye of a drain, and its heart beats there', async () => {
    const journal = phoenixJournal();
    const { heartbeats } = journal;
    const { port, drain } = await aClientHouse(phoenixNode(journal));
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

  it('that polls begins a session on another node when its next poll after a drain finds none', async () => {
    const journal = phoenixJournal();
    const { port, drain } = await aClientHouse(phoenixNode(journal), { affinity: byClient });
    const socket = connectByPolls(port, { rejoinAfterMs: () => 20 });
    const codes: number[] = [];
    socket.onClose(({ code }) => void codes.push(code));
    const rooms = ['room:1', 'room:2'].map((topic) => join(socket, topic));
    await until(
      () => rooms.every(({ homes }) => homes.length === 1),
      () => JSON.stringify(rooms.map(({ homes }) => homes)),
    );
    const home = rooms[0]?.homes[0] ?? '';
    const next = otherThan(home);
    await drain(home);
    await until(
      () => rooms.every(({ homes }) => homes.length === 2),
      () => JSON.stringify([rooms.map(({ homes }) => homes), codes]),
      20_000,
    );
    expect(rooms.map(({ homes }) => homes)).toEqual([
      [home, next],
      [home, next],
    ]);
    expect(codes).toEqual([3410]);
    // The poll that finds none gets a session that the client leaves at once.
    expect(journal.sessions).toEqual([home, next, next]);
    for (const { channel } of rooms) expect(await ask(channel, 'say', { now: next })).toEqual({ now: next });
  });

  it('that polls comes back at once when it pushes while its node is drained', async () => {
    const journal = phoenixJournal();
    // Its poll would last longer than the test.
    const { port, drainWithin } = await aClientHouse(phoenixNode(journal, 90_000), { affinity: byClient });
    const socket = connectByPolls(port, { rejoinAfterMs: () => 20 });
    const codes: number[] = [];
    socket.onClose(({ code }) => void codes.push(code));
    const { channel, homes } = join(socket, 'room:1');
    await until(
      () => homes.length === 1,
      () => 'no join',
    );
    const home = homes[0] ?? '';
    await until(
      () => journal.held.has(home),
      () => 'no poll',
    );
    const drained = drainWithin(home, 20_000);
    let isLost = true;
    channel.push('say', { is: 'lost' }).receive('ok', () => (isLost = false));
    await until(
      () => homes.length === 2,
      () => JSON.stringify([homes, codes]),
      20_000,
    );
    expect(homes).toEqual([home, otherThan(home)]);
    expect(codes).toEqual([1011]);
    // Were it sent again it would be answered first.
    expect(await ask(channel, 'say', { is: 'heard' })).toEqual({ is: 'heard' });
    expect(isLost).toBe(true);
    expect((await drained).progress.cut).toBe(0);
  });
});
