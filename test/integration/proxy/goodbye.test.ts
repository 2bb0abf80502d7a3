// A relayed WebSocket is asked to leave: what client and node see, byte by byte, over both forms of the transport.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createTransport } from '../../../src/balancer/proxy/transport.ts';
import type { Goodbye, GoodbyeOutcome } from '../../../src/balancer/state/ports.ts';
import { encodeClose } from '../../../src/protocol/websocket.ts';
import { Cleanup, turns } from '../../contract/wire-recorder.ts';
import { aFrame } from '../../support/frames.ts';
import { until } from '../../support/until.ts';
import { openRoom, type RelayRoom, type RoomOptions } from './relay-room.ts';

const MiB = 1024 * 1024;
const goodbye: Goodbye = { code: 1012, reason: 'reconnect', retryAfterMs: 1500, byMs: 60_000 };
const ourClose = encodeClose({ code: 1012, reason: 'reconnect retry-ms=1500' });
const clientClose = encodeClose({ code: 1012, reason: '', masked: true });
const nodeClose = encodeClose({ code: 1012, reason: '' });
const message = aFrame({ opcode: 2, size: 5 });
const fromClient = aFrame({ opcode: 1, size: 7, masked: true });

/** Everything that a socket receives, and whether its other side has ended. */
function listen(socket: Socket): { bytes: () => Buffer; ended: () => boolean } {
  const chunks: Buffer[] = [];
  let ended = false;
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('end', () => (ended = true));
  socket.on('close', () => (ended = true));
  socket.on('error', () => {});
  return { bytes: () => Buffer.concat(chunks), ended: () => ended };
}

interface LeavingRoom extends RelayRoom {
  readonly atClient: ReturnType<typeof listen>;
  readonly atNode: ReturnType<typeof listen>;
  readonly outcomes: GoodbyeOutcome[];
  leave(wish?: Partial<Goodbye>): void;
}

async function expectSettled(room: LeavingRoom, outcome: GoodbyeOutcome): Promise<void> {
  await room.ended;
  await turns();
  expect(room.outcomes).toEqual([outcome]);
  expect(room.relays.size).toBe(0);
  expect(room.lease.releases).toBe(1);
  expect(room.ends).toHaveLength(1);
  expect([room.downstream.isClosed, room.upstream.isClosed]).toEqual([true, true]);
  // Nothing waits any more but the tick of the relays.
  expect(room.clock.pending).toBe(1);
}

const got = (bytes: () => Buffer, expected: Buffer) =>
  until(
    () => bytes().length >= expected.length,
    () => `${bytes().length} of ${expected.length} bytes: ${bytes().toString('hex').slice(0, 200)}`,
  );

