// Test readers of wires and the plain peers they talk to.
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { DialReader, Wire } from '../../src/balancer/proxy/wire.ts';
import type { Rng } from '../../src/core/rng.ts';

/** Writes down what a wire says and lets a test wait for it. */
export class Recorder implements DialReader {
  readonly events: string[] = [];
  readonly chunks: Buffer[] = [];
  receivedBytes = 0;
  error: NodeJS.ErrnoException | undefined;
  /** Runs after each call. */
  onEvent: (event: string) => void = () => {};
  readonly #waiting = new Set<() => void>();

  connected(): void {
    this.#note('connected');
  }

  bytes(buffer: Buffer, start: number, end: number): void {
    this.chunks.push(Buffer.from(buffer.subarray(start, end)));
    this.receivedBytes += end - start;
    this.#note('bytes');
  }

  ended(): void {
    this.#note('ended');
  }

  drained(): void {
    this.#note('drained');
  }

  closed(error: NodeJS.ErrnoException | undefined): void {
    this.error = error;
    this.#note('closed');
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  count(event: string): number {
    return this.events.filter((each) => each === event).length;
  }

  /** Resolves when `event` has happened; the test's own timeout bounds the wait. */
  async saw(event: string): Promise<void> {
    await this.until(() => this.events.includes(event));
  }

  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  #note(event: string): void {
    this.events.push(event);
    this.onEvent(event);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}

/** Lets every event that is due happen: a few turns of the event loop, no time. */
export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** What a test opened and must close; closed in the reverse order. */
export class Cleanup {
  readonly #closers: (() => unknown)[] = [];

  add(closer: () => unknown): void {
    this.#closers.push(closer);
  }

  async run(): Promise<void> {
    for (const closer of this.#closers.toReversed()) await closer();
    this.#closers.length = 0;
  }
}

/** A documented server whose sockets stay half open and end with the test. */
export async function startPeer(cleanup: Cleanup, onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.add(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  // A server bound to a port has an AddressInfo.
  return (server.address() as AddressInfo).port;
}

/** Couples two wires as a relay does, with nothing but the contract. */
export function couple(one: Wire, other: Wire, tunnel: boolean): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.reader = {
      bytes(buffer, start, end) {
        if (!to.send(buffer, start, end)) from.pause();
      },
      drained: () => to.resume(),
      ended: () => to.end(),
      closed: (error) => {
        if (error !== undefined) to.destroy({ reset: true });
      },
    };
    if (tunnel) from.useSharedBuffer();
    from.resume();
  }
}

/** `size` bytes of chance, the same for the same seed. */
export function randomBytes(rng: Rng, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  const block = Buffer.allocUnsafe(4093);
  for (let i = 0; i < block.length; i++) block[i] = rng.next() * 256;
  // A prime length and a counter: no two blocks alike, at the price of one block's draws.
  for (let at = 0, n = 0; at < size; at += block.length, n++) {
    block.writeUInt32LE(n, 0);
    block.copy(bytes, at, 0, Math.min(block.length, size - at));
  }
  return bytes;
}

/** A promise and what settles it (Promise.withResolvers is not in Node 20). */
export function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  const settlers: ((value: T) => void)[] = [];
  const promise = new Promise<T>((settle) => settlers.push(settle));
  return { promise, resolve: (value) => settlers[0]?.(value) };
}
