// Asks for one page once per interval, whatever the number of signals that read from it. One request in flight, no
// redirects, no proxies. What a page says is the readers' work.
import type { Clock, Timer } from '../../core/clock.ts';
import type { HttpSourceLimits } from '../../policy/agent-config.ts';
import { type HttpLine, openHttpLine } from '../http-line.ts';
import { askForPage, type Page, type PageOutcome } from './page.ts';

/** Who reads from a poller. */
export interface PageReader {
  /** A page came whole; `atMs` is when, by the clock's `nowMs`. */
  page(page: Page, atMs: number): void;
  /** An answer came that is no page: what was read before no longer holds. */
  refused(reason: string): void;
  /** No whole answer came: what was read before holds until it is too old. */
  silent(reason: string): void;
}

/** What a poller is made of. */
export interface HttpPollerParts {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly url: URL;
  readonly limits: HttpSourceLimits;
  readonly accept: string;
}

/** How often a poller has asked, and how often no page came. */
export interface PollCounts {
  readonly asked: number;
  readonly failed: number;
}

export class HttpPoller {
  readonly #parts: HttpPollerParts;
  readonly #line: HttpLine;
  readonly #readers = new Set<PageReader>();
  #repeat: Timer | undefined;
  #abort: AbortController | undefined;
  #asked = 0;
  #failed = 0;

  constructor(parts: HttpPollerParts) {
    this.#parts = parts;
    this.#line = openHttpLine(parts.url);
  }

  get counts(): PollCounts {
    return { asked: this.#asked, failed: this.#failed };
  }

  /** Adds a reader; the first one begins the polling with a request at once. */
  add(reader: PageReader): void {
    this.#readers.add(reader);
    if (this.#repeat !== undefined) return;
    this.#repeat = this.#parts.clock.repeat(this.#parts.intervalMs, () => this.#tick());
    this.#tick();
  }

  /** Takes a reader away; without readers nothing is asked and the connection is closed for good. */
  async remove(reader: PageReader): Promise<void> {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    this.#repeat?.cancel();
    this.#abort?.abort();
    this.#line.close();
  }

  #tick(): void {
    // A server that is slower than the interval is asked when it has answered, not once more.
    if (this.#abort === undefined) void this.#ask();
  }

  async #ask(): Promise<void> {
    const { clock, url, limits, accept } = this.#parts;
    const abort = new AbortController();
    this.#abort = abort;
    this.#asked += 1;
    let isLate = false;
    const timeout = clock.schedule(limits.timeoutMs, () => {
      isLate = true;
      abort.abort();
    });
    const { authorization, maxBodyBytes } = limits;
    const headers = {
      accept,
      'accept-encoding': 'identity',
      'user-agent': 'herald-agent',
      ...(authorization === undefined ? {} : { authorization }),
    };
    const outcome = await askForPage(this.#line, { url, headers, maxBodyBytes }, abort.signal);
    timeout.cancel();
    this.#abort = undefined;
    // Who answers something else may go on sending it: its connection is not used again.
    if (outcome.kind !== 'page') abort.abort();
    const late = `no whole answer within ${limits.timeoutMs} ms (sources.timeout): is it overloaded?`;
    this.#tell(isLate && outcome.kind === 'silent' ? { kind: 'silent', reason: late } : outcome);
  }

  #tell(outcome: PageOutcome): void {
    if (outcome.kind !== 'page') this.#failed += 1;
    const atMs = this.#parts.clock.nowMs();
    for (const reader of this.#readers) {
      if (outcome.kind === 'page') reader.page(outcome.page, atMs);
      else reader[outcome.kind](outcome.reason);
    }
  }
}
