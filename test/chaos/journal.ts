// What a run has done so far, with times since its beginning, and which ends of connections that explains.
import { appendFileSync } from 'node:fs';

/** What may end connections or attempts. `until` is set when it is over; an instant has it at once. */
export interface Happening {
  readonly kind:
    | 'balancerDown'
    | 'balancerEnding'
    | 'workerKilled'
    | 'nodeKilled'
    | 'nodeStopped'
    | 'drain'
    | 'rebalance';
  /** Of the balancer or node; '' for a rebalance. */
  readonly who: string;
  readonly fromMs: number;
  untilMs: number;
  /** Ends that it may still explain; Infinity where nobody knows how many. */
  left: number;
}

/** A connection, or an attempt, that has ended. */
export interface Ended {
  readonly balancer: string;
  /** '' before its greeting. */
  readonly node: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

// A goodbye leaves a client ten seconds to answer; and whoever counts is late on a busy machine, but never early.
const noticedLateMs = 20_000;
// A connection is as old as its client knows, which hears of it after its node has begun it.
const bornLateMs = 2000;

/** The story of one run. */
export class Journal {
  readonly #file: string;
  readonly #startedAtMs = performance.now();
  readonly #isQuiet: boolean;
  readonly happenings: Happening[] = [];
  readonly lines: string[] = [];

  /** Writes into `file` as it goes, and to stdout unless it is quiet. */
  constructor(file: string, isQuiet: boolean) {
    this.#file = file;
    this.#isQuiet = isQuiet;
  }

  /** Since the beginning. */
  nowMs(): number {
    return performance.now() - this.#startedAtMs;
  }

  tell(text: string): void {
    const line = `${(this.nowMs() / 1000).toFixed(1).padStart(7)} s  ${text}`;
    this.lines.push(line);
    appendFileSync(this.#file, `${line}\n`);
    if (!this.#isQuiet) process.stdout.write(`${line}\n`);
  }

  /** Something begins that explains ends of connections, `most` at most; the answer says that it is over. */
  begin(kind: Happening['kind'], who: string, most = Infinity): () => void {
    const happening: Happening = { kind, who, fromMs: this.nowMs(), untilMs: Infinity, left: most };
    this.happenings.push(happening);
    return () => {
      happening.untilMs = Math.min(happening.untilMs, this.nowMs());
    };
  }

  /** Whether a connection may have been cut without a word. */
  explainsCut(ended: Ended): boolean {
    const { balancer, node } = ended;
    if (this.#struck('balancerDown', balancer, ended) || this.#struck('nodeKilled', node, ended)) return true;
    // Told to leave in the middle of a message that its node, asleep, never ended: docs/integrations/goodbye.md.
    if (this.#wasUnder('nodeStopped', node, ended) && this.explainsGoodbye(ended)) return true;
    // Last: it explains as many as the worker had, and no more.
    return this.#struck('workerKilled', balancer, ended);
  }

  /** Whether a connection may have been asked to leave. */
  explainsGoodbye(ended: Ended): boolean {
    const { balancer, node } = ended;
    return (
      this.#wasUnder('balancerEnding', balancer, ended) ||
      this.#wasUnder('drain', node, ended) ||
      this.#wasUnder('rebalance', '', ended)
    );
  }

  /** Whether an attempt may have found nobody. */
  explainsRefusal(ended: Ended): boolean {
    const { balancer } = ended;
    return (['balancerDown', 'balancerEnding', 'workerKilled'] as const).some((kind) =>
      this.#wasUnder(kind, balancer, ended),
    );
  }

  /** Something that takes no time hit a connection that was there, and it ended of that. */
  #struck(kind: Happening['kind'], who: string, { fromMs, untilMs }: Ended): boolean {
    return this.#any(
      kind,
      who,
      (each) =>
        fromMs <= each.fromMs + bornLateMs &&
        each.fromMs <= untilMs &&
        untilMs <= each.fromMs + noticedLateMs,
    );
  }

  /** It ended while something lasted, or soon after. */
  #wasUnder(kind: Happening['kind'], who: string, { fromMs, untilMs }: Ended): boolean {
    return this.#any(
      kind,
      who,
      (each) =>
        each.fromMs <= untilMs &&
        fromMs <= each.untilMs + noticedLateMs &&
        untilMs <= each.untilMs + noticedLateMs,
    );
  }

  #any(kind: Happening['kind'], who: string, fits: (each: Happening) => boolean): boolean {
    const found = this.happenings.find(
      (each) => each.kind === kind && (who === '' || each.who === who) && each.left > 0 && fits(each),
    );
    if (found !== undefined) found.left -= 1;
    return found !== undefined;
  }
}
