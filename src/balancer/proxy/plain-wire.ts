// The same wires on net.Server and net.Socket, by documented calls only (but for the number of a descriptor, which may be
// missing): where the hooks of the fast form fail.
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { HeraldError } from '../../core/error.ts';
import { descriptorOf } from '../../platform/descriptor-of.ts';
import { bindServer } from './bind-server.ts';
import { inertReader } from './inert-reader.ts';
import { resetSocket } from './reset-socket.ts';
import type { DialReader, DialTarget, Transport, Wire, WireEnds, WireOrigin, WireReader } from './wire.ts';

/** The plain form. `fallbackReason` is why the fast one is not used, undefined when nobody asked for it. */
export function createPlainTransport(fallbackReason: string | undefined): Transport {
  return {
    form: 'plain',
    tlsForm: 'plain',
    fallbackReason,
    listen(bind, accept) {
      const options = { allowHalfOpen: true, noDelay: true, pauseOnConnect: true };
      const server = createServer(options, (socket) => accept(new PlainWire(socket, inertReader)));
      return bindServer(server, bind, () => {});
    },
    dial: dialPlain,
  };
}

/**
 * A wire over a socket that somebody else has read from until now, such as node:http before an upgrade. `origin` where
 * it is known better than the socket does.
 */
export function wireOverSocket(socket: Socket, origin?: WireOrigin): Wire {
  return new PlainWire(socket, inertReader, origin);
}

// TLS takes what it is given at once but says so a turn of the event loop later: without this each message would stop
// its source for that turn. Two relay reads.
const encryptedQueueBytes = 128 * 1024;

function dialPlain(target: DialTarget, reader: DialReader): Wire {
  const { host, port, from } = target;
  const source = from === undefined ? {} : { localAddress: from };
  const socket = connect({ host, port, ...source, allowHalfOpen: true, noDelay: true });
  const wire = new PlainWire(socket, reader);
  socket.once('connect', () => {
    if (!wire.isClosed) reader.connected();
  });
  return wire;
}

class PlainWire implements Wire {
  reader: WireReader;
  onGone: (() => void) | undefined;
  readonly #socket: Socket;
  readonly #queueBytes: number;
  #awaitsDrain = false;
  #isTunnel = false;
  #isEnding = false;
  #isClosed = false;
  #error: NodeJS.ErrnoException | undefined;
  #ends: WireEnds | undefined;
  readonly isEncrypted: boolean;

  constructor(socket: Socket, reader: WireReader, origin?: WireOrigin) {
    this.reader = reader;
    this.#socket = socket;
    this.#ends = origin?.ends;
    this.isEncrypted = origin?.isEncrypted ?? socket instanceof TLSSocket;
    this.#queueBytes = this.isEncrypted ? encryptedQueueBytes : 0;
    // Before the listener for 'data', which would set the socket flowing.
    socket.pause();
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
  }

  get descriptor(): number {
    return descriptorOf(this.#socket) ?? -1;
  }

  get remoteAddress(): string {
    return this.ends.address;
  }

  get remotePort(): number {
    return this.ends.port;
  }

  get ends(): WireEnds {
    if (this.#ends !== undefined) return this.#ends;
    const { remoteAddress: address, remotePort: port = 0, localAddress = '', localPort = 0 } = this.#socket;
    // Not kept: it may still be connecting, or gone.
    if (address === undefined) return { address: '', port: 0, localAddress: '', localPort: 0 };
    return (this.#ends = { address, port, localAddress, localPort });
  }

  introduce(ends: WireEnds): void {
    this.#ends = ends;
  }

  get isClosed(): boolean {
    return this.#isClosed || this.#socket.destroyed;
  }

  get sawEnd(): boolean {
    return this.#socket.readableEnded;
  }

  send(buffer: Buffer, start: number, end: number): boolean {
    if (this.isClosed || this.#isEnding) return true;
    // The caller's bytes are valid during this call only, and whether the socket keeps them shows afterwards.
    this.#socket.write(Buffer.from(buffer.subarray(start, end)), this.#onWritten);
    // Nothing is left when the kernel took it at once; 'drain' is no help, as it answers the high-water mark.
    if (this.#socket.writableLength <= this.#queueBytes) return true;
    this.#awaitsDrain = true;
    return false;
  }

  useSharedBuffer(): void {
    this.#isTunnel = true;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (!this.isClosed) this.#socket.resume();
  }

  end(): void {
    if (this.isClosed || this.#isEnding) return;
    this.#isEnding = true;
    this.#socket.end();
  }

  destroy(options?: { reset?: boolean }): void {
    if (this.isClosed) return;
    this.#isClosed = true;
    // While connecting a reset would wait for the connection, and a shutdown under way refuses it by an error.
    const { connecting, writableLength, writableFinished } = this.#socket;
    const isShuttingDown = this.#isEnding && writableLength === 0 && !writableFinished;
    if (options?.reset === true && !connecting && !isShuttingDown) resetSocket(this.#socket);
    else this.#socket.destroy();
  }

  toSocket(seen: Buffer): Socket {
    const socket = this.#socket;
    if (this.isClosed || this.#isTunnel || socket.connecting)
      throw new HeraldError('HERALD_INTERNAL', 'only an open wire that is no tunnel can become a socket');
    this.#isClosed = true;
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('error', this.#onError);
    socket.off('close', this.#onClose);
    if (seen.length > 0) socket.unshift(Buffer.from(seen));
    if (this.onGone !== undefined) socket.once('close', this.onGone);
    // Flows from the next tick on: undoes the pause, which a later listener for 'data' would respect.
    socket.resume();
    return socket;
  }

  beginTls(): undefined {
    return undefined;
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.#isClosed) this.reader.bytes(chunk, 0, chunk.length);
  };

  readonly #onEnd = (): void => {
    if (!this.#isClosed) this.reader.ended();
  };

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    if (!this.#isClosed) this.#error = error;
  };

  readonly #onClose = (): void => {
    this.#isClosed = true;
    this.reader.closed(this.#error);
    this.onGone?.();
  };

  readonly #onWritten = (error?: Error | null): void => {
    if (error || !this.#awaitsDrain || this.isClosed || this.#socket.writableLength > this.#queueBytes / 2)
      return;
    this.#awaitsDrain = false;
    this.reader.drained();
  };
}
