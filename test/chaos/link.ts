// The network between one balancer and Redis: a TCP proxy that can be cut, made deaf or slowed down in the middle of
// a stream, without ever giving bytes in another order or a stream with a hole.
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

type Mode = 'open' | 'cut' | 'deaf';

/** A proxy to a port of this machine. */
export class ChaosLink {
  readonly #toPort: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #mode: Mode = 'open';
  #delayMs = 0;

  private constructor(toPort: number) {
    this.#toPort = toPort;
    this.#server = createServer((near) => this.#carry(near));
  }

  /** Listens at a free port of 127.0.0.1. */
  static async open(toPort: number): Promise<ChaosLink> {
    const link = new ChaosLink(toPort);
    await new Promise<void>((resolve) => link.#server.listen(0, '127.0.0.1', resolve));
    return link;
  }

  get port(): number {
    // Proof of `as`: bound to a TCP port.
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resets every connection, and new ones at once, until `mend`. */
  cut(): void {
    this.#mode = 'cut';
    for (const pair of this.#pairs) pair.reset();
  }

  /** Takes bytes and gives them nowhere, and says so to nobody, until `mend`: half-open connections. */
  deafen(): void {
    this.#mode = 'deaf';
    for (const pair of this.#pairs) pair.isDeaf = true;
  }

  /** Gives bytes so much later, ms, from now on. */
  slow(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /** As at the start. Connections that have lost bytes are reset: a stream with a hole is none that a network makes. */
  mend(): void {
    this.#mode = 'open';
    this.#delayMs = 0;
    for (const pair of this.#pairs) if (pair.isDeaf) pair.reset();
  }

  async end(): Promise<void> {
    for (const pair of this.#pairs) pair.reset();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #carry(near: Socket): void {
    near.on('error', () => {});
    if (this.#mode === 'cut') {
      near.resetAndDestroy();
      return;
    }
    const far = connect({ host: '127.0.0.1', port: this.#toPort });
    far.on('error', () => {});
    const pair = new Pair(near, far, () => this.#delayMs);
    pair.isDeaf = this.#mode === 'deaf';
    this.#pairs.add(pair);
    near.once('close', () => this.#pairs.delete(pair));
  }
}

/** Both ends of one connection. */
class Pair {
  isDeaf = false;
  readonly #near: Socket;
  readonly #far: Socket;

  constructor(near: Socket, far: Socket, delayMs: () => number) {
    this.#near = near;
    this.#far = far;
    this.#pour(near, far, delayMs);
    this.#pour(far, near, delayMs);
  }

  reset(): void {
    this.#near.resetAndDestroy();
    this.#far.resetAndDestroy();
  }

  #pour(from: Socket, to: Socket, delayMs: () => number): void {
    const waiting: Buffer[] = [];
    let lastDueMs = 0;
    from.on('data', (bytes: Buffer) => {
      if (this.isDeaf) return;
      const nowMs = performance.now();
      // Never before what came before, also when the link has just become faster.
      lastDueMs = Math.max(lastDueMs, nowMs + delayMs());
      if (waiting.length === 0 && lastDueMs <= nowMs) {
        to.write(bytes);
        return;
      }
      waiting.push(bytes);
      // Whichever timer comes first writes what came first.
      setTimeout(() => {
        const next = waiting.shift();
        if (next !== undefined && !to.destroyed && !this.isDeaf) to.write(next);
      }, lastDueMs - nowMs);
    });
    from.once('close', () => {
      if (!this.isDeaf) to.destroy();
    });
  }
}
