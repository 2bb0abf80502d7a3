// What every connection of a soak carries: bytes that follow from its own number, so that both ends know each one and a
// foreign byte is seen. Pure.
import { createHash } from 'node:crypto';
import type { Rng } from '../../src/core/rng.ts';

// A prime: no two connections meet the same bytes at the same offset soon.
const poolBytes = 1_048_573;
const largestBytes = 300 * 1024;

/** How a message is written. */
export type Alphabet = 'text' | 'binary';

/** A message: all of its bytes follow from these. */
export interface MessageName {
  readonly connection: number;
  /** From 0, in the order in which they are sent on this connection. */
  readonly number: number;
  readonly size: number;
  readonly alphabet: Alphabet;
}

const pools: Readonly<Record<Alphabet, Buffer>> = {
  // Printable ASCII: good in a WebSocket text message and in a line of an event stream.
  text: poolOf('text', (byte) => 32 + (byte % 95)),
  binary: poolOf('binary', (byte) => byte),
};

function poolOf(alphabet: Alphabet, byteOf: (byte: number) => number): Buffer {
  const bytes = createHash('shake256', { outputLength: poolBytes })
    .update(alphabet)
    .digest()
    .map((byte) => byteOf(byte));
  // Its beginning once more, so that every message is one piece of it.
  return Buffer.concat([bytes, bytes.subarray(0, largestBytes)]);
}

/** Bytes `from` to `from + size` of the endless stream of a connection; `size` is at most 300 KiB. */
export function streamBytes(connection: number, from: number, size: number): Buffer {
  const start = (connection * 104_729 + from) % poolBytes;
  return pools.binary.subarray(start, start + size);
}

/** All bytes of a message. */
export function messageBytes({ connection, number, size, alphabet }: MessageName): Buffer {
  const start = (connection * 104_729 + number * 15_485) % poolBytes;
  return pools[alphabet].subarray(start, start + size);
}

/** A size from 1 byte to 300 KiB, as many in each decade. */
export function drawSize(rng: Rng): number {
  return Math.min(largestBytes, Math.floor(Math.exp(rng.next() * Math.log(largestBytes + 1))));
}

/** A number from `least` up to `most`. */
export function between(rng: Rng, [least, most]: readonly [number, number]): number {
  return least + rng.next() * (most - least);
}
