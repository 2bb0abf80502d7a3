// WebSocket frames as tests write them, and where frames and messages end in a run of bytes, read naively.
import { Buffer } from 'node:buffer';

export interface FrameOptions {
  readonly opcode: number;
  readonly size: number;
  readonly fin?: boolean;
  readonly masked?: boolean;
  /** RSV1 to RSV3, 0..7. */
  readonly reserved?: number;
  /** Writes the length in 2 or 8 more bytes, though it would fit into less. */
  readonly lengthBytes?: 0 | 2 | 8;
  readonly fill?: number;
}

/** One frame. The payload looks like Close headers, unless told: whoever reads it as a header notices. */
export function aFrame({
  opcode,
  size,
  fin = true,
  masked = false,
  reserved = 0,
  lengthBytes = 0,
  fill = 0x88,
}: FrameOptions): Buffer {
  const extended = size > 0xffff ? 8 : Math.max(lengthBytes, size > 125 ? 2 : 0);
  const head = Buffer.alloc(2 + extended + (masked ? 4 : 0), 0xa5);
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | (extended === 0 ? size : extended === 2 ? 126 : 127);
  if (extended === 2) head.writeUInt16BE(size, 2);
  if (extended === 8) head.writeBigUInt64BE(BigInt(size), 2);
  return Buffer.concat([head, Buffer.alloc(size, fill)]);
}

/** Index behind each frame of `bytes`, a last one that is cut not included, and whether a message is whole there. */
export function boundariesOf(bytes: Buffer): { at: number; isMessageBoundary: boolean }[] {
  const found: { at: number; isMessageBoundary: boolean }[] = [];
  let inFragments = false;
  for (let at = 0; at + 2 <= bytes.length;) {
    const [first = 0, second = 0] = bytes.subarray(at, at + 2);
    const short = second & 0x7f;
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    const headerBytes = 2 + extended + (second & 0x80 ? 4 : 0);
    if (at + headerBytes > bytes.length) break;
    const size =
      extended === 0
        ? short
        : extended === 2
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2));
    at += headerBytes + size;
    if (at > bytes.length) break;
    if ((first & 0xf) < 8) inFragments = (first & 0x80) === 0;
    found.push({ at, isMessageBoundary: !inFragments });
  }
  return found;
}
