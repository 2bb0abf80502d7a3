// One connection of a soak through the TCP listener: a stream of bytes that comes back as it is.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Rng } from '../../src/core/rng.ts';
import { between, drawSize, streamBytes } from './bytes.ts';
import type { Desk } from './desk.ts';

// Read by the node alone: its echo lives behind an upgrade beside its WebSockets.
const request = 'GET /bytes HTTP/1.1\r\nHost: soak\r\nConnection: Upgrade\r\nUpgrade: bytes\r\n\r\n';
const restWithinMs = 60_000;
const mostUnheardBytes = 2 * 1024 * 1024;
const resetPart = 0.3;
const stallChance = 0.1;

/** Opens one, writes for a while, then resets it or ends its half and hears the rest. */
export async function visitByBytes(desk: Desk, rng: Rng): Promise<void> {
  const visit = new BytesVisit(desk, rng);
  await visit.until(() => visit.isOpen || visit.isEnded);
  // A TCP connection is relayed before its node has said anything: it may be asked to leave before that.
  const isAnswered = visit.isOpen || (visit.isEnded && visit.isAsked);
  desk.verdicts.check('answers', isAnswered, () => {
    return `TCP ${visit.connection} was not answered, ${visit.isEnded ? 'but ended' : 'and is open'}: ${visit.head}`;
  });
  if (!visit.isOpen) return visit.reset();
  desk.count('TCP');
  await visit.talk();
  if (rng.next() < resetPart) return visit.reset();
  await visit.halfClose();
}

class BytesVisit {
  readonly connection: number;
  readonly #desk: Desk;
  readonly #rng: Rng;
  readonly #socket: Socket;
  readonly #fromMs: number;
  #sentBytes = 0;
  #heardBytes = 0;
  #isHalfClosed = false;
  #isLeft = false;
  /** It has heard the end, or is closed. */
  isEnded = false;
  isOpen = false;
  head = '';

  constructor(desk: Desk, rng: Rng) {
    this.#desk = desk;
    this.#rng = rng;
    this.connection = desk.nextConnection();
    this.#fromMs = desk.nowMs();
    this.#socket = connect({ port: desk.bytesPort, host: '127.0.0.1', allowHalfOpen: true });
    this.#socket.on('data', (bytes) => this.#hear(bytes));
    this.#socket.on('end', () => this.#ended());
    // 'close' follows.
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => this.#ended());
    this.#socket.write(request);
  }

  async talk(): Promise<void> {
    const untilMs = this.#desk.nowMs() + 300 * Math.exp(this.#rng.next() * 4);
    while (this.#desk.nowMs() < untilMs && !this.isEnded && !this.#desk.isLeaving) {
      if (this.#sentBytes - this.#heardBytes < mostUnheardBytes) this.#write();
      if (this.#rng.next() < stallChance) {
        this.#socket.pause();
        this.#desk.count('stalls');
        await sleep(between(this.#rng, [500, 3000]));
        this.#socket.resume();
      }
      await sleep(between(this.#rng, [5, 500]));
    }
  }

  reset(): void {
    this.#isLeft = true;
    this.#desk.count('TCP reset');
    this.#socket.resetAndDestroy();
  }

  async halfClose(): Promise<void> {
    if (this.isEnded) return void this.#socket.destroy();
    this.#isHalfClosed = true;
    this.#desk.count('TCP half-close');
    this.#socket.end();
    await this.until(() => this.isEnded);
    this.#isLeft = true;
    this.#desk.verdicts.check(
      'whole',
      this.isEnded && (this.#heardBytes === this.#sentBytes || this.isAsked),
      () =>
        `TCP ${this.connection} heard ${this.#heardBytes} of ${this.#sentBytes} after its half-close, ended: ${this.isEnded}`,
    );
    this.#socket.destroy();
  }

  /** Waits for it, or for a minute. */
  async until(holds: () => boolean): Promise<void> {
    const untilMs = this.#desk.nowMs() + restWithinMs;
    while (!holds() && this.#desk.nowMs() < untilMs) await sleep(5);
  }

  /** A drain explains that it ends. */
  get isAsked(): boolean {
    return this.#desk.mayHaveBeenAsked(this.#node, this.#fromMs);
  }

  get #node(): string {
    return /x-node: (\S+)/i.exec(this.head)?.[1] ?? '';
  }

  #write(): void {
    const size = drawSize(this.#rng);
    this.#socket.write(streamBytes(this.connection, this.#sentBytes, size));
    this.#sentBytes += size;
  }

  #hear(bytes: Buffer): void {
    if (this.isOpen) return this.#compare(bytes);
    this.head += bytes.toString('latin1');
    const at = this.head.indexOf('\r\n\r\n');
    if (at === -1) return;
    const rest = Buffer.from(this.head.slice(at + 4), 'latin1');
    this.head = this.head.slice(0, at);
    this.isOpen = this.head.startsWith('HTTP/1.1 101 ');
    if (this.isOpen && rest.length > 0) this.#compare(rest);
  }

  #compare(bytes: Buffer): void {
    const isAhead = this.#heardBytes + bytes.length > this.#sentBytes;
    const sent = isAhead ? Buffer.alloc(0) : streamBytes(this.connection, this.#heardBytes, bytes.length);
    this.#desk.judgeBytes(`TCP ${this.connection} at ${this.#heardBytes}`, bytes, sent);
    this.#heardBytes += bytes.length;
  }

  #ended(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    if (this.#isHalfClosed || this.#isLeft || !this.isOpen) return;
    this.#desk.judgeEnd(`TCP ${this.connection}`, { node: this.#node, fromMs: this.#fromMs });
    this.#socket.destroy();
  }
}
