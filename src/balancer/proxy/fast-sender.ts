// The sending half of a fast wire: straight to the descriptor, a copy of what the kernel did not take, the end.
import { writeSync } from 'node:fs';
import { systemError } from './system-error.ts';
import type { HandleRequest, TcpHandle, TcpHooks } from './tcp-hooks.ts';

/** Who hears of the sending half. None is called once the owner is closed. */
export interface SenderOwner {
  readonly isClosed: boolean;
  /** The connection is broken; may be called from within `send` and `end`. */
  sendFailed(error: NodeJS.ErrnoException): void;
  /** Nothing is queued any more. */
  sendDrained(): void;
  /** Our half has ended; may be called from within `end`. */
  endSent(): void;
}

type SendingHandle = Pick<TcpHandle, 'fd' | 'writeBuffer' | 'shutdown'>;

export class FastSender {
  readonly #hooks: TcpHooks;
  readonly #handle: SendingHandle;
  readonly #owner: SenderOwner;
  #isConnected = false;
  // Asked for once: a handle keeps its number from connecting to closing, and sending ends before closing. Each question
  // is a call into Node, about a hundredth of what a message costs.
  #descriptor = -1;
  /** Writes that libuv holds for us. */
  #queued = 0;
  #isEnding = false;
  #isShuttingDown = false;

  constructor(hooks: TcpHooks, handle: SendingHandle, owner: SenderOwner, isConnected: boolean) {
    this.#hooks = hooks;
    this.#handle = handle;
    this.#owner = owner;
    if (isConnected) this.#connect();
  }

  /** A shutdown is under way, during which a reset would leave a handle that nothing can close. */
  get isShuttingDown(): boolean {
    return this.#isShuttingDown;
  }

  /** Nothing waits, and nothing has ended. */
  get isIdle(): boolean {
    return this.#isConnected && this.#queued === 0 && !this.#isEnding;
  }

  /** The dial has succeeded: what was sent and ended before takes effect. */
  connected(): void {
    this.#connect();
    if (this.#isEnding && this.#queued === 0) this.#shutDown();
  }

  /** See Wire.send. The owner is not closed. */
  send(buffer: Buffer, start: number, end: number): boolean {
    if (this.#isEnding) return true;
    if (this.#queued > 0 || !this.#isConnected) return this.#queueCopy(buffer, start, end);
    const taken = this.#writeNow(buffer, start, end);
    if (taken === end - start || taken < 0) return true;
    return this.#queueCopy(buffer, start + taken, end);
  }

  /** See Wire.end. The owner is not closed. */
  end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    // libuv would wait for queued writes by itself, but refuses a reset all the while.
    if (this.#isConnected && this.#queued === 0) this.#shutDown();
  }

  #connect(): void {
    this.#isConnected = true;
    this.#descriptor = this.#handle.fd;
  }

  /** Bytes that the kernel took, 0 when it has no room, -1 when the connection is broken. */
  #writeNow(buffer: Buffer, start: number, end: number): number {
    try {
      return writeSync(this.#descriptor, buffer, start, end - start);
    } catch (error) {
      // writeSync throws system errors only: descriptor and range are ours.
      const failure = error as NodeJS.ErrnoException;
      if (failure.code === 'EAGAIN') return 0;
      this.#owner.sendFailed(failure);
      return -1;
    }
  }

  #queueCopy(buffer: Buffer, start: number, end: number): boolean {
    const request = this.#hooks.createWrite<FastSender>();
    request.owner = this;
    request.bytes = Buffer.from(buffer.subarray(start, end));
    request.oncomplete = onWritten;
    const status = this.#handle.writeBuffer(request, request.bytes);
    if (status !== 0) {
      this.#owner.sendFailed(systemError(status, 'write'));
      return true;
    }
    if (this.#hooks.streamState[this.#hooks.asyncIndex] === 0) return this.#queued === 0;
    this.#queued += 1;
    return false;
  }

  #shutDown(): void {
    this.#isShuttingDown = true;
    beginShutdown(this.#hooks, this.#handle, this);
  }

  /** Called by the handle only. */
  writeCompleted(status: number): void {
    this.#queued -= 1;
    if (this.#owner.isClosed) return;
    if (status !== 0) return this.#owner.sendFailed(systemError(status, 'write'));
    if (this.#queued > 0) return;
    if (this.#isEnding) this.#shutDown();
    if (!this.#owner.isClosed) this.#owner.sendDrained();
  }

  /** Called by the handle only. */
  shutDownCompleted(status: number): void {
    this.#isShuttingDown = false;
    if (this.#owner.isClosed) return;
    if (status < 0) this.#owner.sendFailed(systemError(status, 'shutdown'));
    else this.#owner.endSent();
  }
}

// One function each for all senders, so that a connection costs no closures.

function onWritten(this: HandleRequest<FastSender>, status: number): void {
  this.owner.writeCompleted(status);
}

function onShutDown(this: HandleRequest<ShutdownOwner>, status: number): void {
  this.owner.shutDownCompleted(status);
}

/** Who hears that our half has ended. */
interface ShutdownOwner {
  /** `status` below 0: it has failed. */
  shutDownCompleted(status: number): void;
}

/** Ends our half of `handle`; `owner` hears of it once, maybe before this returns. */
export function beginShutdown(
  hooks: TcpHooks,
  handle: Pick<TcpHandle, 'shutdown'>,
  owner: ShutdownOwner,
): void {
  const request = hooks.createShutdown<ShutdownOwner>();
  request.owner = owner;
  request.oncomplete = onShutDown;
  // 0: will complete. 1: has completed at once, and nothing more is called.
  const status = handle.shutdown(request);
  if (status !== 0) owner.shutDownCompleted(status === 1 ? 0 : status);
}
