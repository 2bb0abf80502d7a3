// Clients of tunnels that take nothing of what waits for them: memory has bounds, for each and for all together.
import { afterEach, describe, expect, it } from 'vitest';
import { createTransport } from '../../../src/balancer/proxy/transport.ts';
import { Cleanup } from '../../contract/wire-recorder.ts';
import { testedForm } from '../../support/counting-transport.ts';
import { until } from '../../support/until.ts';
import { openRoom, type RelayRoom } from './relay-room.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** The node has sent so much that a piece waits for its client. */
async function stalledRoom(): Promise<RelayRoom> {
  const transport = await createTransport({ form: testedForm });
  const room = await openRoom(transport, cleanup, { stallTimeoutMs: 60_000 });
  room.client.pause();
  const chunk = Buffer.alloc(64 * 1024);
  const more = (): void => {
    while (!room.node.destroyed && room.node.write(chunk));
  };
  room.node.on('error', () => {});
  room.node.on('drain', more);
  more();
  await until(
    () => room.relay.waitsSinceMs !== Infinity,
    () => 'nothing waits for the client',
  );
  return room;
}

describe('a tunnel whose client reads nothing', () => {
  it('keeps one piece waiting and is reset after the time', async () => {
    const room = await stalledRoom();
    expect(room.relays.waitingBytes).toBeGreaterThan(0);
    expect(room.relays.waitingBytes).toBeLessThanOrEqual(64 * 1024);
    room.clock.advance(59_000);
    expect(room.ends).toEqual([]);
    room.clock.advance(2_000);
    expect(room.ends).toEqual(['stalled']);
    expect(room.relays.waitingBytes).toBe(0);
  });

  it('goes on when its client reads again in time', async () => {
    const room = await stalledRoom();
    room.clock.advance(59_000);
    room.client.resume();
    const sentBytes = room.lease.counts.toClientBytes;
    await until(
      () => room.lease.counts.toClientBytes > sentBytes + 1024 * 1024,
      () => 'the relay has not gone on',
    );
    expect(room.ends).toEqual([]);
  });

  it('is reset before its time when all together keep too much waiting', async () => {
    const transport = await createTransport({ form: testedForm });
    const room = await openRoom(transport, cleanup, { maxWaitingBytes: 1 });
    room.client.pause();
    room.node.on('error', () => {});
    room.node.write(Buffer.alloc(64 * 1024 * 1024));
    await until(
      () => room.ends.length > 0,
      () => 'nobody was given up',
    );
    expect(room.ends).toEqual(['stalled']);
    expect(room.relays.waitingBytes).toBe(0);
  });
});
