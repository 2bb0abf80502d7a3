// WebSocket framing as a relay needs it (RFC 6455, section 5.2): where frames and messages end, and how to write
// a Close. It never looks at a payload and keeps none.

/** Where a frame of ours may go: behind a message, behind a frame, or only behind a Close (where none may). */
export type BoundaryKind = 'message' | 'frame' | 'close';

/** Longest frame header: 2 bytes, 8 of extended length, 4 of mask. */
const maxHeaderBytes = 14;
const finBit = 0x80;
const maskBit = 0x80;
const firstControlOpcode = 0x8;
const closeOpcode = 0x8;
/** Control frames carry at most 125 bytes and are never fragmented (section 5.5). */
const maxControlBytes = 125;
/** What a close reason may take in UTF-8: the status code needs 2 of the bytes. */
export const maxReasonBytes = maxControlBytes - 2;

/**
 * Follows one direction of a WebSocket through chunks cut anywhere. Reads headers in place; a few numbers of
 * state, and no allocation but 14 bytes once a header has been cut in two.
 */
export class FrameCursor {
  /** Payload bytes of the current frame that are still to come. */
  #toSkip = 0;
  /** The current frame is the last of a data message, which is complete with its last byte. */
  #endsMessage = false;
  /** Between the first and the last frame of a fragmented message. */
  #inFragments = false;
  #sawClose = false;
  #broken = false;
  /** Bytes of a cut header, and how many there are. */
  #header: Uint8Array | undefined;
  #headerBytes = 0;

  /** No frame is under way: another frame may be written here, a control frame at least. */
  get atFrameBoundary(): boolean {
    return this.#toSkip === 0 && this.#headerBytes === 0 && !this.#broken;
  }

  /** No frame and no fragmented message is under way. */
  get atMessageBoundary(): boolean {
    return this.atFrameBoundary && !this.#inFragments;
  }

  /** The header of a Close frame has passed. */
  get sawClose(): boolean {
    return this.#sawClose;
  }

  /**
   * What passed cannot be WebSocket: a payload above 2^53 - 1 bytes, or a control frame that is fragmented or
   * longer than 125. From then on nothing is counted and no boundary is known. Reserved bits are allowed.
   */
  get broken(): boolean {
    return this.#broken;
  }

