// One WebSocket connection of a soak: it talks, stalls, and ends in one of the ways in which clients do.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { WebSocket } from 'ws';
import type { Rng } from '../../src/core/rng.ts';
import { oneOf } from '../chaos/schedule.ts';
import { between, drawSize, messageBytes, type MessageName } from './bytes.ts';
import type { Desk } from './desk.ts';

const handshakeWithinMs = 60_000;
const restWithinMs = 60_000;
// Enough to fill every buffer on the way while a client stalls; the node holds what it cannot write.
const mostUnheardBytes = 2 * 1024 * 1024;
const mostUnheard = 30;
const stallChance = 0.06;
const splitChance = 0.2;
const secureChance = 0.4;

/** How it ends, by how often: half of all in order. */
const endings = ['close', 'close', 'close', 'reset', 'cut', 'half-close'] as const;

/** Opens one, talks, ends it; resolves when it is closed. */
export async function visitByWebSocket(desk: Desk, rng: Rng): Promise<void> {
  const visit = new WebSocketVisit(desk, rng);
  if (!(await visit.open())) return;
  await visit.talk();
  await visit.end();
}

class WebSocketVisit {
  readonly #desk: Desk;
  readonly #rng: Rng;
  readonly #connection: number;
  readonly #tcp: Socket;
  /** The same, or TLS over it. */
  readonly #stream: Socket;
  readonly #socket: WebSocket;
  readonly #fromMs: number;
  readonly #unheard: MessageName[] = [];
  #unheardBytes = 0;
  #sent = 0;
  #node = '';
  #isEnding = false;
  #isOver = false;
  #closeCode = 0;

