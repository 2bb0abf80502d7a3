// A wire without a socket: the test plays the other side, and sees what was done to ours.
import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { DialReader, Transport, Wire, WireEnds, WireReader } from '../../src/balancer/proxy/wire.ts';

export class FakeWire implements Wire {
  reader: WireReader;
  readonly remoteAddress = '192.0.2.9';
  readonly remotePort = 9;
  readonly descriptor = -1;
  ends: WireEnds = { address: '192.0.2.9', port: 9, localAddress: '192.0.2.1', localPort: 80 };
  readonly isEncrypted = false;
  isClosed = false;
  sawEnd = false;
  isEnded = false;
  isReading = false;
  /** Everything sent, latin1. */
  sent = '';

  constructor(reader?: WireReader) {
    this.reader = reader ?? { bytes() {}, ended() {}, drained() {}, closed() {} };
  }

  /** The other side sends `text`. */
  hear(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.reader.bytes(bytes, 0, bytes.length);
  }

  send(buffer: Buffer, start: number, end: number): boolean {
    this.sent += buffer.toString('latin1', start, end);
    return true;
  }

  introduce(ends: WireEnds): void {
    this.ends = ends;
  }

  useSharedBuffer(): void {}

  pause(): void {
    this.isReading = false;
  }

  resume(): void {
    this.isReading = true;
  }

  end(): void {
    this.isEnded = true;
  }

  destroy(): void {
    this.isClosed = true;
  }

  toSocket(): Socket {
    throw new Error('a fake wire has no socket');
  }

  beginTls(): undefined {
    return undefined;
  }
}

/** A dial that waits for the test. */
export interface FakeDial {
  readonly host: string;
  readonly reader: DialReader;
  readonly wire: FakeWire;
}

/** A transport whose dials wait for the test; it cannot listen. */
export function createFakeTransport(): { transport: Transport; dials: FakeDial[] } {
  const dials: FakeDial[] = [];
  const transport: Transport & { fallbackReason: undefined } = {
    form: 'plain',
    tlsForm: 'plain',
    fallbackReason: undefined,
    listen: () => Promise.reject(new Error('a fake transport cannot listen')),
    dial({ host }, reader) {
      const wire = new FakeWire(reader);
      dials.push({ host, reader, wire });
      return wire;
    },
  };
  return { transport, dials };
}
