// Reads /proc/net/tcp and tcp6 line by line without making text of them: with 200,000 sockets they have 30 MB.
import { closeSync, openSync, readSync } from 'node:fs';

/** One line of the table. */
export interface TcpLine {
  readonly localPort: number;
  /** As the kernel numbers them: 1 is established, 10 listening. */
  readonly state: number;
  /** The whole line. */
  readonly text: () => string;
}

/** The kernel gives a page at a time, whole lines only; a test's file may be cut anywhere. */
const chunkBytes = 64 * 1024;
const lineFeed = 0x0a;
const colon = 0x3a;

/** Calls `visit` for each line until it answers false. False when the table cannot be opened. */
export function readTable(path: string, visit: (line: TcpLine) => boolean): boolean {
  return readLines(path, (buffer, start, end) => {
    const key = portAndState(buffer, start, end);
    if (key < 0) return true;
    return visit({
      localPort: key >> 8,
      state: key & 0xff,
      text: () => buffer.toString('latin1', start, end),
    });
  });
}

const established = 1;

/** How many established connections have a local port that `wanted` marks; undefined when the table cannot be opened. */
export function countEstablished(path: string, wanted: Uint8Array): number | undefined {
  let count = 0;
  const isRead = readLines(path, (buffer, start, end) => {
    const key = portAndState(buffer, start, end);
    if (key >= 0 && (key & 0xff) === established && wanted[key >> 8] === 1) count += 1;
    return true;
  });
  return isRead ? count : undefined;
}

type VisitLine = (buffer: Buffer, start: number, end: number) => boolean;

/** Hands over each line but the first, which has the titles, as a part of a buffer that is used again. */
function readLines(path: string, visit: VisitLine): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return false;
  }
  try {
    readChunks(descriptor, visit);
    return true;
  } catch {
    return false;
  } finally {
    closeSync(descriptor);
  }
}

function readChunks(descriptor: number, visit: VisitLine): void {
  const buffer = Buffer.allocUnsafe(chunkBytes);
  let kept = 0;
  let isTitle = true;
  for (;;) {
    const bytes = readSync(descriptor, buffer, kept, chunkBytes - kept, null);
    const filled = kept + bytes;
    let start = 0;
    for (let end = lineEnd(buffer, 0, filled); end >= 0; end = lineEnd(buffer, start, filled)) {
      if (!isTitle && !visit(buffer, start, end)) return;
      isTitle = false;
      start = end + 1;
    }
    // A line longer than the whole buffer is none of the kernel's.
    if (bytes === 0 || (start === 0 && filled === chunkBytes)) return;
    buffer.copyWithin(0, start, filled);
    kept = filled - start;
  }
}

/** Where the line that begins at `start` ends; -1 when its end is not among the bytes that are filled. */
function lineEnd(buffer: Buffer, start: number, filled: number): number {
  const end = buffer.indexOf(lineFeed, start);
  return end < filled ? end : -1;
}

/** `port << 8 | state` of a line such as `  12: 0100007F:1F90 0200007F:D431 01 …`; -1 for garbage. */
function portAndState(buffer: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && buffer[at] !== colon) at += 1;
  const local = at + 2;
  // 8 digits of an IPv4 address, or 32 of an IPv6 one.
  const width = buffer[local + 8] === colon ? 8 : 32;
  const state = local + 2 * (width + 6);
  if (state + 2 > end || buffer[local + width] !== colon) return -1;
  const port = hex(buffer, local + width + 1, 4);
  const code = hex(buffer, state, 2);
  return port < 0 || code < 0 ? -1 : (port << 8) | code;
}

function hex(buffer: Buffer, at: number, digits: number): number {
  let value = 0;
  for (let index = at; index < at + digits; index += 1) {
    const byte = buffer[index] ?? 0;
    const digit = byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57;
    if (digit < 0 || digit > 15) return -1;
    value = value * 16 + digit;
  }
  return value;
}