  constructor(desk: Desk, rng: Rng) {
    this.#desk = desk;
    this.#rng = rng;
    this.#connection = desk.nextConnection();
    this.#fromMs = desk.nowMs();
    const isSecure = rng.next() < secureChance;
    this.#tcp = connect(isSecure ? desk.securePort : desk.port, '127.0.0.1');
    // What breaks shows at the WebSocket.
    this.#tcp.on('error', () => {});
    this.#stream = isSecure ? connectTls({ socket: this.#tcp, rejectUnauthorized: false }) : this.#tcp;
    if (isSecure) desk.count('TLS');
    this.#socket = new WebSocket(`ws${isSecure ? 's' : ''}://127.0.0.1/ws`, {
      perMessageDeflate: rng.next() < 0.1,
      handshakeTimeout: handshakeWithinMs,
      createConnection: () => this.#stream,
    });
    // Proof of `as`: the default binaryType gives Buffers.
    this.#socket.on('message', (data, isBinary) => this.#hear(data as Buffer, isBinary));
    this.#socket.on('close', (code) => this.#closed(code));
  }

  /** False where nothing came of it. */
  async open(): Promise<boolean> {
    const failure = await new Promise<string>((resolve) => {
      this.#socket.once('open', () => resolve(''));
      this.#socket.once('error', (error) => resolve(error.message));
    });
    this.#desk.verdicts.check('answers', failure === '', () => `WebSocket ${this.#connection}: ${failure}`);
    if (failure !== '') return false;
    this.#desk.count('WebSocket');
    // From now on only what ws cannot read as frames.
    this.#socket.on('error', ({ message }) => {
      this.#desk.verdicts.check('bytes', false, () => `WebSocket ${this.#connection}: ${message}`);
    });
    return true;
  }

  async talk(): Promise<void> {
    const forMs = 300 * Math.exp(this.#rng.next() * 4);
    const untilMs = this.#desk.nowMs() + forMs;
    while (this.#desk.nowMs() < untilMs && !this.#isOver && !this.#desk.isLeaving) {
      if (this.#unheard.length < mostUnheard && this.#unheardBytes < mostUnheardBytes) this.#say();
      if (this.#rng.next() < stallChance) await this.#stall();
      await sleep(between(this.#rng, [5, 500]));
    }
  }

  async end(): Promise<void> {
    const how = oneOf(endings, this.#rng.next());
    if (how === 'close') await this.#hearTheRest();
    if (this.#isOver) return;
    this.#isEnding = true;
    const closed = new Promise((resolve) => this.#socket.once('close', resolve));
    this.#desk.count(`WebSocket ${how}`);
    if (how === 'close') this.#socket.close(1000);
    // Bytes are under way in both directions.
    if (how !== 'close') this.#say();
    if (how === 'reset') this.#tcp.resetAndDestroy();
    if (how === 'cut') this.#socket.terminate();
    if (how === 'half-close') this.#stream.end();
    await this.#within(closed, how);
    if (how !== 'close') return;
    const isInOrder = this.#unheard.length === 0 && this.#closeCode === 1000;
    const isAsked = this.#closeCode === 1012 && this.#desk.mayHaveBeenAsked(this.#node, this.#fromMs);
    this.#desk.verdicts.check('whole', isInOrder || isAsked, () => {
      return `WebSocket ${this.#connection} closed with ${this.#closeCode}, ${this.#unheard.length} messages unheard`;
    });
  }

  async #hearTheRest(): Promise<void> {
    const untilMs = this.#desk.nowMs() + restWithinMs;
    while (this.#unheard.length > 0 && !this.#isOver && this.#desk.nowMs() < untilMs) await sleep(5);
  }

  async #within(closed: Promise<unknown>, how: string): Promise<void> {
    const stop = new AbortController();
    const late = sleep(restWithinMs, 'late', { signal: stop.signal }).catch(() => '');
    const isLate = (await Promise.race([closed, late])) === 'late';
    stop.abort();
    this.#desk.verdicts.check(
      'ends',
      !isLate,
      () => `WebSocket ${this.#connection} is still open after ${how}`,
    );
    if (isLate) this.#socket.terminate();
  }

  #say(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    const alphabet = this.#rng.next() < 0.5 ? 'text' : 'binary';
    const name = {
      connection: this.#connection,
      number: this.#sent,
      size: drawSize(this.#rng),
      alphabet,
    } as const;
    this.#sent += 1;
    this.#unheard.push(name);
    this.#unheardBytes += name.size;
    this.#desk.count('messages');
    const bytes = messageBytes(name);
    const binary = alphabet === 'binary';
    const isSplit = this.#rng.next() < splitChance;
    const at = isSplit ? Math.floor(this.#rng.next() * bytes.length) : 0;
    if (isSplit) this.#socket.send(bytes.subarray(0, at), { binary, fin: false }, () => {});
    this.#socket.send(bytes.subarray(at), { binary }, () => {});
  }

  async #stall(): Promise<void> {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.pause();
    this.#desk.count('stalls');
    const untilMs = this.#desk.nowMs() + between(this.#rng, [500, 4000]);
    while (this.#desk.nowMs() < untilMs && !this.#desk.isLeaving) {
      if (this.#unheardBytes < mostUnheardBytes) this.#say();
      await sleep(between(this.#rng, [10, 200]));
    }
    this.#socket.resume();
  }

  #hear(data: Buffer, isBinary: boolean): void {
    const { verdicts } = this.#desk;
    if (this.#node === '') {
      this.#node = /^node (n-\d+)$/.exec(String(data))?.[1] ?? '';
      verdicts.check('bytes', this.#node !== '', () => `WebSocket ${this.#connection} was greeted by none`);
      return;
    }
    const name = this.#unheard.shift();
    const about = `WebSocket ${this.#connection}, message ${name?.number}`;
    this.#unheardBytes -= name?.size ?? 0;
    const sent = name === undefined ? Buffer.alloc(0) : messageBytes(name);
    this.#desk.judgeBytes(about, data, sent);
    verdicts.check(
      'bytes',
      isBinary === (name?.alphabet === 'binary'),
      () => `${about} is of the other kind`,
    );
  }

  #closed(code: number): void {
    this.#isOver = true;
    this.#closeCode = code;
    if (this.#isEnding) return;
    // Nothing came of it: `open` judges that.
    if (this.#node === '' && this.#sent === 0 && code === 1006) return;
    const about = `WebSocket ${this.#connection} closed with ${code}`;
    // Nobody could take it: it was accepted to be told so.
    if (code === 1013) return this.#desk.verdicts.check('answers', false, () => about);
    this.#desk.judgeEnd(about, { node: this.#node, fromMs: this.#fromMs });
  }
}
