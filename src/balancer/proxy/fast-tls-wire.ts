// The server's side of TLS on raw handles: the handshake, then the inside of the connection as a wire. The wire below
// goes on to hold the connection: its addresses, its end.
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers';
import { HeraldError } from '../../core/error.ts';
import type { SenderOwner } from './fast-sender.ts';
import type { FastShare, FastWire } from './fast-wire.ts';
import { inertReader } from './inert-reader.ts';
import { systemError } from './system-error.ts';
import { nativeOf, type TcpCarrier, type TlsHandle, type TlsHooks } from './tls-hooks.ts';
import { TlsSender } from './tls-sender.ts';
import type { TlsBeginning, Wire, WireEnds, WireReader } from './wire.ts';

/** What a TLS wire stands on. */
export interface TlsBase {
  readonly share: FastShare;
  readonly hooks: TlsHooks;
  /** Holds the connection. */
  readonly below: FastWire;
  readonly handle: TcpCarrier;
}

export class FastTlsWire implements Wire, SenderOwner {
  reader: WireReader = inertReader;
  onGone: (() => void) | undefined;
  readonly #base: TlsBase;
  readonly #handle: TlsHandle<FastTlsWire>;
  readonly #sender: TlsSender;
  /** Defined until the handshake is over. */
  #beginning: TlsBeginning | undefined;
  /** Copies of what has been read and not told. */
  #kept: Buffer[] = [];
  #willTell = false;
  #wantsBytes = false;
  #isReading = false;
  #isTunnel = false;
  /** The other side's half has ended, which the reader may not have heard yet. */
  #sawEnd = false;
  #toldEnd = false;
  #sentEnd = false;
  #isClosed = false;

