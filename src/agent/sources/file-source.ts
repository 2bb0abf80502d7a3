// A signal that is read from a file: one number alone, ended by a line feed, written anew by somebody else.
import type { Clock, Timer } from '../../core/clock.ts';
import type { SourceConfig } from '../../policy/agent-config.ts';
import { readDecimal } from '../../protocol/decimal.ts';
import { shown } from '../../protocol/field-checks.ts';
import type { PollCounts } from './http-poller.ts';
import { type FileText, readSmallFile } from './read-file.ts';
import { about, combiners, createSignalValue, seconds, type SignalValue, single } from './signal-value.ts';
import type { Source, SourceReading } from './source.ts';

/** A source that reads a file. */
export type FileSourceConfig = Extract<SourceConfig, { readonly kind: 'file' }>;

/** What a signal from a file is made of. */
export interface FileSourceParts {
  readonly config: FileSourceConfig;
  readonly clock: Clock;
  readonly intervalMs: number;
  /** How a file is read; another one in tests only. */
  readonly readFile?: (path: string, maxBytes: number) => Promise<FileText>;
}

/** A look that takes longer than this many intervals (a file system that hangs) is a missing signal. */
const lookHoldsIntervals = 3;
/** The longest pause between two writings of a counter: a rate over a longer one says little about now. */
const usualSpanMs = 60_000;

interface FileNumber {
  readonly value: number;
  readonly mtimeMs: number;
}

/** The last number that was new, and what it came to; `ageMs` was its age at `sinceMs`. */
interface Seen extends FileNumber {
  readonly reading: SourceReading;
  readonly ageMs: number;
  readonly sinceMs: number;
}

/** Looks at its file once per interval, one look at a time. */
export class FileSource implements Source {
  readonly #parts: FileSourceParts;
  readonly #subject: string;
  readonly #value: SignalValue;
  /** Older content says nothing. */
  readonly #maxAgeMs: number;
  #repeat: Timer | undefined;
  #isLooking = false;
  #isStopped = false;
  #lookedAtMs: number | undefined;
  /** What is wrong with the file now. */
  #problem: string | undefined;
  #seen: Seen | undefined;
  #asked = 0;
  #failed = 0;

  constructor(parts: FileSourceParts) {
    const { config, intervalMs } = parts;
    this.#parts = parts;
    this.#subject = `file ${shownPath(config.path)}`;
    // A slow reader sees even a lively counter change at its own looks only.
    const maxSpanMs = Math.max(usualSpanMs, lookHoldsIntervals * intervalMs);
    this.#maxAgeMs = config.as === 'rate' ? Math.min(config.maxAgeMs, maxSpanMs) : config.maxAgeMs;
    this.#value = createSignalValue({ rule: config, combine: combiners.sum, maxSpanMs });
  }

  get counts(): PollCounts {
    return { asked: this.#asked, failed: this.#failed };
  }

  start(): void {
    this.#repeat = this.#parts.clock.repeat(this.#parts.intervalMs, () => void this.#look());
    void this.#look();
  }

  read(nowMs: number): SourceReading {
    return about(this.#subject, this.#judge(nowMs));
  }

  /** Does not wait for a look that hangs; what it brings is not used. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#repeat?.cancel();
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#asked += 1;
    const { config, readFile = readSmallFile } = this.#parts;
    const found = await readFile(config.path, config.maxBytes);
    this.#isLooking = false;
    if (!this.#isStopped) this.#take(found);
  }

  #judge(nowMs: number): SourceReading {
    const { intervalMs } = this.#parts;
    if (this.#lookedAtMs !== undefined && nowMs - this.#lookedAtMs > lookHoldsIntervals * intervalMs) {
      const age = seconds(nowMs - this.#lookedAtMs);
      return { missing: `the last look was ${age} ago: its file system does not answer` };
    }
    if (this.#problem !== undefined) return { missing: this.#problem };
    if (this.#seen === undefined) return { missing: 'not looked at yet' };
    const ageMs = this.#seen.ageMs + Math.max(0, nowMs - this.#seen.sinceMs);
    if (ageMs <= this.#maxAgeMs) return this.#seen.reading;
    return { missing: `last written ${seconds(ageMs)} ago: is its writer running?` };
  }

  #take(found: FileText): void {
    const nowMs = this.#parts.clock.nowMs();
    const read = 'missing' in found ? found : numberIn(found);
    this.#problem = 'missing' in read ? read.missing : undefined;
    if ('missing' in read) this.#failed += 1;
    else this.#takeNumber(read, nowMs);
    this.#lookedAtMs = nowMs;
  }

  #takeNumber({ value, mtimeMs }: FileNumber, nowMs: number): void {
    const before = this.#seen;
    // Not written since. A counter that is written every ten seconds grew in all of them, not in the last alone.
    if (before?.mtimeMs === mtimeMs && before.value === value) return;
    const reading = this.#value.next(single(value), nowMs);
    this.#seen = { value, mtimeMs, reading, ageMs: this.#ageMs(mtimeMs, nowMs), sinceMs: nowMs };
  }

  /**
   * The age of content that is new. A change that happened between two looks is not older than the first of
   * them, whatever the machine's date says: so a date that jumps matters at the first look only.
   */
  #ageMs(mtimeMs: number, nowMs: number): number {
    const byDateMs = Math.max(0, this.#parts.clock.wallMs() - mtimeMs);
    return this.#lookedAtMs === undefined ? byDateMs : Math.min(byDateMs, nowMs - this.#lookedAtMs);
  }
}

/** The number of a whole file. The line feed at the end tells `12` from the first half of `1234`. */
function numberIn({
  text,
  mtimeMs,
}: Exclude<FileText, { missing: string }>): FileNumber | { readonly missing: string } {
  if (text.trim() === '') return { missing: 'it is empty: it is being written, or its writer failed' };
  const value = readDecimal(text.trim());
  if (value === undefined) return { missing: `it holds ${shown(text.trim())}, not one number alone` };
  if (!text.endsWith('\n'))
    return { missing: 'it does not end with a line feed: it is half written, or its writer must add one' };
  return { value, mtimeMs };
}

function shownPath(path: string): string {
  return path.slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?');
}
