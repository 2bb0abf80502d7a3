// What all parts of a soak share: where to connect, what must hold, what has been done, and which nodes were drained.
import { setMaxListeners } from 'node:events';
import { Verdicts } from '../chaos/invariants.ts';

/** What must hold, one sentence each. */
export const sentences = {
  bytes:
    'What a connection hears is what was sent on it, byte by byte, once and in order: nothing of another connection.',
  whole:
    'A connection that ends in order has heard everything; one that half-closes hears the rest and then the end.',
  ends: 'A connection that its client keeps ends only when its node is drained.',
  answers: 'Every connection attempt and every request is answered by a node.',
  drained: 'A drained node has no connection when its drain is over.',
  errors: 'The balancer logs no error, and writes nothing to stderr.',
  counters: 'When all clients have left, every gauge of connections and of waiting clients is 0.',
  descriptors: 'When all clients have left, each process has the descriptors of before, give or take 8.',
  memory: 'Resident memory does not rise: by the slope of all samples less than its bound.',
  heap: 'The heap does not rise: the same for the lows of ten seconds.',
  stopped: 'On SIGTERM the balancer ends with exit code 0.',
} as const;

/** Their names. */
export type Sentence = keyof typeof sentences;

/** How often something happened. */
export type Tally = Record<string, number>;

interface Drain {
  readonly node: string;
  readonly fromMs: number;
  untilMs: number;
}

// What a goodbye has begun may end after the node is ready again: the relay's grace, and a busy machine.
const goodbyeMs = 15_000;
// And a connection may be placed a little after its client has opened it.
const placedWithinMs = 3000;

/** The desk of one run. */
export class Desk {
  readonly verdicts: Verdicts<Sentence>;
  readonly tally: Tally = {};
  readonly leave = new AbortController();
  /** Of the listener for HTTP, and of the one for any bytes. */
  port = 0;
  bytesPort = 0;
  securePort = 0;
  readonly #startedMs = performance.now();
  readonly #drains: Drain[] = [];
  #connections = 0;

  constructor(tell: (line: string) => void) {
    // As many as there are clients.
    setMaxListeners(0, this.leave.signal);
    this.verdicts = new Verdicts(() => this.nowMs(), tell);
  }

  /** Milliseconds since the start. */
  nowMs(): number {
    return performance.now() - this.#startedMs;
  }

  /** The number of the next connection; no two have the same. */
  nextConnection(): number {
    this.#connections += 1;
    return this.#connections;
  }

  get isLeaving(): boolean {
    return this.leave.signal.aborted;
  }

  count(name: string, by = 1): void {
    this.tally[name] = (this.tally[name] ?? 0) + by;
  }

  /** Before a drain is asked for; call the answer when the node is ready again. */
  drains(node: string): () => void {
    const drain: Drain = { node, fromMs: this.nowMs(), untilMs: Infinity };
    this.#drains.push(drain);
    return () => (drain.untilMs = this.nowMs());
  }

  /** Whether a drain explains that a connection to `node`, any node for '', opened at `fromMs`, ends now. */
  mayHaveBeenAsked(node: string, fromMs: number): boolean {
    return this.#drains.some((drain) => {
      const wasThere = fromMs <= drain.fromMs + placedWithinMs;
      return (node === '' || drain.node === node) && wasThere && this.nowMs() <= drain.untilMs + goodbyeMs;
    });
  }

  /** Judges the end of a connection that its client has not ended. */
  judgeEnd(about: string, { node, fromMs }: { readonly node: string; readonly fromMs: number }): void {
    this.count('asked to leave');
    this.verdicts.check(
      'ends',
      this.mayHaveBeenAsked(node, fromMs),
      () => `${about}, node ${node || 'unknown'}`,
    );
  }

  /** Compares what came with what was sent. */
  judgeBytes(about: string, heard: Buffer, sent: Buffer): boolean {
    const isSame = heard.equals(sent);
    this.count('bytes', heard.length);
    this.verdicts.check('bytes', isSame, () => `${about}: ${difference(heard, sent)}`);
    return isSame;
  }
}

function difference(heard: Buffer, sent: Buffer): string {
  const at = heard.findIndex((byte, index) => byte !== sent[index]);
  const around = (bytes: Buffer) => bytes.subarray(Math.max(0, at), at + 24).toString('hex');
  return `${heard.length} bytes heard, ${sent.length} sent, the first other one at ${at}: ${around(heard)} for ${around(sent)}`;
}
