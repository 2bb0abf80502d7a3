// One TCP connection on a raw handle: its life and its reading half, into one buffer shared by all tunnels.
// The sending half is fast-sender.ts; listening and dialling for a transport, fast-transport.ts.
import type { Socket } from 'node:net';
import { HeraldError } from '../../core/error.ts';
import { FastSender } from './fast-sender.ts';
import type { SenderOwner } from './fast-sender.ts';
import { FastTlsWire } from './fast-tls-wire.ts';
import { systemError } from './system-error.ts';
import type { HandleRequest, TcpHandle, TcpHooks } from './tcp-hooks.ts';
import type { TlsHooks } from './tls-hooks.ts';
import type { DialReader, DialTarget, TlsBeginning, Wire, WireEnds, WireReader } from './wire.ts';

/** What all fast wires of one transport share. */
export interface FastShare {
  readonly hooks: TcpHooks;
  /** Undefined: TLS goes over sockets. */
  readonly tlsHooks: TlsHooks | undefined;
  /** Tunnels read into this; its bytes are the reader's until its `bytes` returns. */
  readonly buffer: Buffer;
}

export class FastWire implements Wire, SenderOwner {
  reader: WireReader;
  onGone: (() => void) | undefined;
  readonly #share: FastShare;
  readonly #handle: TcpHandle<FastWire>;
  readonly #sender: FastSender;
  /** Defined while dialling. */
  #dialReader: DialReader | undefined;
  #wantsBytes = false;
  #isReading = false;
  #isTunnel = false;
  #sawEnd = false;
  #sentEnd = false;
  #isClosed = false;
  #error: NodeJS.ErrnoException | undefined;
  #peer: { address?: string; port?: number } | undefined;
  #introduced: WireEnds | undefined;

  /** Takes over a connected handle or, with `dialReader`, one that will be connecting. The wire is paused. */
  constructor(share: FastShare, handle: TcpHandle<FastWire>, reader: WireReader, dialReader?: DialReader) {
    this.reader = reader;
    this.#share = share;
    this.#handle = handle;
    this.#dialReader = dialReader;
    this.#sender = new FastSender(share.hooks, handle, this, dialReader === undefined);
    handle.wire = this;
    handle.onread = FastWire.#onRead;
    // From the first byte on: a chunk of its own for a head is 64 KiB to allocate, to trim and to collect.
    handle.useUserBuffer(share.buffer);
  }

  /** Starts connecting a new handle. A target that cannot even be tried ends by `closed`, too. */
  static dial(share: FastShare, target: DialTarget, reader: DialReader): FastWire {
    const handle = share.hooks.createHandle<FastWire>();
    const wire = new FastWire(share, handle, reader, reader);
    const request = share.hooks.createConnect<FastWire>();
    request.owner = wire;
    request.oncomplete = FastWire.#onConnected;
    // A port that is no integer would abort the process inside Node: 0 gets an orderly error.
    const port = Number.isInteger(target.port) ? target.port : 0;
    const status = bindTo(handle, target.from) || connectTo(handle, request, { host: target.host, port });
    if (status !== 0) wire.#close(systemError(status, 'connect'));
    else wire.#dialling();
    return wire;
  }

  get descriptor(): number {
    return this.#handle.fd;
  }

  get remoteAddress(): string {
    return this.#peerName().address ?? '';
  }

  get remotePort(): number {
    return this.#peerName().port ?? 0;
  }

