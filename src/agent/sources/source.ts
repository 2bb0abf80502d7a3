// What all sources of a sidecar have in common: they look on their own time and answer with what they last saw.

/** What a source knows of its signal: a value, or why there is none. */
export type SourceReading = { readonly value: number } | { readonly missing: string };

/** One application value that the sidecar watches. */
export interface Source {
  /** Begins to look. Called once. */
  start(): void;
  /**
   * The value for the span since the last look, at the clock's `nowMs`; never throws and never waits. `missing`
   * is one clear sentence for the log: what was asked, what came, what to do.
   */
  read(nowMs: number): SourceReading;
  /** Ends requests and timers. Idempotent. */
  stop(): Promise<void>;
}