  /** Moves over bytes `start..end` and gives how many data messages they completed; 0 once broken. */
  scan(buffer: Uint8Array, start: number, end: number): number {
    if (this.#broken) return 0;
    let messages = 0;
    let at = start;
    while (at < end) {
      if (this.#toSkip > end - at) {
        this.#toSkip -= end - at;
        return messages;
      }
      if (this.#toSkip > 0) {
        at += this.#toSkip;
        this.#toSkip = 0;
        if (this.#endsMessage) messages += 1;
        continue;
      }
      at = this.#readHeader(buffer, at, end);
      if (this.#broken) return messages;
      if (this.#toSkip === 0 && this.#headerBytes === 0 && this.#endsMessage) messages += 1;
    }
    return messages;
  }

  /**
   * Index behind the first boundary of this kind within bytes `start..end`, at least one byte behind `start`; -1 when
   * there is none. Only looks ahead: `scan` moves. Copies itself, so it is for single moments, not for every chunk.
   */
  boundaryIn(buffer: Uint8Array, start: number, end: number, kind: BoundaryKind): number {
    const probe = this.#copy();
    let at = start;
    while (at < end && !probe.#broken) {
      const next = probe.#toSkip > 0 ? Math.min(end, at + probe.#toSkip) : at + 1;
      probe.scan(buffer, at, next);
      at = next;
      if (probe.#isAt(kind)) return at;
    }
    return -1;
  }

  #isAt(kind: BoundaryKind): boolean {
    if (kind === 'message') return this.atMessageBoundary;
    return this.atFrameBoundary && (kind === 'frame' || this.#sawClose);
  }

  #copy(): FrameCursor {
    const copy = new FrameCursor();
    copy.#toSkip = this.#toSkip;
    copy.#endsMessage = this.#endsMessage;
    copy.#inFragments = this.#inFragments;
    copy.#sawClose = this.#sawClose;
    copy.#broken = this.#broken;
    copy.#header = this.#header?.slice();
    copy.#headerBytes = this.#headerBytes;
    return copy;
  }

  /** Reads a header, or as much of it as there is, and gives where it ended. */
  #readHeader(buffer: Uint8Array, at: number, end: number): number {
    if (this.#headerBytes === 0 && at + 1 < end) {
      const size = headerSize(buffer[at + 1] ?? 0);
      if (at + size <= end) {
        this.#take(buffer, at);
        return at + size;
      }
    }
    return this.#collectHeader(buffer, at, end);
  }

  #collectHeader(buffer: Uint8Array, start: number, end: number): number {
    const header = (this.#header ??= new Uint8Array(maxHeaderBytes));
    let at = start;
    while (at < end) {
      header[this.#headerBytes] = buffer[at] ?? 0;
      this.#headerBytes += 1;
      at += 1;
      if (this.#headerBytes < 2 || this.#headerBytes < headerSize(header[1] ?? 0)) continue;
      this.#headerBytes = 0;
      this.#take(header, 0);
      return at;
    }
    return at;
  }

  /** A whole header is at `at`: notes what its frame means. */
  #take(buffer: Uint8Array, at: number): void {
    const first = buffer[at] ?? 0;
    const isLast = (first & finBit) !== 0;
    const length = payloadLength(buffer, at);
    this.#toSkip = length;
    if ((first & 0xf) < firstControlOpcode) {
      this.#endsMessage = isLast;
      this.#inFragments = !isLast;
      if (length > Number.MAX_SAFE_INTEGER) this.#broken = true;
      return;
    }
    this.#endsMessage = false;
    if (!isLast || length > maxControlBytes) this.#broken = true;
    else if ((first & 0xf) === closeOpcode) this.#sawClose = true;
  }
}

function headerSize(second: number): number {
  const length = second & 0x7f;
  const mask = (second & maskBit) === 0 ? 0 : 4;
  if (length < 126) return 2 + mask;
  return (length === 126 ? 4 : 10) + mask;
}

function payloadLength(buffer: Uint8Array, at: number): number {
  const short = (buffer[at + 1] ?? 0) & 0x7f;
  if (short < 126) return short;
  const bytes = short === 126 ? 2 : 8;
  let length = 0;
  for (let i = 0; i < bytes; i++) length = length * 256 + (buffer[at + 2 + i] ?? 0);
  return length;
}

/** What `encodeClose` writes. */
export interface CloseFrame {
  /** 1000 to 4999; 1012 asks the client to come back. */
  readonly code: number;
  /** For people and logs; cut to 123 bytes of UTF-8 between two characters. */
  readonly reason: string;
  /** True towards a node, which refuses a client's frame without a mask. */
  readonly masked?: boolean;
}

/** One Close frame, ready to be written at a frame boundary. */
export function encodeClose({ code, reason, masked = false }: CloseFrame): Buffer {
  const text = cutUtf8(Buffer.from(reason, 'utf8'), maxReasonBytes);
  // The mask is zero, which leaves the payload as it is: it guards caches against bytes that a web page
  // chooses (section 10.3), and these are ours.
  const maskBytes = masked ? 4 : 0;
  const frame = Buffer.alloc(2 + maskBytes + 2 + text.length);
  frame[0] = finBit | closeOpcode;
  frame[1] = (masked ? maskBit : 0) | (2 + text.length);
  frame.writeUInt16BE(code, 2 + maskBytes);
  text.copy(frame, 4 + maskBytes);
  return frame;
}

/** The longest prefix of `text` within `maxBytes` that ends between two characters. */
export function cutUtf8(text: Buffer, maxBytes: number): Buffer {
  if (text.length <= maxBytes) return text;
  let end = maxBytes;
  // 10xxxxxx continues a character: the first byte left out must begin one.
  while (end > 0 && ((text[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return text.subarray(0, end);
}