  get ends(): WireEnds {
    if (this.#introduced !== undefined) return this.#introduced;
    const local: { address?: string; port?: number } = {};
    if (!this.#isClosed) this.#handle.getsockname(local);
    const { address: localAddress = '', port: localPort = 0 } = local;
    return { address: this.remoteAddress, port: this.remotePort, localAddress, localPort };
  }

  get isEncrypted(): boolean {
    return false;
  }

  introduce(ends: WireEnds): void {
    this.#introduced = ends;
    this.#peer = { address: ends.address, port: ends.port };
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get sawEnd(): boolean {
    return this.#sawEnd;
  }

  send(buffer: Buffer, start: number, end: number): boolean {
    return this.#isClosed || this.#sender.send(buffer, start, end);
  }

  useSharedBuffer(): void {
    if (this.#isTunnel || this.#isClosed) return;
    this.#isTunnel = true;
    this.#handle.onread = FastWire.#onTunnelRead;
  }

  pause(): void {
    if (!this.#wantsBytes) return;
    this.#wantsBytes = false;
    if (this.#canRead()) this.#stopReading();
  }

  resume(): void {
    if (this.#wantsBytes) return;
    this.#wantsBytes = true;
    if (this.#canRead()) this.#startReading();
  }

  end(): void {
    if (this.#isClosed) return;
    // Both halves are over and nothing waits: closing says so just as well, by one call in place of two.
    if (this.#sawEnd && this.#sender.isIdle) this.#close(undefined);
    else this.#sender.end();
  }

  destroy(options?: { reset?: boolean }): void {
    if (!this.#isClosed) this.#close(undefined, options?.reset === true);
  }

  toSocket(seen: Buffer): Socket {
    const onGone = this.letGo();
    const socket = this.#share.hooks.toSocket(this.#handle, this.#share.buffer);
    if (seen.length > 0) socket.unshift(Buffer.from(seen));
    if (onGone !== undefined) socket.once('close', onGone);
    return socket;
  }

  beginTls(beginning: TlsBeginning): Wire | undefined {
    const { tlsHooks: hooks } = this.#share;
    if (hooks === undefined) return undefined;
    this.#checkFree();
    return new FastTlsWire({ share: this.#share, hooks, below: this, handle: this.#handle }, beginning);
  }

  /** The handle is somebody else's from now on, and not reading; gives `onGone`, which is theirs to call. */
  letGo(): (() => void) | undefined {
    this.#checkFree();
    this.#isClosed = true;
    this.#handle.wire = undefined;
    // The socket starts reading by itself and takes a handle that reads already for a broken one.
    this.#handle.readStop();
    return this.onGone;
  }

  sendFailed(error: NodeJS.ErrnoException): void {
    this.#close(error);
  }

  sendDrained(): void {
    this.reader.drained();
  }

  endSent(): void {
    this.#sentEnd = true;
    if (this.#sawEnd) this.#close(undefined);
  }

  #checkFree(): void {
    if (this.#isClosed || this.#isTunnel || this.#dialReader !== undefined)
      throw new HeraldError('HERALD_INTERNAL', 'only an open wire that is no tunnel can become a socket');
  }

  #canRead(): boolean {
    return !this.#isClosed && !this.#sawEnd && this.#dialReader === undefined;
  }

  // libuv asks the system for one change of interest when a connection stands, instead of for three, where it is to be
  // read from at once. Nothing is read before.
  #dialling(): void {
    this.#handle.setNoDelay(true);
    this.#isReading = this.#handle.readStart() === 0;
  }

  #startReading(): void {
    if (this.#isReading) return;
    const status = this.#handle.readStart();
    this.#isReading = true;
    if (status !== 0) this.#close(systemError(status, 'read'));
  }

  #stopReading(): void {
    if (this.#isReading) this.#handle.readStop();
    this.#isReading = false;
  }

  /** How many bytes the last read has put into the buffer; 0 when it has failed, which is told. */
  #takeRead(): number {
    if (this.#isClosed) return 0;
    const { streamState, readIndex } = this.#share.hooks;
    const count = streamState[readIndex] ?? 0;
    if (count >= 0) return count;
    this.#readFailed(count);
    return 0;
  }

  #readFailed(status: number): void {
    if (status !== this.#share.hooks.endOfFile) return this.#close(systemError(status, 'read'));
    this.#sawEnd = true;
    this.reader.ended();
    if (this.#sentEnd && !this.#isClosed) this.#close(undefined);
  }

  /** The one place that lets go of the handle. The reader's `closed` follows from the event loop. */
  #close(error: NodeJS.ErrnoException | undefined, reset = false): void {
    this.#isClosed = true;
    this.#error = error;
    const canReset = !this.#sender.isShuttingDown && this.#dialReader === undefined;
    if (!reset || !canReset) this.#handle.close(FastWire.#onClosed);
    else if (this.#handle.reset(FastWire.#onClosed) !== 0)
      process.nextTick(() => FastWire.#onClosed.call(this.#handle));
  }

  #peerName(): { address?: string; port?: number } {
    if (this.#peer !== undefined) return this.#peer;
    const name: { address?: string; port?: number } = {};
    if (this.#isClosed || this.#handle.getpeername(name) !== 0) return {};
    return (this.#peer = name);
  }

  // What the handle calls: one function each for all wires, so that a connection costs no closures.

  static readonly #onRead = function (this: TcpHandle<FastWire>): undefined {
    const { wire } = this;
    if (wire === undefined) return;
    const count = wire.#takeRead();
    if (count > 0) wire.reader.bytes(wire.#share.buffer, 0, count);
  };

  // The same again: here all readers are of one kind, and V8 makes one function of a message's whole way.
  static readonly #onTunnelRead = function (this: TcpHandle<FastWire>): undefined {
    const { wire } = this;
    if (wire === undefined) return;
    const count = wire.#takeRead();
    if (count > 0) wire.reader.bytes(wire.#share.buffer, 0, count);
  };

  static readonly #onConnected = function (this: HandleRequest<FastWire>, status: number): void {
    const wire = this.owner;
    if (wire.#isClosed) return;
    if (status !== 0) return wire.#close(systemError(status, 'connect'));
    const dialReader = wire.#dialReader;
    wire.#dialReader = undefined;
    wire.#sender.connected();
    dialReader?.connected();
    if (wire.#isClosed) return;
    if (wire.#wantsBytes) wire.#startReading();
    else wire.#stopReading();
  };

  static readonly #onClosed = function (this: TcpHandle<FastWire>): void {
    const { wire } = this;
    this.wire = undefined;
    if (wire === undefined) return;
    wire.reader.closed(wire.#error);
    wire.onGone?.();
  };
}

function bindTo(handle: TcpHandle<FastWire>, from: string | undefined): number {
  if (from === undefined) return 0;
  return isSix(from) ? handle.bind6(from, 0, 0) : handle.bind(from, 0);
}

function connectTo(handle: TcpHandle<FastWire>, request: object, to: DialTarget): number {
  const { host, port } = to;
  return isSix(host) ? handle.connect6(request, host, port) : handle.connect(request, host, port);
}

/** Of a literal. (net.isIPv6 proves that it is one, by an expression that shows in profiles.) */
function isSix(literal: string): boolean {
  return literal.includes(':');
}
