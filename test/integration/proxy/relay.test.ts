import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createTransport } from '../../../src/balancer/proxy/transport.ts';
import { pcg32 } from '../../../src/core/rng.ts';
import { encodeClose } from '../../../src/protocol/websocket.ts';
import { Cleanup, Recorder, randomBytes, turns } from '../../contract/wire-recorder.ts';
import { openRoom } from './relay-room.ts';
import type { RelayRoom, RoomOptions } from './relay-room.ts';

const MiB = 1024 * 1024;

/** What every end has to leave behind, whatever its reason. */
async function expectSettled({ relays, lease, ends, downstream, upstream }: RelayRoom): Promise<void> {
  await turns();
  expect(relays.size).toBe(0);
  expect(lease.releases).toBe(1);
  expect(ends).toHaveLength(1);
  expect([downstream.isClosed, upstream.isClosed]).toEqual([true, true]);
}

describe.each(['fast', 'plain'] as const)('relay over the %s transport', (form) => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  async function room(options: RoomOptions = {}): Promise<RelayRoom> {
    return openRoom(await createTransport({ form }), cleanup, options);
  }

  it('carries bytes both ways and counts them', async () => {
    const opened = await room();
    const { client, node, lease } = opened;
    client.write('ping');
    expect((await once(node, 'data')).toString()).toBe('ping');
    node.write('pong!');
    expect((await once(client, 'data')).toString()).toBe('pong!');
    expect(lease.counts).toEqual({
      toNodeMessages: 1,
      toNodeBytes: 4,
      toClientMessages: 1,
      toClientBytes: 5,
    });
    client.end();
    await once(node, 'end');
    node.end();
    const { reason, totals } = await opened.ended;
    expect(reason).toBe('client');
    expect(totals).toEqual({
      toNodeBytes: 4,
      toNodeMessages: 1,
      toClientBytes: 5,
      toClientMessages: 1,
      durationMs: 0,
    });
    await expectSettled(opened);
  });

  it('counts the messages of a WebSocket in each direction', async () => {
    const { client, node, lease } = await room({ isFramed: true });
    const message = Buffer.from([0x82, 3, 1, 2, 3]);
    client.write(Buffer.concat([message, message, Buffer.from([0x89, 0])]));
    await once(node, 'data');
    node.write(Buffer.concat([message, encodeClose({ code: 1000, reason: '' })]));
    await once(client, 'data');
    expect(lease.counts).toEqual({
      toNodeMessages: 2,
      toNodeBytes: 12,
      toClientMessages: 1,
      toClientBytes: 9,
    });
  });

  it('moves what was left over of either side first', async () => {
    const fromClient = Buffer.from('early client ');
    const fromNode = Buffer.from('early node ');
    const { client, node, lease } = await room({
      fromClient,
      fromNode,
      before: ({ client, node }) => {
        client.end('later');
        node.end('later');
      },
    });
    const [atNode, atClient] = await Promise.all([readAll(node), readAll(client)]);
    expect([atNode.toString(), atClient.toString()]).toEqual(['early client later', 'early node later']);
    expect([lease.counts.toNodeBytes, lease.counts.toClientBytes]).toEqual([18, 16]);
  });

  it('is byte exact both ways at once against readers that stall', async () => {
    const { client, node, ended, lease } = await room();
    const up = randomBytes(pcg32(31), 16 * MiB);
    const down = randomBytes(pcg32(32), 16 * MiB);
    const atNode = readStalling(node, 33);
    const atClient = readStalling(client, 34);
    client.end(up);
    node.end(down);
    expect((await atNode).equals(up)).toBe(true);
    expect((await atClient).equals(down)).toBe(true);
    const { reason, totals } = await ended;
    expect(['client', 'node']).toContain(reason);
    expect([totals.toNodeBytes, totals.toClientBytes]).toEqual([up.length, down.length]);
    expect(lease.counts.toNodeBytes).toBe(up.length);
  });

  it('holds back a sender whose receiver does not read, and keeps no more than a read of its bytes', async () => {
    const opened = await room();
    const { client, node, lease } = opened;
    node.pause();
    const size = 64 * MiB;
    client.write(Buffer.alloc(size));
    // Waits until nothing moves any more.
    for (let last = -1; last !== lease.counts.toNodeBytes;) {
      last = lease.counts.toNodeBytes;
      await turns(200);
    }
    expect(lease.counts.toNodeBytes).toBeLessThan(size / 2);
    node.resume();
    let got = 0;
    node.on('data', (chunk: Buffer) => (got += chunk.length));
    client.end();
    await once(node, 'end');
    expect(got).toBe(size);
  });

  it('forwards a half-close behind the bytes, and lets the other half go on', async () => {
    const { client, node, ended } = await room();
    const up = randomBytes(pcg32(35), 8 * MiB);
    client.end(up);
    expect((await readAll(node)).equals(up)).toBe(true);
    const down = randomBytes(pcg32(36), 8 * MiB);
    node.end(down);
    expect((await readAll(client)).equals(down)).toBe(true);
    expect((await ended).reason).toBe('client');
  });

  it('names the node when the node ends first', async () => {
    const opened = await room();
    opened.node.end('bye');
    expect((await readAll(opened.client)).toString()).toBe('bye');
    opened.client.end();
    expect((await opened.ended).reason).toBe('node');
    await expectSettled(opened);
  });

  it('passes on an end that came before it took over', async () => {
    const opened = await room({
      before: async ({ downstream, client }) => {
        const heard = new Recorder();
        downstream.reader = heard;
        downstream.resume();
        client.end();
        await heard.saw('ended');
      },
    });
    await once(opened.node.resume(), 'end');
    opened.node.end();
    expect((await opened.ended).reason).toBe('client');
    await expectSettled(opened);
  });

  it.each([
    ['client', 'clientReset', 'node'],
    ['node', 'nodeReset', 'client'],
  ] as const)(
    'a reset by the %s ends both sides (%s) and reaches the %s as a reset',
    async (who, reason, other) => {
      const opened = await room();
      const otherError = new Promise((resolve) => opened[other].once('error', resolve));
      opened[who].resetAndDestroy();
      expect((await opened.ended).reason).toBe(reason);
      expect(await otherError).toMatchObject({ code: 'ECONNRESET' });
      await expectSettled(opened);
    },
  );

  it.each([
    ['client', 'node'],
    ['node', 'client'],
  ] as const)('a %s that resets while the %s does not read ends both', async (who, other) => {
    const opened = await room();
    opened[other].pause();
    opened[who].write(Buffer.alloc(32 * MiB));
    await turns(200);
    opened[who].resetAndDestroy();
    // The relay does not read from that side any more: the reset shows when the other side reads again, and
    // then as an end where unread bytes were before it (libuv). Servers answer an end by their own.
    opened[other].once('end', () => opened[other].end());
    opened[other].resume();
    await opened.ended;
    await expectSettled(opened);
  });

  it('a client that goes away while the node floods it ends both', async () => {
    const opened = await room();
    opened.node.write(Buffer.alloc(32 * MiB));
    opened.client.pause();
    await turns(200);
    opened.client.resetAndDestroy();
    expect((await opened.ended).reason).toBe('clientReset');
    await expectSettled(opened);
  });

  it('ends at once when a wire had closed before', async () => {
    const opened = await room({ before: ({ upstream }) => upstream.destroy() });
    expect((await opened.ended).reason).toBe('nodeReset');
    await expectSettled(opened);
  });

  it('ends when it is stopped, and stopping again does nothing', async () => {
    const opened = await room();
    opened.relay.stop();
    opened.relay.stop();
    opened.relays.stop();
    expect((await opened.ended).reason).toBe('stopped');
    await Promise.all([once(opened.client.resume(), 'end'), once(opened.node.resume(), 'end')]);
    await expectSettled(opened);
  });

  it('stops all relays and its tick with the owner', async () => {
    const opened = await room();
    expect([opened.relays.size, opened.clock.pending]).toEqual([1, 1]);
    opened.relays.stop();
    expect((await opened.ended).reason).toBe('stopped');
    expect(opened.clock.pending).toBe(0);
    await expectSettled(opened);
  });

  it('ends an idle relay, not before the timeout and not while bytes pass', async () => {
    const opened = await room({ idleTimeoutMs: 60_000 });
    const { client, node, clock, relays } = opened;
    clock.advance(59_000);
    client.write('x');
    await once(node, 'data');
    clock.advance(59_000);
    expect(relays.size).toBe(1);
    node.write('y');
    await once(client, 'data');
    clock.advance(60_000);
    expect(relays.size).toBe(1);
    clock.advance(1000);
    const { reason, totals } = await opened.ended;
    expect([reason, totals.durationMs]).toEqual(['idle', 179_000]);
    await expectSettled(opened);
  });

  it('does not let a half-closed relay live for ever, though bytes pass', async () => {
    const opened = await room({ halfClosedTimeoutMs: 30_000, idleTimeoutMs: 20_000 });
    const { client, node, clock, relays } = opened;
    client.end();
    await once(node.resume(), 'end');
    client.resume();
    for (let at = 0; at < 29_000; at += 1000) {
      node.write('still here');
      await once(client, 'data');
      clock.advance(1000);
    }
    expect(relays.size).toBe(1);
    clock.advance(1000);
    expect((await opened.ended).reason).toBe('halfClosed');
    await expectSettled(opened);
  });
});

async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

async function readStalling(socket: Socket, seed: number): Promise<Buffer> {
  const rng = pcg32(seed);
  socket.on('data', () => {
    if (rng.next() < 0.9) return;
    socket.pause();
    setTimeout(() => socket.resume(), rng.next() * 20);
  });
  return readAll(socket);
}
