// The clients of a run: real WebSocket connections that talk, check every echo, and come back as good clients do: to
// any balancer, after the time that a goodbye names, else with backoff and jitter.
import { WebSocket } from 'ws';
import { pcg32, type Rng } from '../../src/core/rng.ts';
import type { Ended, Journal } from './journal.ts';
import type { Verdicts } from './invariants.ts';
import { oneOf } from './schedule.ts';

/** Where clients may connect. */
export interface Door {
  readonly id: string;
  readonly publicPort: number;
}

/** What a crowd is made with. */
export interface CrowdOptions {
  readonly count: number;
  readonly seed: number;
  readonly doors: readonly Door[];
  readonly journal: Journal;
  readonly verdicts: Verdicts;
}

/** What became of connections and attempts, by reason. */
export type Tally = Record<string, number>;

const handshakeWithinMs = 20_000;
const talkEveryMs = 700;
// Nobody talks on to a server that is behind by so much.
const mostUnheard = 6;
const firstBackoffMs = 200;
const longestBackoffMs = 3000;

/** Clients with a lifetime: `come`, then `leave`. */
export class Crowd {
  readonly #options: CrowdOptions;
  readonly #clients: Client[];
  readonly ends: Tally = {};
  readonly attempts: Tally = {};
  echoes = 0;
  isLeaving = false;

  constructor(options: CrowdOptions) {
    this.#options = options;
    this.#clients = Array.from({ length: options.count }, (_, index) => new Client(index, this, options));
  }

