// What a client says before its node is there, kept until it is.
import { Buffer } from 'node:buffer';

/** Bytes in the order in which they came. How many there may be is the owner's to say. */
export class EarlyBytes {
  #pieces: Buffer[];
  #length: number;

  /** `first`, which may be empty, is kept as it is. */
  constructor(first: Buffer) {
    this.#pieces = first.length === 0 ? [] : [first];
    this.#length = first.length;
  }

  get length(): number {
    return this.#length;
  }

  /** Copies bytes `start..end`. */
  add(buffer: Buffer, start: number, end: number): void {
    this.#pieces.push(Buffer.from(buffer.subarray(start, end)));
    this.#length += end - start;
  }

  /** All of them; none are kept. */
  take(): Buffer {
    const all = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#length = 0;
    return all;
  }
}
