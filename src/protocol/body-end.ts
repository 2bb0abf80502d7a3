// Where the body of an HTTP/1.1 answer ends, found without copying it. Used where an answer passes byte by byte.
import { listHas, valuesOf, type HeadFields } from './http-head.ts';

/** How an answer's body is delimited. `close`: by the end of the connection. */
export type BodyLength =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' };

/**
 * The delimitation of the answer to a GET (RFC 9112, section 6.3). Undefined when two readers could disagree:
 * both a length and a coding, several lengths, a length that is no number, a coding other than `chunked`.
 */
export function bodyLengthOf(status: number, fields: HeadFields): BodyLength | undefined {
  const codings = valuesOf(fields, 'transfer-encoding');
  const lengths = valuesOf(fields, 'content-length');
  if (codings.length > 1 || lengths.length > 1) return undefined;
  const [coding] = codings;
  const [length] = lengths;
  if (coding !== undefined && (length !== undefined || !listHas(coding, 'chunked') || coding.includes(',')))
    return undefined;
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return undefined;
  if (status === 204 || status === 304) return { kind: 'none' };
  if (coding !== undefined) return { kind: 'chunked' };
  return length === undefined ? { kind: 'close' } : { kind: 'length', bytes: Number(length) };
}

type ChunkState = 'size' | 'extension' | 'sizeLf' | 'data' | 'dataCr' | 'dataLf' | 'trailer' | 'trailerLf';

const cr = 0x0d;
const lf = 0x0a;
// 2^40: no chunk is that long, and the size stays an exact number.
const maxChunkDigits = 10;

/** Follows one body to its end. */
export class BodyEnd {
  #kind: BodyLength['kind'];
  #left: number;
  #state: ChunkState = 'size';
  #digits = 0;
  #lineLength = 0;
  #broken = false;

  constructor(length: BodyLength) {
    this.#kind = length.kind;
    this.#left = length.kind === 'length' ? length.bytes : 0;
    if (length.kind === 'length' && length.bytes === 0) this.#kind = 'none';
  }

  /** All of the body has been seen. Never true for a body that the connection's end delimits. */
  get isEnded(): boolean {
    return this.#kind === 'none';
  }

  /** Whether the end of the connection is the end of the body. */
  get endsWithConnection(): boolean {
    return this.#kind === 'close';
  }

  /** The chunks are not chunks: what follows cannot be told from the next message. */
  get isBroken(): boolean {
    return this.#broken;
  }

  /** Follows bytes `start..end`; returns the index behind the last byte that belongs to the body. */
  consume(bytes: Uint8Array, start: number, end: number): number {
    if (this.#kind === 'none') return start;
    if (this.#kind === 'close') return end;
    if (this.#kind === 'length') return this.#takeLength(start, end);
    let at = start;
    while (at < end && this.#kind === 'chunked' && !this.#broken) {
      if (this.#state === 'data') at = this.#takeData(at, end);
      else this.#step(bytes[at++] ?? 0);
    }
    return at;
  }

  #takeLength(start: number, end: number): number {
    const taken = Math.min(this.#left, end - start);
    this.#left -= taken;
    if (this.#left === 0) this.#kind = 'none';
    return start + taken;
  }

  #takeData(at: number, end: number): number {
    const taken = Math.min(this.#left, end - at);
    this.#left -= taken;
    if (this.#left === 0) this.#state = 'dataCr';
    return at + taken;
  }

  #step(byte: number): void {
    switch (this.#state) {
      case 'size':
        return this.#stepSize(byte);
      case 'extension':
        if (byte === cr) this.#state = 'sizeLf';
        else if (byte === lf) this.#broken = true;
        return;
      case 'sizeLf':
        this.#state = this.#left === 0 ? 'trailer' : 'data';
        this.#digits = 0;
        this.#lineLength = 0;
        return this.#expect(byte, lf);
      case 'dataCr':
        this.#state = 'dataLf';
        return this.#expect(byte, cr);
      case 'dataLf':
        this.#state = 'size';
        return this.#expect(byte, lf);
      default:
        return this.#stepTrailer(byte);
    }
  }

  #stepSize(byte: number): void {
    const digit = hexDigit(byte);
    if (digit !== -1) {
      this.#left = this.#left * 16 + digit;
      this.#digits++;
      this.#broken = this.#digits > maxChunkDigits;
      return;
    }
    if (this.#digits === 0) this.#broken = true;
    else if (byte === cr) this.#state = 'sizeLf';
    else if (byte === 0x3b || byte === 0x20 || byte === 0x09) this.#state = 'extension';
    else this.#broken = true;
  }

  #stepTrailer(byte: number): void {
    if (this.#state === 'trailerLf') {
      if (this.#lineLength === 0 && byte === lf) this.#kind = 'none';
      this.#lineLength = 0;
      this.#state = 'trailer';
      return this.#expect(byte, lf);
    }
    if (byte === cr) this.#state = 'trailerLf';
    else if (byte === lf) this.#broken = true;
    else this.#lineLength++;
  }

  #expect(byte: number, wanted: number): void {
    if (byte !== wanted) this.#broken = true;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}
