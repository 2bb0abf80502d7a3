// One client of a run: a real WebSocket connection that talks, checks every echo, and comes back as a good client does:
// to any balancer, after the time that a goodbye names, else with backoff and jitter.
import { WebSocket } from 'ws';
import { pcg32, type Rng } from '../../src/core/rng.ts';
import type { Verdicts } from './invariants.ts';
import type { Ended, Journal } from './journal.ts';
import { oneOf } from './schedule.ts';

/** Where clients may connect. */
export interface Door {
  readonly id: string;
  readonly publicPort: number;
}

/** What a client is made with. */
export interface ClientOptions {
  /** Its name in what it says. */
  readonly index: number;
  readonly seed: number;
  readonly doors: readonly Door[];
  readonly journal: Journal;
  readonly verdicts: Verdicts;
  readonly heardEcho: () => void;
  /** A connection that was open has ended. */
  readonly ended: (ended: Ended, code: number) => void;
  /** An attempt has come to nothing. */
  readonly failed: (ended: Ended, reason: string) => void;
}

const handshakeWithinMs = 20_000;
const talkEveryMs = 700;
// Nobody talks on to a server that is behind by so much.
const mostUnheard = 6;
const firstBackoffMs = 200;
const longestBackoffMs = 3000;

/** A client with a lifetime: `connect`, then `leave`. */
export class Client {
  readonly #index: number;
  readonly #options: ClientOptions;
  readonly #rng: Rng;
  #socket: WebSocket | undefined;
  #connections = 0;
  #failures = 0;
  #said: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isLeaving = false;
  /** What became of its last connection or attempt. */
  about = 'never connected';
  /** Who greeted it on the connection that it has; '' without one. */
  node = '';
  /** Echoes on that connection. */
  heard = 0;

  constructor(options: ClientOptions) {
    this.#index = options.index;
    this.#options = options;
    this.#rng = pcg32(options.seed);
  }

  /** Opens a connection; from then on it comes back by itself. */
  connect(): void {
    if (this.#isLeaving) return;
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
      if (wasOpen) this.#options.ended({ ...ended, fromMs: openedAtMs }, code);
      else this.#options.failed({ ...ended, fromMs }, failure);
      this.node = '';
      this.#comeBack(/\bretry-ms=(\d+)$/.exec(String(reason))?.[1]);
    });
  }

  /** Closes its connection, and opens none any more. */
  leave(): void {
    this.#isLeaving = true;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
  }

  /** Ends what `leave` has left. */
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
    this.#options.heardEcho();
  }

  #talk(): void {
    const socket = this.#socket;
    if (this.#isLeaving || socket === undefined || socket.readyState !== WebSocket.OPEN) return;
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

function brief(text: string | undefined): string {
  return text === undefined ? 'nothing' : `'${text.slice(0, 60)}' (${text.length} characters)`;
}