  /** Starts the handshake. The wire is nobody's until it has passed, and paused then. */
  constructor(base: TlsBase, beginning: TlsBeginning) {
    const { share, hooks, below, handle: carrier } = base;
    const { terms, seen } = beginning;
    const handle = hooks.wrap<FastTlsWire>(carrier, terms.context);
    this.#base = base;
    this.#handle = handle;
    this.#beginning = beginning;
    this.#sender = new TlsSender(share.hooks, handle, this);
    handle.wire = this;
    handle.onread = FastTlsWire.#onRead;
    handle.onhandshakedone = FastTlsWire.#onHandshakeDone;
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- a handle of Node's inside, no event target
    handle.onerror = FastTlsWire.#onError;
    handle.useUserBuffer(share.buffer);
    if (terms.protocols.length > 0) handle.setALPNProtocols(terms.protocols);
    if (terms.clientCertificates !== 'off')
      handle.setVerifyMode(true, terms.clientCertificates === 'required');
    if (terms.choose !== undefined) {
      handle.oncertcb = FastTlsWire.#onAsked;
      handle.enableCertCb();
    }
    below.reader = { ...inertReader, closed: (error) => this.#closed(error) };
    if (seen.length > 0) handle.receive(seen);
    this.#startReading();
  }

  get descriptor(): number {
    return this.#base.below.descriptor;
  }

  get remoteAddress(): string {
    return this.#base.below.remoteAddress;
  }

  get remotePort(): number {
    return this.#base.below.remotePort;
  }

  get ends(): WireEnds {
    return this.#base.below.ends;
  }

  get isEncrypted(): boolean {
    return true;
  }

  introduce(ends: WireEnds): void {
    this.#base.below.introduce(ends);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get sawEnd(): boolean {
    return this.#toldEnd;
  }

  send(buffer: Buffer, start: number, end: number): boolean {
    return this.#isClosed || this.#sender.send(buffer, start, end);
  }

  useSharedBuffer(): void {
    this.#isTunnel = true;
  }

  pause(): void {
    if (!this.#wantsBytes) return;
    this.#wantsBytes = false;
    this.#stopReading();
  }

  resume(): void {
    if (this.#wantsBytes || this.#isClosed) return;
    this.#wantsBytes = true;
    if (this.#hasNews()) this.#tellLater();
    else this.#startReading();
  }

  end(): void {
    if (!this.#isClosed) this.#sender.end();
  }

  destroy(options?: { reset?: boolean }): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#base.below.destroy({ reset: options?.reset === true && !this.#sender.isShuttingDown });
  }

  beginTls(): undefined {
    return undefined;
  }

  toSocket(seen: Buffer): Socket {
    if (this.#isClosed || this.#isTunnel || !this.#sender.isIdle)
      throw new HeraldError('HERALD_INTERNAL', 'only an open wire that is no tunnel can become a socket');
    this.#isClosed = true;
    const { below, hooks, share } = this.#base;
    const belowGone = below.letGo();
    this.#handle.wire = undefined;
    this.#handle.readStop();
    const socket = hooks.toSocket(this.#handle, share.buffer);
    const first = Buffer.concat([seen, ...this.#kept]);
    if (first.length > 0) socket.unshift(first);
    if (this.#sawEnd) socket.push(null);
    for (const gone of [belowGone, this.onGone]) if (gone !== undefined) socket.once('close', gone);
    return socket;
  }

  sendFailed(error: NodeJS.ErrnoException): void {
    this.#fail(error);
  }

  sendDrained(): void {
    this.reader.drained();
  }

  endSent(): void {
    this.#sentEnd = true;
    if (this.#toldEnd) this.destroy();
  }

  #startReading(): void {
    if (this.#isClosed || this.#sawEnd || this.#isReading) return;
    this.#isReading = true;
    const status = this.#handle.readStart();
    if (status !== 0) this.#fail(systemError(status, 'read'));
  }

  #stopReading(): void {
    if (this.#isClosed || !this.#isReading) return;
    this.#isReading = false;
    this.#handle.readStop();
  }

  #fail(error: NodeJS.ErrnoException): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#base.below.sendFailed(error);
  }

  /** The connection below is gone; nothing of OpenSSL is running. */
  #closed(error: NodeJS.ErrnoException | undefined): void {
    this.#isClosed = true;
    this.#handle.wire = undefined;
    this.#handle.destroySSL();
    const beginning = this.#beginning;
    this.#beginning = undefined;
    if (beginning !== undefined) return beginning.outcome.failed(error);
    this.reader.closed(error);
    this.onGone?.();
  }

  #hasNews(): boolean {
    return this.#kept.length > 0 || (this.#sawEnd && !this.#toldEnd);
  }

  /**
   * One read of the connection below may hold many records, and all of them come at once, pause or not. Nor may a reader
   * in the midst of them give the wire away: a socket would get the later ones before those that it is given.
   */
  #keep(count: number): void {
    this.#kept.push(Buffer.from(this.#base.share.buffer.subarray(0, count)));
    if (this.#wantsBytes) this.#tellLater();
  }

  #tellLater(): void {
    if (this.#willTell) return;
    this.#willTell = true;
    // A turn of the event loop, no time.
    setImmediate(FastTlsWire.#tell, this);
  }

  #tellKept(): void {
    while (this.#wantsBytes && !this.#isClosed) {
      const bytes = this.#kept.shift();
      if (bytes === undefined) break;
      this.reader.bytes(bytes, 0, bytes.length);
    }
    if (!this.#wantsBytes || this.#isClosed) return;
    if (this.#sawEnd) this.#tellEnd();
    else this.#startReading();
  }

  #tellEnd(): void {
    if (this.#toldEnd) return;
    this.#toldEnd = true;
    this.reader.ended();
    if (this.#sentEnd) this.destroy();
  }

  #readFailed(status: number): void {
    const { hooks } = this.#base.share;
    // Within a handshake an end is a failure; that it was in order is all that there is to say of it.
    if (status !== hooks.endOfFile) return this.#fail(systemError(status, 'read'));
    if (this.#beginning !== undefined) return this.destroy();
    this.#sawEnd = true;
    if (!this.#wantsBytes) return;
    if (this.#kept.length > 0) this.#tellLater();
    else this.#tellEnd();
  }

  #shook(): void {
    const beginning = this.#beginning;
    if (beginning === undefined || this.#isClosed) return;
    const { terms, outcome } = beginning;
    const isWrong = terms.clientCertificates !== 'off' && this.#showsWrong(terms.clientCertificates);
    // Told by `closed`: it has not passed.
    if (isWrong) return this.destroy();
    this.#beginning = undefined;
    outcome.passed(this);
    if (!this.#wantsBytes) this.#stopReading();
  }

  #showsWrong(wanted: 'required' | 'optional'): boolean {
    // Gives null, or undefined, for a certificate that is believed.
    if (!this.#handle.verifyError()) return false;
    if (wanted === 'required') return true;
    if (this.#handle.getPeerCertificate(true) === undefined) return false;
    this.#beginning?.outcome.certificateWrong();
    return true;
  }

  // What the handle calls: one function each for all wires, so that a connection costs no closures.

  static readonly #tell = function (wire: FastTlsWire): void {
    wire.#willTell = false;
    wire.#tellKept();
  };

  static readonly #onRead = function (this: TlsHandle<FastTlsWire>): undefined {
    const { wire } = this;
    if (wire === undefined || wire.#isClosed) return;
    const { hooks, buffer } = wire.#base.share;
    const count = hooks.streamState[hooks.readIndex] ?? 0;
    if (count < 0) wire.#readFailed(count);
    else if (!wire.#isTunnel || !wire.#wantsBytes || wire.#kept.length > 0) wire.#keep(count);
    else wire.reader.bytes(buffer, 0, count);
  };

  static readonly #onHandshakeDone = function (this: TlsHandle<FastTlsWire>): void {
    const { wire } = this;
    if (wire !== undefined) wire.#shook();
  };

  static readonly #onError = function (this: TlsHandle<FastTlsWire>, error: NodeJS.ErrnoException): void {
    const { wire } = this;
    if (wire !== undefined) wire.#fail(error);
  };

  static readonly #onAsked = function (this: TlsHandle<FastTlsWire>, asked: { servername: string }): void {
    const { wire } = this;
    const choose = wire === undefined ? undefined : wire.#beginning?.terms.choose;
    const chosen = asked.servername === '' ? undefined : choose?.(asked.servername);
    if (chosen !== undefined) this.sni_context = nativeOf(chosen);
    this.certCbDone();
  };
}
