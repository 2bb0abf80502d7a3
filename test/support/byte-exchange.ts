// Random bytes both ways at once between readers that stall: each side knows what it has sent and what it has received.
import type { Buffer } from 'node:buffer';
import { createHash, randomBytes } from 'node:crypto';
import type { Duplex, Readable, Writable } from 'node:stream';
import { pcg32, type Rng } from '../../src/core/rng.ts';

/** What one side does. */
export interface ExchangeOptions {
  readonly seed: number;
  /** To send, and to await. */
  readonly bytes: number;
  /** Ends its half behind its bytes, and awaits the other's end; else both are taken for over by their bytes. */
  readonly halfCloses: boolean;
  /** Bytes of the other side that were read before. */
  readonly early?: Buffer;
}

/** What has passed, by SHA-256. */
export interface Exchanged {
  readonly sent: string;
  readonly received: string;
  readonly receivedBytes: number;
}

const largestChunk = 150_000;
const longestStallMs = 15;
const mostBetweenStalls = 1_000_000;

/** Runs one side to its end; rejects when the socket breaks. */
export async function exchangeBytes(socket: Duplex, options: ExchangeOptions): Promise<Exchanged> {
  const { seed, bytes, halfCloses, early } = options;
  const broken = new Promise<never>((_, reject) => {
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed within the exchange')));
  });
  broken.catch(() => {});
  const sending = sendAll(socket, { seed, bytes }).then((sent) => {
    if (halfCloses) socket.end();
    return sent;
  });
  const receiving = receiveAll(socket, {
    seed: seed + 1000,
    ...(early !== undefined && { early }),
    ...(halfCloses ? {} : { bytes }),
  });
  const [sent, received] = await Promise.race([Promise.all([sending, receiving]), broken]);
  return { sent, ...received };
}

/** Writes so many random bytes as fast as they are taken; gives their hash. */
export async function sendAll(
  sink: Writable,
  { seed, bytes }: { readonly seed: number; readonly bytes: number },
): Promise<string> {
  const rng = pcg32(seed);
  const hash = createHash('sha256');
  for (let left = bytes; left > 0;) {
    const chunk = randomChunk(rng, left);
    left -= chunk.length;
    hash.update(chunk);
    if (!sink.write(chunk)) await new Promise((resolve) => sink.once('drain', resolve));
  }
  return hash.digest('hex');
}

/** Many small ones and some large ones, as writes are. */
function randomChunk(rng: Rng, most: number): Buffer {
  return randomBytes(Math.min(most, 1 + Math.floor(rng.next() ** 3 * largestChunk)));
}

/** Reads to the end, or so many bytes, standing still at random; `early` are bytes that were read before. */
export function receiveAll(
  source: Readable,
  { seed, bytes, early }: { readonly seed: number; readonly bytes?: number; readonly early?: Buffer },
): Promise<Omit<Exchanged, 'sent'>> {
  const rng = pcg32(seed);
  const hash = createHash('sha256');
  return new Promise((resolve) => {
    let receivedBytes = 0;
    let untilStall = 0;
    const finish = () => resolve({ received: hash.digest('hex'), receivedBytes });
    const take = (chunk: Buffer): void => {
      hash.update(chunk);
      receivedBytes += chunk.length;
      if (bytes !== undefined && receivedBytes >= bytes) return finish();
      untilStall -= chunk.length;
      if (untilStall > 0) return;
      untilStall = rng.next() * mostBetweenStalls;
      source.pause();
      setTimeout(() => source.resume(), rng.next() * longestStallMs);
    };
    if (early !== undefined && early.length > 0) take(early);
    source.on('data', take);
    // Whoever has read a head has paused it.
    source.resume();
    if (bytes === undefined) source.once('end', finish);
  });
}
