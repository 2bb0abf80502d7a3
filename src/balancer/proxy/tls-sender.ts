// The sending half of a TLS wire on raw handles. Its handle takes one write at a time and says a turn later that it is
// done; what comes meanwhile waits here and then goes out together.
import { beginShutdown, type SenderOwner } from './fast-sender.ts';
import { systemError } from './system-error.ts';
import type { HandleRequest, TcpHooks } from './tcp-hooks.ts';
import type { TlsHandle } from './tls-hooks.ts';

// Two relay reads. Stopping the source for each message, until the turn is over, would cost two calls a message.
const queueBytes = 128 * 1024;

type SendingHandle = Pick<TlsHandle, 'writeBuffer' | 'shutdown'>;

export class TlsSender {
  readonly #hooks: TcpHooks;
  readonly #handle: SendingHandle;
  readonly #owner: SenderOwner;
  /** Of the write under way; 0 when there is none. */
  #writingBytes = 0;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #awaitsDrain = false;
  #isEnding = false;
  #isShuttingDown = false;

  constructor(hooks: TcpHooks, handle: SendingHandle, owner: SenderOwner) {
    this.#hooks = hooks;
    this.#handle = handle;
    this.#owner = owner;
  }

  /** A shutdown is under way, during which a reset would leave a handle that nothing can close. */
  get isShuttingDown(): boolean {
    return this.#isShuttingDown;
  }

  /** Nothing was sent that is not written yet, and nothing has ended. */
  get isIdle(): boolean {
    return this.#writingBytes === 0 && !this.#isEnding;
  }

  /** See Wire.send. The owner is not closed. */
  send(buffer: Buffer, start: number, end: number): boolean {
    if (this.#isEnding || start === end) return true;
    const bytes = buffer.subarray(start, end);
    if (this.#writingBytes === 0) this.#write(bytes);
    else this.#keep(Buffer.from(bytes));
    if (this.#writingBytes + this.#waitingBytes <= queueBytes) return true;
    this.#awaitsDrain = true;
    return false;
  }

  /** See Wire.end. The owner is not closed. */
  end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    if (this.#writingBytes === 0) this.#shutDown();
  }

  #keep(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  /** `bytes` are encrypted before this returns: they may be anybody's afterwards. */
  #write(bytes: Buffer): void {
    const request = this.#hooks.createWrite<TlsSender>();
    request.owner = this;
    request.oncomplete = onWritten;
    this.#writingBytes = bytes.length;
    const status = this.#handle.writeBuffer(request, bytes);
    if (status === 0) return;
    this.#writingBytes = 0;
    this.#owner.sendFailed(systemError(status, 'write'));
  }

  #writeWaiting(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const bytes = this.#waiting.length === 1 ? first : Buffer.concat(this.#waiting, this.#waitingBytes);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#write(bytes);
  }

  #shutDown(): void {
    this.#isShuttingDown = true;
    beginShutdown(this.#hooks, this.#handle, this);
  }

  /** Called by the handle only. */
  writeCompleted(status: number): void {
    this.#writingBytes = 0;
    if (this.#owner.isClosed) return;
    if (status !== 0) return this.#owner.sendFailed(systemError(status, 'write'));
    this.#writeWaiting();
    if (this.#owner.isClosed) return;
    if (this.#isEnding && this.#writingBytes === 0) this.#shutDown();
    if (!this.#awaitsDrain || this.#writingBytes > queueBytes / 2) return;
    this.#awaitsDrain = false;
    this.#owner.sendDrained();
  }

  /** Called by the handle only. */
  shutDownCompleted(status: number): void {
    this.#isShuttingDown = false;
    if (this.#owner.isClosed) return;
    if (status < 0) this.#owner.sendFailed(systemError(status, 'shutdown'));
    else this.#owner.endSent();
  }
}

// One function for all senders, so that a connection costs no closures.
function onWritten(this: HandleRequest<TlsSender>, status: number): void {
  this.owner.writeCompleted(status);
}