describe.each(['fast', 'plain'] as const)('goodbye over the %s transport', (form) => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  async function leavingRoom(options: RoomOptions = {}): Promise<LeavingRoom> {
    const room = await openRoom(await createTransport({ form }), cleanup, { isFramed: true, ...options });
    const outcomes: GoodbyeOutcome[] = [];
    return {
      ...room,
      atClient: listen(room.client),
      atNode: listen(room.node),
      outcomes,
      leave: (wish) => room.relay.leave({ ...goodbye, ...wish }, (outcome) => outcomes.push(outcome)),
    };
  }

  /** The relay has taken so many bytes from the node. */
  const relayed = (room: RelayRoom, count: number) =>
    until(
      () => room.lease.counts.toClientBytes >= count,
      () => `relayed ${room.lease.counts.toClientBytes} of ${count}`,
    );

  it('closes between two messages at once, by the whole closing handshake', async () => {
    const room = await leavingRoom();
    room.node.write(message);
    await got(room.atClient.bytes, message);
    room.leave();
    await got(room.atClient.bytes, Buffer.concat([message, ourClose]));
    // The node talks on: nothing may follow our Close.
    room.node.write(Buffer.concat([message, message]));
    room.client.write(Buffer.concat([fromClient, clientClose]));
    await got(room.atNode.bytes, Buffer.concat([fromClient, clientClose]));
    // We close the client's connection first; the node answers the Close that it saw, and that is swallowed.
    await until(
      () => room.atClient.ended(),
      () => 'the client sees no end',
    );
    expect(room.outcomes).toEqual(['closed']);
    expect(room.ends).toEqual([]);
    room.node.end(nodeClose);
    room.client.end();
    expect((await room.ended).reason).toBe('goodbye');
    expect(room.atClient.bytes()).toEqual(Buffer.concat([message, ourClose]));
    expect(room.atNode.bytes()).toEqual(Buffer.concat([fromClient, clientClose]));
    await expectSettled(room, 'closed');
  });

  it('waits for the end of a message, and closes right behind it though more came in the same read', async () => {
    const room = await leavingRoom();
    const first = aFrame({ opcode: 2, size: 300, fin: false });
    const ping = aFrame({ opcode: 9, size: 3 });
    const last = aFrame({ opcode: 0, size: 70_000 });
    room.node.write(Buffer.concat([first, ping, last.subarray(0, 40)]));
    await relayed(room, first.length + ping.length + 40);
    room.leave();
    await turns();
    room.node.write(Buffer.concat([last.subarray(40), message, message]));
    const whole = Buffer.concat([first, ping, last, ourClose]);
    await got(room.atClient.bytes, whole);
    room.client.end(clientClose);
    room.node.end(nodeClose);
    await expectSettled(room, 'closed');
    expect(room.atClient.bytes()).toEqual(whole);
    expect(room.atNode.bytes()).toEqual(clientClose);
  });

  it('closes between two frames of a message that does not end in time', async () => {
    const room = await leavingRoom();
    const first = aFrame({ opcode: 2, size: 300, fin: false });
    room.node.write(first);
    await got(room.atClient.bytes, first);
    room.leave();
    room.clock.advance(1_999);
    await turns();
    expect(room.atClient.bytes()).toEqual(first);
    room.clock.advance(1);
    await got(room.atClient.bytes, Buffer.concat([first, ourClose]));
    room.client.end(clientClose);
    room.node.end();
    await expectSettled(room, 'closed');
  });

  it('closes behind the next frame when the wait for the message ends within one', async () => {
    const room = await leavingRoom();
    const first = aFrame({ opcode: 2, size: 300, fin: false });
    room.node.write(first.subarray(0, 100));
    await relayed(room, 100);
    room.leave();
    room.clock.advance(2_000);
    room.node.write(Buffer.concat([first.subarray(100), message]));
    await got(room.atClient.bytes, Buffer.concat([first, ourClose]));
    room.client.end(clientClose);
    room.node.end();
    await expectSettled(room, 'closed');
    expect(room.atClient.bytes()).toEqual(Buffer.concat([first, ourClose]));
  });

  it('is cut at the deadline within a frame, and no Close of ours lands in it', async () => {
    const room = await leavingRoom();
    const frame = aFrame({ opcode: 2, size: 1000 });
    room.node.write(frame.subarray(0, 500));
    await relayed(room, 500);
    room.leave();
    room.clock.advance(60_000);
    expect((await room.ended).reason).toBe('cut');
    await expectSettled(room, 'cut');
    expect(frame.subarray(0, 500).equals(room.atClient.bytes())).toBe(true);
  });

  it('stays out when the node has said Close, and ends what is still there at the deadline', async () => {
    const room = await leavingRoom();
    room.node.write(nodeClose);
    await got(room.atClient.bytes, nodeClose);
    room.leave();
    await turns();
    expect(room.ends).toEqual([]);
    room.clock.advance(60_000);
    await expectSettled(room, 'cut');
    expect(room.atClient.bytes()).toEqual(nodeClose);
  });

  it('stays out when the client has said Close', async () => {
    const room = await leavingRoom();
    room.client.write(clientClose);
    await got(room.atNode.bytes, clientClose);
    room.leave();
    room.node.end(nodeClose);
    await got(room.atClient.bytes, nodeClose);
    room.client.end();
    await expectSettled(room, 'alreadyGone');
    expect(room.atClient.bytes()).toEqual(nodeClose);
  });

  it.each(['node', 'client'] as const)(
    'stays out when the %s says Close while it waits for a boundary',
    async (who) => {
      const room = await leavingRoom();
      const first = aFrame({ opcode: 2, size: 10, fin: false });
      const last = aFrame({ opcode: 0, size: 10 });
      room.node.write(first);
      await relayed(room, first.length);
      room.leave();
      if (who === 'node') room.node.write(nodeClose);
      else room.client.write(clientClose);
      await until(
        () => (who === 'node' ? room.atClient : room.atNode).bytes().includes(0x03),
        () => 'no Close has passed',
      );
      room.node.end(Buffer.concat([last, message]));
      await until(
        () => room.atClient.ended(),
        () => 'no end',
      );
      room.client.end();
      await expectSettled(room, 'alreadyGone');
      const close = who === 'node' ? nodeClose : Buffer.alloc(0);
      expect(room.atClient.bytes()).toEqual(Buffer.concat([first, close, last, message]));
    },
  );

  it('still tells the client when the node dies between two frames', async () => {
    const room = await leavingRoom();
    const first = aFrame({ opcode: 2, size: 10, fin: false });
    room.node.write(first);
    await got(room.atClient.bytes, first);
    room.leave();
    room.node.resetAndDestroy();
    await got(room.atClient.bytes, Buffer.concat([first, ourClose]));
    expect(room.ends).toEqual([]);
    room.client.end(Buffer.concat([fromClient, clientClose]));
    expect((await room.ended).reason).toBe('goodbye');
    await expectSettled(room, 'closed');
  });

  it('passes on that the node died within a frame', async () => {
    const room = await leavingRoom();
    room.node.write(message.subarray(0, 4));
    await relayed(room, 4);
    room.leave();
    room.node.resetAndDestroy();
    expect((await room.ended).reason).toBe('nodeReset');
    await expectSettled(room, 'alreadyGone');
  });

  it('goes on with the closing handshake when the node dies behind our Close', async () => {
    const room = await leavingRoom();
    room.leave();
    await got(room.atClient.bytes, ourClose);
    room.node.resetAndDestroy();
    await until(
      () => room.upstream.isClosed,
      () => 'the upstream is still open',
    );
    await turns();
    expect([room.ends, room.outcomes]).toEqual([[], []]);
    room.client.end(clientClose);
    await expectSettled(room, 'closed');
    expect(room.atClient.bytes()).toEqual(ourClose);
  });

  it('passes the answer on to a node that has ended its half, and takes that for no end of the client', async () => {
    const room = await leavingRoom();
    room.leave();
    await got(room.atClient.bytes, ourClose);
    room.node.end();
    await turns(50);
    expect(room.atClient.ended()).toBe(false);
    room.client.end(clientClose);
    await got(room.atNode.bytes, clientClose);
    await expectSettled(room, 'closed');
  });

  it('ends a client that does not answer ten seconds later, with its node', async () => {
    const room = await leavingRoom();
    room.leave();
    await got(room.atClient.bytes, ourClose);
    room.client.write(fromClient);
    await got(room.atNode.bytes, fromClient);
    room.clock.advance(9_999);
    expect(room.ends).toEqual([]);
    room.clock.advance(1);
    expect((await room.ended).reason).toBe('goodbye');
    await expectSettled(room, 'refusedByPeer');
  });

  it('does not wait ten seconds where the deadline is nearer', async () => {
    const room = await leavingRoom();
    room.leave({ byMs: 700 });
    await got(room.atClient.bytes, ourClose);
    room.clock.advance(700);
    await expectSettled(room, 'refusedByPeer');
  });

  it('passes data that the client sends before its answer, and nothing that it sends behind it', async () => {
    const room = await leavingRoom();
    room.leave();
    await got(room.atClient.bytes, ourClose);
    const many = Buffer.concat(Array.from({ length: 50 }, () => fromClient));
    room.client.end(Buffer.concat([many, clientClose, fromClient]));
    await until(
      () => room.atNode.ended(),
      () => 'the node sees no end',
    );
    room.node.end();
    await expectSettled(room, 'closed');
    expect(room.atNode.bytes()).toEqual(Buffer.concat([many, clientClose]));
  });

  it('finds the answer however it is cut', async () => {
    const room = await leavingRoom();
    room.leave();
    const sent = Buffer.concat([fromClient, clientClose]);
    for (const byte of sent) {
      room.client.write(Buffer.from([byte]));
      await turns(3);
    }
    await got(room.atNode.bytes, sent);
    room.client.end();
    room.node.end();
    await expectSettled(room, 'closed');
    expect(room.atNode.bytes()).toEqual(sent);
  });

  it('takes a client that ends its half instead of answering for gone', async () => {
    const room = await leavingRoom();
    room.leave();
    await got(room.atClient.bytes, ourClose);
    room.client.end();
    await until(
      () => room.atNode.ended(),
      () => 'the node sees no end',
    );
    room.node.end();
    await expectSettled(room, 'closed');
  });

  it('takes a client that resets behind our Close for gone', async () => {
    const room = await leavingRoom();
    room.leave();
    await got(room.atClient.bytes, ourClose);
    room.client.resetAndDestroy();
    await expectSettled(room, 'closed');
  });

  it('is none when the client goes away before it is told', async () => {
    const room = await leavingRoom();
    room.node.write(message.subarray(0, 3));
    await relayed(room, 3);
    room.leave();
    room.client.resetAndDestroy();
    expect((await room.ended).reason).toBe('clientReset');
    await expectSettled(room, 'alreadyGone');
  });

  it('puts the Close behind everything that is queued for a client that reads late', async () => {
    const room = await leavingRoom();
    room.client.pause();
    const frames = Array.from({ length: 64 }, (_, i) => aFrame({ opcode: 2, size: MiB / 4 + i, fill: i }));
    room.node.write(Buffer.concat(frames));
    await stalls(room);
    room.leave();
    room.clock.advance(1_000);
    room.client.resume();
    const all = Buffer.concat(frames);
    await until(
      () => room.atClient.bytes().subarray(-ourClose.length).equals(ourClose),
      () => `${room.atClient.bytes().length} bytes and no Close`,
    );
    room.client.end(clientClose);
    room.node.end();
    await expectSettled(room, 'closed');
    const bytes = room.atClient.bytes();
    const body = bytes.subarray(0, bytes.length - ourClose.length);
    // Whole messages only, in order.
    expect(body.equals(all.subarray(0, body.length))).toBe(true);
    const ends = new Set<number>();
    frames.reduce((at, frame) => (ends.add(at + frame.length), at + frame.length), 0);
    expect(ends.has(body.length)).toBe(true);
  });

  it('is cut when the client never reads, and leaves nothing', async () => {
    const room = await leavingRoom();
    room.client.pause();
    room.node.write(Buffer.concat(Array.from({ length: 256 }, () => aFrame({ opcode: 2, size: MiB / 8 }))));
    await stalls(room);
    room.leave();
    room.clock.advance(60_000);
    room.client.resume();
    await expectSettled(room, 'cut');
    // However much the kernel had: no Close of ours within a frame.
    expect(room.atClient.bytes().includes(ourClose)).toBe(false);
  });

  it('ends at the deadline when the node reads nothing and so keeps the answer back', async () => {
    const room = await leavingRoom();
    room.node.pause();
    room.client.write(
      Buffer.concat(Array.from({ length: 256 }, () => aFrame({ opcode: 2, size: MiB / 8, masked: true }))),
    );
    room.client.write(clientClose);
    await turns(200);
    room.leave();
    await got(room.atClient.bytes, ourClose);
    room.clock.advance(10_000);
    await expectSettled(room, 'refusedByPeer');
  });

  it('is said once: a second one hears so, one after the end too', async () => {
    const room = await leavingRoom();
    room.leave();
    room.leave();
    expect(room.outcomes).toEqual(['alreadyLeaving']);
    room.outcomes.length = 0;
    await got(room.atClient.bytes, ourClose);
    room.client.end(clientClose);
    room.node.end();
    await expectSettled(room, 'closed');
    room.leave();
    expect(room.outcomes).toEqual(['closed', 'alreadyGone']);
  });

  it('gives way to a stop of the relay', async () => {
    const room = await leavingRoom();
    room.leave();
    await got(room.atClient.bytes, ourClose);
    room.relay.stop();
    await expectSettled(room, 'refusedByPeer');
  });

  it('of bytes that are no WebSocket is a cut at the deadline', async () => {
    const room = await leavingRoom();
    room.node.write(aFrame({ opcode: 9, size: 200 }));
    await relayed(room, 200);
    room.leave();
    room.clock.advance(60_000);
    await expectSettled(room, 'cut');
  });

  it('of a tunnel without frames ends our half, and the rest when the client has ended its own', async () => {
    const room = await leavingRoom({ isFramed: false });
    room.node.write('abc');
    await got(room.atClient.bytes, Buffer.from('abc'));
    room.leave();
    await until(
      () => room.atClient.ended(),
      () => 'no end',
    );
    room.node.write('late');
    room.client.end('last words');
    await until(
      () => room.atNode.ended(),
      () => 'the node sees no end',
    );
    room.node.end();
    await expectSettled(room, 'closed');
    expect([room.atClient.bytes().toString(), room.atNode.bytes().toString()]).toEqual(['abc', 'last words']);
  });

  it('of a tunnel without frames ends it at the deadline', async () => {
    const room = await leavingRoom({ isFramed: false });
    room.leave();
    await once(room.client, 'end');
    room.clock.advance(59_999);
    expect(room.ends).toEqual([]);
    room.clock.advance(1);
    await expectSettled(room, 'refusedByPeer');
  });

  /** Waits until the relay takes nothing more from the node. */
  async function stalls(room: RelayRoom): Promise<void> {
    for (let last = -1; last !== room.lease.counts.toClientBytes;) {
      last = room.lease.counts.toClientBytes;
      await turns(200);
    }
  }
});
