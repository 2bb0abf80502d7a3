// Counts WebSocket messages in a byte stream (RFC 6455, 5.2), copying nothing. It does not validate frames.
// Stands in for the frame cursor of protocol/websocket.ts, which can replace it.

const opcodeMask = 0x0f;
const finBit = 0x80;
const maskBit = 0x80;
/** Continuation, text and binary; everything above is control or reserved. */
const lastDataOpcode = 0x02;

/** Counts the messages of one direction of one connection. */
export class MessageCounter {
  /** Bytes of the current header seen so far, 0 at a frame boundary or inside a payload. */
  #headerBytes = 0;
  /** Bytes that the current header has in all, known after its second byte. */
  #headerLength = 2;
  #firstByte = 0;
  #lengthBytes = 0;
  #payloadLength = 0;
  /** Payload bytes still to pass over. */
  #remaining = 0;

  /** Messages whose last frame's header ends in these bytes. Fragments and control frames are no messages. */
  count(bytes: Uint8Array): number {
    let messages = 0;
    let position = 0;
    while (position < bytes.length) {
      if (this.#remaining > 0) {
        const passed = Math.min(this.#remaining, bytes.length - position);
        this.#remaining -= passed;
        position += passed;
        continue;
      }
      if (this.#readHeaderByte(bytes[position] ?? 0)) messages += this.#endHeader();
      position += 1;
    }
    return messages;
  }

  /** True when the header is complete. */
  #readHeaderByte(byte: number): boolean {
    const index = this.#headerBytes;
    this.#headerBytes += 1;
    if (index === 0) {
      this.#firstByte = byte;
      return false;
    }
    if (index === 1) {
      const short = byte & 0x7f;
      this.#lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
      this.#headerLength = 2 + this.#lengthBytes + ((byte & maskBit) === 0 ? 0 : 4);
      this.#payloadLength = this.#lengthBytes === 0 ? short : 0;
    } else if (index < 2 + this.#lengthBytes) {
      this.#payloadLength = this.#payloadLength * 256 + byte;
    }
    return this.#headerBytes === this.#headerLength;
  }

  /** Starts on the payload; 1 when the frame ends a message. */
  #endHeader(): number {
    this.#headerBytes = 0;
    this.#headerLength = 2;
    this.#remaining = this.#payloadLength;
    const isData = (this.#firstByte & opcodeMask) <= lastDataOpcode;
    return isData && (this.#firstByte & finBit) !== 0 ? 1 : 0;
  }
}
