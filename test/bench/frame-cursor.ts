// What counting messages costs: nanoseconds for each frame, one frame in a chunk and eight.
import { FrameCursor } from '../../src/protocol/websocket.ts';

/** One line of the result. */
export interface FrameCursorRow {
  readonly payloadBytes: number;
  readonly framesPerChunk: number;
  readonly nanosecondsPerFrame: number;
}

const warmUpFrames = 1_000_000;
const measuredFrames = 8_000_000;

/** Scans masked binary frames of three sizes. Takes about a second. */
export function benchFrameCursor(): FrameCursorRow[] {
  return [64, 1024, 16_384].flatMap((payloadBytes) =>
    [1, 8].map((framesPerChunk) => measure(payloadBytes, framesPerChunk)),
  );
}

function measure(payloadBytes: number, framesPerChunk: number): FrameCursorRow {
  const chunk = Buffer.concat(Array.from({ length: framesPerChunk }, () => maskedFrame(payloadBytes)));
  const cursor = new FrameCursor();
  scan(cursor, chunk, warmUpFrames / framesPerChunk);
  const startedAt = process.hrtime.bigint();
  const messages = scan(cursor, chunk, measuredFrames / framesPerChunk);
  const nanoseconds = Number(process.hrtime.bigint() - startedAt);
  if (messages !== measuredFrames) throw new Error(`counted ${messages} messages of ${measuredFrames}`);
  return { payloadBytes, framesPerChunk, nanosecondsPerFrame: nanoseconds / measuredFrames };
}

function scan(cursor: FrameCursor, chunk: Buffer, rounds: number): number {
  let messages = 0;
  for (let i = 0; i < rounds; i++) messages += cursor.scan(chunk, 0, chunk.length);
  return messages;
}

/** A client's binary frame with a mask of zero. */
export function maskedFrame(payloadBytes: number): Buffer {
  const extended = payloadBytes > 125 ? 2 : 0;
  const frame = Buffer.alloc(2 + extended + 4 + payloadBytes);
  frame[0] = 0x82;
  frame[1] = 0x80 | (extended === 0 ? payloadBytes : 126);
  if (extended === 2) frame.writeUInt16BE(payloadBytes, 2);
  return frame;
}
