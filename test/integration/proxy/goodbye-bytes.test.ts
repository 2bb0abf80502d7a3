// A goodbye at any moment of any traffic: the client gets whole frames of the node's and one Close, nothing else; the
// node gets every byte of the client's through its Close.
import { existsSync, readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTransport } from '../../../src/balancer/proxy/transport.ts';
import type { Transport } from '../../../src/balancer/proxy/wire.ts';
import { encodeClose } from '../../../src/protocol/websocket.ts';
import { Cleanup, turns } from '../../contract/wire-recorder.ts';
import { aFrame, boundariesOf } from '../../support/frames.ts';
import { until } from '../../support/until.ts';
import { openRoom } from './relay-room.ts';

const ourClose = encodeClose({ code: 4321, reason: 'reconnect retry-ms=700' });
const clientClose = encodeClose({ code: 4321, reason: 'ok', masked: true });

const size = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 200 }) },
  { weight: 3, arbitrary: fc.nat({ max: 70_000 }) },
  { weight: 1, arbitrary: fc.nat({ max: 3_000_000 }) },
);
const fragment = fc.record({
  size,
  lengthBytes: fc.constantFrom(0 as const, 2 as const, 8 as const),
  reserved: fc.nat({ max: 7 }),
  // A ping or pong in front, as RFC 6455 allows between fragments.
  control: fc.option(fc.nat({ max: 125 }), { nil: undefined }),
});
const messages = fc.array(fc.array(fragment, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 });
const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 100_000 })), {
  minLength: 1,
  maxLength: 30,
});

const scenario = fc.record({
  fromNode: messages,
  fromClient: messages,
  nodeCuts: cuts,
  clientCuts: cuts,
  /** After how many of the node's pieces the goodbye is said. */
  leaveAfter: fc.nat({ max: 30 }),
  clientStalls: fc.boolean(),
  /** The wait for the end of a message is over at once: between two frames will do. */
  settlesForFrame: fc.boolean(),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

function streamOf(all: Scenario['fromNode'], masked: boolean): Buffer {
  const frames = all.flatMap((fragments) =>
    fragments.flatMap(({ control, ...fragmentOptions }, index) => {
      const fin = index === fragments.length - 1;
      const data = aFrame({ ...fragmentOptions, opcode: index === 0 ? 2 : 0, fin, masked });
      return control === undefined
        ? [data]
        : [aFrame({ opcode: 9 + (index % 2), size: control, masked }), data];
    }),
  );
  return Buffer.concat(frames);
}

/** `bytes` in pieces: the sizes in turn, at most `sizes.length` of them, the rest at once. */
function piecesOf(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const length of sizes) {
    if (at >= bytes.length) break;
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  if (at < bytes.length) pieces.push(bytes.subarray(at));
  return pieces;
}

async function run(transport: Transport, wish: Scenario): Promise<void> {
  const cleanup = new Cleanup();
  try {
    const room = await openRoom(transport, cleanup, { isFramed: true });
    const atClient = collect(room.client);
    const atNode = collect(room.node);
    if (wish.clientStalls) room.client.pause();
    const down = streamOf(wish.fromNode, false);
    const up = streamOf(wish.fromClient, true);
    const outcomes: string[] = [];
    let relayedBefore = 0;
    const leave = () => {
      relayedBefore = room.lease.counts.toClientBytes;
      const goodbye = { code: 4321, reason: 'reconnect', retryAfterMs: 700, byMs: 1e9 };
      room.relay.leave(goodbye, (outcome) => outcomes.push(outcome));
      if (wish.settlesForFrame) room.clock.advance(2_000);
    };
    const nodePieces = piecesOf(down, wish.nodeCuts);
    const clientPieces = piecesOf(up, wish.clientCuts);
    const leaveAfter = Math.min(wish.leaveAfter, nodePieces.length);
    for (let i = 0; i < Math.max(nodePieces.length, clientPieces.length); i++) {
      if (i === leaveAfter) leave();
      room.node.write(nodePieces[i] ?? '');
      room.client.write(clientPieces[i] ?? '');
      await turns(2);
    }
    if (leaveAfter >= Math.max(nodePieces.length, clientPieces.length)) leave();
    room.client.resume();
    await until(
      () => atClient().subarray(-ourClose.length).equals(ourClose),
      () => `no Close at the end of ${atClient().length} bytes`,
    );
    room.client.end(clientClose);
    await until(
      () => atNode().length >= up.length + clientClose.length,
      () => `the node has ${atNode().length} of ${up.length + clientClose.length} bytes`,
    );
    room.node.end(aFrame({ opcode: 8, size: 2 }));
    expect((await room.ended).reason).toBe('goodbye');
    const body = atClient().subarray(0, -ourClose.length);
    expect(body.equals(down.subarray(0, body.length))).toBe(true);
    expect(body.length).toBeGreaterThanOrEqual(relayedBefore);
    // Unless told, the clock stands still, so that nobody settles for a boundary within a message.
    const whole = boundariesOf(down).filter((each) => wish.settlesForFrame || each.isMessageBoundary);
    expect([0, ...whole.map(({ at }) => at)]).toContain(body.length);
    expect(atNode().equals(Buffer.concat([up, clientClose]))).toBe(true);
    expect(outcomes).toEqual(['closed']);
    expect(room.lease.releases).toBe(1);
  } finally {
    await cleanup.run();
  }
}

/** Open descriptors of this process; 0 where there is no /proc. */
function descriptors(): number {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;
}

function collect(socket: Socket): () => Buffer {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  let whole = Buffer.alloc(0);
  return () => {
    if (chunks.length > 0) whole = Buffer.concat([whole, ...chunks.splice(0)]);
    return whole;
  };
}

describe.each(['fast', 'plain'] as const)('a goodbye at a random moment over the %s transport', (form) => {
  it(
    'splits no frame, loses no byte of the client and leaves no descriptor (60 runs, seed 11)',
    { timeout: 60_000 },
    async () => {
      const transport = await createTransport({ form });
      const before = descriptors();
      await fc.assert(
        fc.asyncProperty(scenario, (wish) => run(transport, wish)),
        { numRuns: 60, seed: 11, endOnFailure: true },
      );
      await until(
        () => descriptors() <= before,
        () => `${descriptors()} descriptors after ${before}`,
      );
    },
  );
});
