// One TCP connection on a raw handle: reads into one buffer shared by all tunnels, writes straight to the
// descriptor, copies only what the kernel did not take. Listening and dialling: fast-transport.ts.
import { writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { isIPv6 } from 'node:net';
import { HeraldError } from '../../core/error.ts';
import { systemError } from './system-error.ts';
import type { HandleRequest, TcpHandle, TcpHooks } from './tcp-hooks.ts';
import type { DialReader, DialTarget, Wire, WireReader } from './wire.ts';

type Handle = TcpHandle<FastWire>;
type Request = HandleRequest<FastWire>;

/** What all fast wires of one transport share. */
export interface FastShare {
  readonly hooks: TcpHooks<FastWire>;
  /** Tunnels read into this; its bytes are the reader's until its `bytes` returns. */
  readonly buffer: Buffer;
}

export class FastWire implements Wire {
  reader: WireReader;
  readonly #share: FastShare;
  readonly #handle: Handle;
  #dialReader: DialReader | undefined;
  /** Writes that libuv holds for us. */
  #queued = 0;
  #wantsBytes = false;
  #isTunnel = false;
  #sawEnd = false;
  /** `end` was called; its shutdown is under way; it is done. */
  #isEnding = false;
  #isShuttingDown = false;
  #isShutDown = false;
  #isClosed = false;
  #error: NodeJS.ErrnoException | undefined;
  #peer: { address?: string; port?: number } | undefined;

  /** Takes a connected handle over. The wire is paused. */
  constructor(share: FastShare, handle: Handle, reader: WireReader) {
    this.reader = reader;
    this.#share = share;
    this.#handle = handle;
    handle.wire = this;
    handle.onread = FastWire.#onRead;
  }

  /** Starts connecting a new handle. A target that cannot even be tried ends by `closed`, too. */
  static dial(share: FastShare, target: DialTarget, reader: DialReader): FastWire {
    const handle = share.hooks.createHandle();
    const wire = new FastWire(share, handle, reader);
    wire.#dialReader = reader;
    const request = share.hooks.createConnect();
    request.wire = wire;
    request.oncomplete = FastWire.#onConnected;
    // A port that is no integer would abort the process inside Node: 0 gets an orderly error.
    const port = Number.isInteger(target.port) ? target.port : 0;
    const status = isIPv6(target.host)
      ? handle.connect6(request, target.host, port)
      : handle.connect(request, target.host, port);
    if (status === 0) handle.setNoDelay(true);
    else wire.#close(systemError(status, 'connect'));
    return wire;
  }

  get remoteAddress(): string {
    return this.#peerName().address ?? '';
  }

  get remotePort(): number {
    return this.#peerName().port ?? 0;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get sawEnd(): boolean {
    return this.#sawEnd;
  }

  send(buffer: Buffer, start: number, end: number): boolean {
    if (this.#isClosed || this.#isEnding) return true;
    if (this.#queued > 0 || this.#dialReader !== undefined) return this.#queueCopy(buffer, start, end);
    const taken = this.#writeNow(buffer, start, end);
    if (taken === end - start || this.#isClosed) return true;
    return this.#queueCopy(buffer, start + taken, end);
  }

  useSharedBuffer(): void {
    if (this.#isTunnel || this.#isClosed) return;
    this.#isTunnel = true;
    this.#handle.useUserBuffer(this.#share.buffer);
  }

  pause(): void {
    if (!this.#wantsBytes) return;
    this.#wantsBytes = false;
    if (this.#canRead()) this.#handle.readStop();
  }

  resume(): void {
    if (this.#wantsBytes) return;
    this.#wantsBytes = true;
    if (this.#canRead()) this.#startReading();
  }

  end(): void {
    if (this.#isClosed || this.#isEnding) return;
    this.#isEnding = true;
    // libuv would wait for queued writes by itself, but refuses a reset all the while.
    if (this.#dialReader === undefined && this.#queued === 0) this.#shutDown();
  }

  destroy(options?: { reset?: boolean }): void {
    if (!this.#isClosed) this.#close(undefined, options?.reset === true);
  }

  toSocket(seen: Buffer): Socket {
    if (this.#isClosed || this.#isTunnel || this.#dialReader !== undefined)
      throw new HeraldError('HERALD_INTERNAL', 'only an open wire that is no tunnel can become a socket');
    this.#isClosed = true;
    this.#handle.wire = undefined;
    // The socket starts reading by itself and takes a handle that reads already for a broken one.
    this.#handle.readStop();
    const socket = this.#share.hooks.toSocket(this.#handle);
    if (seen.length > 0) socket.unshift(Buffer.from(seen));
    return socket;
  }

  /** Bytes that the kernel took, 0 when it has no room. Closes the wire on a broken descriptor. */
  #writeNow(buffer: Buffer, start: number, end: number): number {
    try {
      return writeSync(this.#handle.fd, buffer, start, end - start);
    } catch (error) {
      // writeSync throws system errors only: descriptor and range are ours.
      const failure = error as NodeJS.ErrnoException;
      if (failure.code !== 'EAGAIN') this.#close(failure);
      return 0;
    }
  }

  #queueCopy(buffer: Buffer, start: number, end: number): boolean {
    const request = this.#share.hooks.createWrite();
    request.wire = this;
    request.bytes = Buffer.from(buffer.subarray(start, end));
    request.oncomplete = FastWire.#onWritten;
    const status = this.#handle.writeBuffer(request, request.bytes);
    if (status !== 0) {
      this.#close(systemError(status, 'write'));
      return true;
    }
    if (this.#share.hooks.streamState[this.#share.hooks.asyncIndex] === 0) return this.#queued === 0;
    this.#queued += 1;
    return false;
  }

  #canRead(): boolean {
    return !this.#isClosed && !this.#sawEnd && this.#dialReader === undefined;
  }

  #startReading(): void {
    const status = this.#handle.readStart();
    if (status !== 0) this.#close(systemError(status, 'read'));
  }

  #shutDown(): void {
    const request = this.#share.hooks.createShutdown();
    request.wire = this;
    request.oncomplete = FastWire.#onShutDown;
    this.#isShuttingDown = true;
    // 0: will complete, after all queued writes. 1: has completed at once.
    const status = this.#handle.shutdown(request);
    if (status !== 0) this.#shutDownDone(status === 1 ? 0 : status);
  }

  #shutDownDone(status: number): void {
    this.#isShuttingDown = false;
    if (this.#isClosed) return;
    if (status < 0) return this.#close(systemError(status, 'shutdown'));
    this.#isShutDown = true;
    if (this.#sawEnd) this.#close(undefined);
  }

  /** The one place that lets go of the handle. `closed` follows from the event loop. */
  #close(error: NodeJS.ErrnoException | undefined, reset = false): void {
    this.#isClosed = true;
    this.#error = error;
    // A reset refused (shutdown under way) would leave a handle that nothing can close any more.
    if (!reset || this.#isShuttingDown || this.#dialReader !== undefined)
      this.#handle.close(FastWire.#onClosed);
    else if (this.#handle.reset(FastWire.#onClosed) !== 0)
      process.nextTick(() => FastWire.#onClosed.call(this.#handle));
  }

  #readFailed(status: number): void {
    if (status !== this.#share.hooks.endOfFile) return this.#close(systemError(status, 'read'));
    this.#sawEnd = true;
    this.reader.ended();
    if (this.#isShutDown && !this.#isClosed) this.#close(undefined);
  }

  #peerName(): { address?: string; port?: number } {
    if (this.#peer !== undefined) return this.#peer;
    const name: { address?: string; port?: number } = {};
    if (this.#isClosed || this.#handle.getpeername(name) !== 0) return {};
    return (this.#peer = name);
  }

  // What the handle calls: one function each for all wires, so that a connection costs no closures.

  static readonly #onRead = function (this: Handle, chunk: ArrayBuffer | undefined): undefined {
    const { wire } = this;
    if (wire === undefined || wire.#isClosed) return;
    const { hooks, buffer } = wire.#share;
    const { streamState } = hooks;
    const count = streamState[hooks.readIndex] ?? 0;
    if (count < 0) wire.#readFailed(count);
    else if (chunk === undefined) wire.reader.bytes(buffer, 0, count);
    else if (count > 0)
      wire.reader.bytes(Buffer.from(chunk, streamState[hooks.offsetIndex], count), 0, count);
  };

  static readonly #onConnected = function (this: Request, status: number): void {
    const { wire } = this;
    if (wire === undefined || wire.#isClosed) return;
    const dialReader = wire.#dialReader;
    wire.#dialReader = undefined;
    if (status !== 0) return wire.#close(systemError(status, 'connect'));
    if (wire.#wantsBytes) wire.#startReading();
    if (wire.#isEnding && wire.#queued === 0) wire.#shutDown();
    dialReader?.connected();
  };

  static readonly #onWritten = function (this: Request, status: number): void {
    const { wire } = this;
    if (wire === undefined) return;
    wire.#queued -= 1;
    if (wire.#isClosed) return;
    if (status !== 0) return wire.#close(systemError(status, 'write'));
    if (wire.#queued > 0) return;
    if (wire.#isEnding) wire.#shutDown();
    wire.reader.drained();
  };

  static readonly #onShutDown = function (this: Request, status: number): void {
    if (this.wire !== undefined) this.wire.#shutDownDone(status);
  };

  static readonly #onClosed = function (this: Handle): void {
    const { wire } = this;
    this.wire = undefined;
    if (wire !== undefined) wire.reader.closed(wire.#error);
  };
}
