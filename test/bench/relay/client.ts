// Clients of the load: a message under way at a time, on Herald's own raw wires, or over TLS by node:tls.
import { connect, type TLSSocket } from 'node:tls';
import type { DialReader, Transport, Wire } from '../../../src/balancer/proxy/wire.ts';
import { headEnd, upgradeRequest } from './words.ts';

/** Who hears of a client. */
export interface ClientOwner {
  /** Its upgrade is through. */
  opened(client: LoadClient): void;
  /** Its message has come back whole. */
  answered(client: LoadClient): void;
  failed(error: Error): void;
}

/** One connection. */
export abstract class LoadClient {
  /** When its message was due, in the owner's time. */
  dueMs = 0;
  readonly #owner: ClientOwner;
  readonly #frame: Buffer;
  #head = '';
  #isOpen = false;
  #isClosed = false;
  #missingBytes = 0;

  constructor(owner: ClientOwner, frame: Buffer) {
    this.#owner = owner;
    this.#frame = frame;
  }

  /** Sends the message. */
  send(): void {
    this.#missingBytes = this.#frame.length;
    this.write(this.#frame);
  }

  close(): void {
    this.#isClosed = true;
    this.destroy();
  }

  protected received(bytes: Buffer, start: number, end: number): void {
    if (!this.#isOpen) return this.#readHead(bytes, start, end);
    this.#missingBytes -= end - start;
    if (this.#missingBytes <= 0) this.#owner.answered(this);
  }

  protected gone(error: Error | undefined): void {
    if (!this.#isClosed) this.#owner.failed(error ?? new Error('the subject has closed a connection'));
  }

  /** Reads the rest as messages: nothing follows the head before the first of them. */
  #readHead(bytes: Buffer, start: number, end: number): void {
    this.#head += bytes.toString('latin1', start, end);
    if (!this.#head.endsWith(headEnd)) return;
    if (!this.#head.startsWith('HTTP/1.1 101'))
      return this.#owner.failed(new Error(`the subject has answered ${this.#head.slice(0, 100)}`));
    this.#head = '';
    this.#isOpen = true;
    this.opened();
    this.#owner.opened(this);
  }

  protected abstract write(bytes: Buffer): void;
  protected abstract destroy(): void;
  protected opened(): void {}
}

const request = Buffer.from(upgradeRequest, 'latin1');

/** A client in the open. */
export class WireClient extends LoadClient implements DialReader {
  readonly #wire: Wire;

  constructor(
    owner: ClientOwner,
    frame: Buffer,
    { transport, port }: { transport: Transport; port: number },
  ) {
    super(owner, frame);
    this.#wire = transport.dial({ host: '127.0.0.1', port }, this);
  }

  connected(): void {
    this.#wire.send(request, 0, request.length);
    this.#wire.resume();
  }

  bytes(buffer: Buffer, start: number, end: number): void {
    this.received(buffer, start, end);
  }

  ended(): void {
    this.gone(undefined);
  }

  drained(): void {}

  closed(error: NodeJS.ErrnoException | undefined): void {
    this.gone(error);
  }

  protected override opened(): void {
    this.#wire.useSharedBuffer();
  }

  protected write(bytes: Buffer): void {
    this.#wire.send(bytes, 0, bytes.length);
  }

  protected destroy(): void {
    this.#wire.destroy();
  }
}

/** The session that later clients may go on with. */
export interface SessionKeeper {
  session: Buffer | undefined;
}

/** A client over TLS; `resumes` the keeper's session, and fails where the subject does not. */
export class TlsClient extends LoadClient {
  readonly #socket: TLSSocket;

  constructor(
    owner: ClientOwner,
    frame: Buffer,
    { port, keeper, resumes }: { port: number; keeper: SessionKeeper; resumes: boolean },
  ) {
    super(owner, frame);
    const session = resumes && keeper.session !== undefined ? { session: keeper.session } : {};
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      // Its certificate was made for this run.
      rejectUnauthorized: false,
      ...session,
    });
    this.#socket.setNoDelay(true);
    this.#socket.once('secureConnect', () => {
      if ('session' in session && !this.#socket.isSessionReused())
        return owner.failed(new Error('the subject has not resumed a session'));
      this.#socket.write(request);
    });
    this.#socket.on('session', (ticket: Buffer) => (keeper.session ??= ticket));
    this.#socket.on('data', (chunk: Buffer) => this.received(chunk, 0, chunk.length));
    this.#socket.on('error', (error) => this.gone(error));
    this.#socket.on('close', () => this.gone(undefined));
  }

  protected write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  protected destroy(): void {
    this.#socket.destroy();
  }
}
