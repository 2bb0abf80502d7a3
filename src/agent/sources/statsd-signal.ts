// What one configured name of StatsD amounts to in a span. Where its samples come from is statsd-server.ts's work.
import type { SourceConfig } from '../../policy/agent-config.ts';
import type { StatsdSample } from '../../protocol/statsd.ts';
import { about, reportable, seconds } from './signal-value.ts';
import type { SourceReading } from './source.ts';

/** A source that is told by StatsD. */
export type StatsdSourceConfig = Extract<SourceConfig, { readonly kind: 'statsd' }>;

/** What a signal asks about the socket that it shares. */
export interface StatsdTraffic {
  /** When a datagram was last dropped undecoded, by the clock's `nowMs`; undefined: never. */
  readonly floodedAtMs: number | undefined;
  /** What came so far, in a few words. */
  summary(): string;
}

/** Collects the samples of one name for one signal. */
export class StatsdSignal {
  readonly #config: StatsdSourceConfig;
  readonly #traffic: StatsdTraffic;
  readonly #subject: string;
  #kind: StatsdSample['kind'] | undefined;
  #lastAtMs = 0;
  #spanStartMs = Number.NEGATIVE_INFINITY;
  #reading: SourceReading;
  /** Growth of a counter, or timings times their weights, in the current span. */
  #sum = 0;
  /** Timings in the current span. */
  #weight = 0;
  /** Mean of the last span that had timings. */
  #mean = 0;
  /** Undefined until a whole value has come: what `+1` changes is not known before. */
  #gauge: number | undefined;
  /** Why the last line of this name was of no use; undefined when it was. */
  #refusal: string | undefined;

  constructor(config: StatsdSourceConfig, traffic: StatsdTraffic) {
    this.#config = config;
    this.#traffic = traffic;
    this.#subject = `statsd metric ${config.name}`;
    this.#reading = { missing: `${this.#subject}: not listened for yet` };
  }

  /** Begins the first span. */
  begin(nowMs: number): void {
    this.#spanStartMs = nowMs;
    this.#forgetSpan();
  }

  /** Takes a sample. One of another kind than before begins anew: the application was changed. */
  add(sample: StatsdSample, nowMs: number): void {
    if (sample.kind !== this.#kind) {
      this.#forgetSpan();
      this.#gauge = undefined;
      this.#kind = sample.kind;
    }
    this.#lastAtMs = nowMs;
    this.#refusal = undefined;
    if (sample.kind === 'counter') this.#sum += sample.value;
    else if (sample.kind === 'gauge') this.#takeGauge(sample);
    else {
      this.#sum += sample.value * sample.weight;
      this.#weight += sample.weight;
    }
  }

  /** Notes a line of this name that says nothing. */
  refuse(reason: string): void {
    this.#refusal = reason;
  }

  /** Ends the span and gives its value; asked again at the same instant it gives the same again. */
  read(nowMs: number): SourceReading {
    const spanMs = nowMs - this.#spanStartMs;
    if (spanMs <= 0 || spanMs === Number.POSITIVE_INFINITY) return this.#reading;
    this.#reading = about(this.#subject, this.#judge(nowMs, spanMs));
    this.#spanStartMs = nowMs;
    this.#forgetSpan();
    return this.#reading;
  }

  #judge(nowMs: number, spanMs: number): SourceReading {
    const { floodedAtMs } = this.#traffic;
    if (floodedAtMs !== undefined && floodedAtMs >= this.#spanStartMs) {
      // A change may be among what was dropped.
      this.#gauge = undefined;
      const hint = 'let the application sample (|@0.1) or put several lines into a datagram';
      return { missing: `flooded, so this span says nothing (${hint}): ${this.#traffic.summary()}` };
    }
    if (this.#kind === undefined)
      return { missing: this.#refusal ?? `nothing has come yet: ${this.#traffic.summary()}` };
    const ageMs = nowMs - this.#lastAtMs;
    if (ageMs > this.#config.maxAgeMs) {
      const why = this.#refusal ?? 'is the application sending?';
      return { missing: `nothing of use has come for ${seconds(ageMs)}: ${why}` };
    }
    const value = this.#config.as === 'rate' ? this.#rate(spanMs) : this.#level();
    return typeof value === 'string' ? { missing: value } : reportable(value * this.#config.scale);
  }

  #rate(spanMs: number): number | string {
    if (this.#kind === 'gauge') return 'it comes as a gauge (g), which has no rate: write `as: gauge`';
    return ((this.#kind === 'timer' ? this.#weight : this.#sum) / spanMs) * 1000;
  }

  #level(): number | string {
    if (this.#kind === 'counter') return 'it comes as a counter (c), which has no level: write `as: rate`';
    if (this.#kind === 'gauge')
      return this.#gauge ?? 'only changes (+ or -) have come since the start or a flood, no whole value yet';
    if (this.#weight > 0) this.#mean = this.#sum / this.#weight;
    return this.#mean;
  }

  #takeGauge({ value, isChange }: Extract<StatsdSample, { kind: 'gauge' }>): void {
    if (!isChange) this.#gauge = value;
    else if (this.#gauge !== undefined) this.#gauge += value;
  }

  #forgetSpan(): void {
    this.#sum = 0;
    this.#weight = 0;
  }
}
