// All clients of a run, and whether what became of their connections is explained. What one client does is client.ts.
import { Client, type Door } from './client.ts';
import type { Verdicts } from './invariants.ts';
import type { Ended, Journal } from './journal.ts';

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
    this.#clients = Array.from({ length: options.count }, (_, index) => this.#client(index));
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

  /** What became of those that have no connection. */
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
    count(this.attempts, reason.replace(/ 127\.0\.0\.1:\d+$/, ''));
    const isNobodyThere = /ECONNREFUSED|ECONNRESET|EPIPE|hang up/.test(reason);
    verdicts.check(
      'attempts',
      !isNobodyThere || journal.explainsRefusal(ended),
      () => `${reason}: ${shown(ended)}`,
    );
  }

  #client(index: number): Client {
    const { seed, doors, journal, verdicts } = this.#options;
    return new Client({
      index,
      seed: seed * 100_000 + index,
      doors,
      journal,
      verdicts,
      heardEcho: () => (this.echoes += 1),
      ended: (ended, code) => this.judgeEnd(ended, code),
      failed: (ended, reason) => this.judgeAttempt(ended, reason),
    });
  }
}

function count(tally: Tally, reason: string): void {
  tally[reason] = (tally[reason] ?? 0) + 1;
}

function shown({ balancer, node, fromMs, untilMs }: Ended): string {
  const seconds = (ms: number) => (ms / 1000).toFixed(2);
  return `by ${balancer}, node ${node === '' ? 'unknown' : node}, from ${seconds(fromMs)} to ${seconds(untilMs)} s`;
}
