// Wires over net.Socket for tests of what stands on wires. The transports of the proxy have suites of their own.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { DialReader, Transport, Wire, WireReader } from '../../src/balancer/proxy/wire.ts';

const nobody: WireReader = { bytes() {}, ended() {}, drained() {}, closed() {} };

class SocketWire implements Wire {
  reader: WireReader = nobody;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #socket: Socket;
  /** The other side has ended its half. */
  sawEnd = false;
  #isDestroyed = false;
  #error: NodeJS.ErrnoException | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.remoteAddress = socket.remoteAddress ?? '';
    this.remotePort = socket.remotePort ?? 0;
    socket.pause();
    socket.on('error', this.#onError).on('data', this.#onData).on('end', this.#onEnd);
    socket.on('drain', this.#onDrain).on('close', this.#onClose);
  }

  get isClosed(): boolean {
    return this.#isDestroyed;
  }

  send(buffer: Buffer, start: number, end: number): boolean {
    if (this.#isDestroyed || this.#socket.writableEnded) return true;
    return this.#socket.write(Buffer.from(buffer.subarray(start, end)));
  }

  /** Sockets have buffers of their own. */
  useSharedBuffer(): void {}

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    if (!this.#isDestroyed) this.#socket.end();
  }

  destroy(options?: { reset?: boolean }): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    if (options?.reset === true) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  toSocket(seen: Buffer): Socket {
    this.#isDestroyed = true;
    this.#socket.off('error', this.#onError).off('data', this.#onData).off('end', this.#onEnd);
    this.#socket.off('drain', this.#onDrain).off('close', this.#onClose);
    if (seen.length > 0) this.#socket.unshift(seen);
    this.#socket.resume();
    return this.#socket;
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    this.#error = error;
  };

  readonly #onData = (chunk: Buffer): void => this.reader.bytes(chunk, 0, chunk.length);

  readonly #onEnd = (): void => {
    this.sawEnd = true;
    this.reader.ended();
  };

  readonly #onDrain = (): void => this.reader.drained();

  readonly #onClose = (): void => {
    this.#isDestroyed = true;
    this.reader.closed(this.#error);
  };
}

/** A wire over a connected socket. */
export function wireOf(socket: Socket): Wire {
  return new SocketWire(socket);
}

/** A transport that counts what it has open: accepted and dialled sockets that have not closed. */
export interface CountingTransport extends Transport {
  readonly openSockets: number;
  readonly fallbackReason: undefined;
}

/** Wires over net.Socket; `dialError` makes every dial fail with that code instead. */
export function createPlainTestTransport(dialError?: () => string | undefined): CountingTransport {
  let openSockets = 0;
  const count = (socket: Socket): Socket => {
    openSockets++;
    socket.once('close', () => openSockets--);
    return socket;
  };
  return {
    form: 'plain',
    fallbackReason: undefined,
    get openSockets() {
      return openSockets;
    },
    listen(bind, accept) {
      const options = { allowHalfOpen: true, noDelay: true, pauseOnConnect: true };
      const server = createServer(options, (socket) => accept(wireOf(count(socket))));
      return new Promise((resolve) => {
        server.listen(bind.port, bind.host, () => {
          // Proof of `as`: bound to a TCP port.
          const { port } = server.address() as AddressInfo;
          // Not the callback of close: it waits for the connections, and those live on.
          const close = async () => void server.close();
          resolve({ host: bind.host, port, close });
        });
      });
    },
    dial(target, reader: DialReader) {
      const failure = dialError?.();
      const socket = count(
        connect({ host: target.host, port: target.port, allowHalfOpen: true, noDelay: true }),
      );
      const wire = wireOf(socket);
      wire.reader = reader;
      socket.once('connect', () => {
        if (!wire.isClosed && failure === undefined) reader.connected();
      });
      if (failure !== undefined) socket.destroy(Object.assign(new Error(failure), { code: failure }));
      return wire;
    },
  };
}