  /** Has them come within about so much time. */
  come(withinMs: number): void {
    for (const [index, client] of this.#clients.entries())
      setTimeout(() => client.connect(), (withinMs * index) / this.#clients.length);
  }

  /** Clients that have a connection and have been greeted. */
  get connected(): number {
    return this.#clients.filter(({ node }) => node !== '').length;
  }

  /** The same by the node that greeted them. */
  get byNode(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { node } of this.#clients) if (node !== '') counts[node] = (counts[node] ?? 0) + 1;
    return counts;
  }

  /** Echoes that each client has heard on the connection that it has; 0 for one that has none. */
  get heard(): readonly number[] {
    return this.#clients.map(({ heard, node }) => (node === '' ? 0 : heard));
  }

  /** Has everybody say one more thing; those that talk say it soon anyway. */
  get silent(): readonly string[] {
    return this.#clients.filter(({ node }) => node === '').map(({ about }) => about);
  }

  /** Closes every connection and opens none any more. */
  leave(): void {
    this.isLeaving = true;
    for (const client of this.#clients) client.leave();
  }

  /** Ends what `leave` has left. */
  end(): void {
    for (const client of this.#clients) client.end();
  }

  /** A connection that was open has ended, whoever closed it. */
  judgeEnd(ended: Ended, code: number): void {
    if (this.isLeaving) return;
    const { journal, verdicts } = this.#options;
    count(this.ends, code === 1013 && ended.node === '' ? 'refused with 1013' : String(code));
    const isExplained =
      (code === 1006 && journal.explainsCut(ended)) ||
      (code === 1012 && journal.explainsGoodbye(ended)) ||
      // Nobody could take it in: it was accepted to be told so.
      (code === 1013 && ended.node === '');
    verdicts.check('ends', isExplained, () => `closed with ${code}: ${shown(ended)}`);
  }

  /** An attempt has come to nothing. */
  judgeAttempt(ended: Ended, reason: string): void {
    if (this.isLeaving) return;
    const { journal, verdicts } = this.#options;
    count(this.attempts, reason);
    const isNobodyThere = /ECONNREFUSED|ECONNRESET|EPIPE|hang up/.test(reason);
    verdicts.check(
      'attempts',
      !isNobodyThere || journal.explainsRefusal(ended),
      () => `${reason}: ${shown(ended)}`,
    );
  }
}

/** One of them. */
class Client {
  readonly #index: number;
  readonly #crowd: Crowd;
  readonly #options: CrowdOptions;
  readonly #rng: Rng;
  #socket: WebSocket | undefined;
  #connections = 0;
  #failures = 0;
  #said: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  about = 'never connected';
  node = '';
  heard = 0;

  constructor(index: number, crowd: Crowd, options: CrowdOptions) {
    this.#index = index;
    this.#crowd = crowd;
    this.#options = options;
    this.#rng = pcg32(options.seed * 100_000 + index);
  }

  connect(): void {
    if (this.#crowd.isLeaving) return;
    const { doors, journal } = this.#options;
    const door = oneOf(doors, this.#rng.next());
    const fromMs = journal.nowMs();
    this.#connections += 1;
    this.#said = [];
    this.heard = 0;
    const socket = new WebSocket(`ws://127.0.0.1:${door.publicPort}/`, {
      perMessageDeflate: false,
      handshakeTimeout: handshakeWithinMs,
    });
    this.#socket = socket;
    let openedAtMs = NaN;
    let failure = '';
    socket.on('open', () => (openedAtMs = journal.nowMs()));
    socket.on('message', (data) => this.#hear(String(data), door.id));
    socket.on('error', (error) => (failure = error.message));
    socket.on('close', (code, reason) => {
      clearTimeout(this.#timer);
      const ended = { balancer: door.id, node: this.node, untilMs: journal.nowMs() };
      const wasOpen = !Number.isNaN(openedAtMs);
      this.about = `${wasOpen ? `closed with ${code}` : failure} by ${door.id} at ${Math.round(ended.untilMs)} ms`;
      if (wasOpen) this.#crowd.judgeEnd({ ...ended, fromMs: openedAtMs }, code);
      else this.#crowd.judgeAttempt({ ...ended, fromMs }, failure);
      this.node = '';
      this.#comeBack(/\bretry-ms=(\d+)$/.exec(String(reason))?.[1]);
    });
  }

  leave(): void {
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
  }

  end(): void {
    this.#socket?.terminate();
  }

  #hear(text: string, balancer: string): void {
    const { verdicts } = this.#options;
    if (this.node === '') {
      const node = /^node (\S+)$/.exec(text)?.[1] ?? '';
      verdicts.check('echo', node !== '', () => `client ${this.#index} was greeted with ${brief(text)}`);
      this.node = node;
      this.#failures = 0;
      this.#talk();
      return;
    }
    const expected = this.#said.shift();
    verdicts.check(
      'echo',
      text === expected,
      () =>
        `client ${this.#index} on ${this.node} by ${balancer} heard ${brief(text)}, not ${brief(expected)}`,
    );
    this.heard += 1;
    this.#crowd.echoes += 1;
  }

  #talk(): void {
    const socket = this.#socket;
    if (this.#crowd.isLeaving || socket === undefined || socket.readyState !== WebSocket.OPEN) return;
    if (this.#said.length < mostUnheard) {
      const name = `${this.#index}:${this.#connections}:${this.heard + this.#said.length}:`;
      // Few are long, as in a chat: they come in several reads, and some while the relay is told to end.
      const chance = this.#rng.next();
      const text = name.padEnd(chance < 0.01 ? 60_000 : chance < 0.1 ? 2000 : 24, name);
      this.#said.push(text);
      socket.send(text, () => {});
    }
    this.#timer = setTimeout(() => this.#talk(), talkEveryMs * (0.5 + this.#rng.next()));
  }

  #comeBack(hintMs: string | undefined): void {
    const backoffMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** this.#failures);
    this.#failures += 1;
    const jitter = 0.5 + this.#rng.next();
    setTimeout(() => this.connect(), hintMs === undefined ? backoffMs * jitter : Number(hintMs));
  }
}

function count(tally: Tally, reason: string): void {
  tally[reason] = (tally[reason] ?? 0) + 1;
}

function shown({ balancer, node, fromMs, untilMs }: Ended): string {
  const seconds = (ms: number) => (ms / 1000).toFixed(2);
  return `by ${balancer}, node ${node === '' ? 'unknown' : node}, from ${seconds(fromMs)} to ${seconds(untilMs)} s`;
}

function brief(text: string | undefined): string {
  return text === undefined ? 'nothing' : `'${text.slice(0, 60)}' (${text.length} characters)`;
}
