// What one raw request (or one raw answer) of the hygiene tables is, and how its outcome is written down.

/** What came of it. */
export interface Outcome {
  /** Status codes that the client was answered with, in order, interim ones too; '' when it was cut off unanswered. */
  readonly told: string;
  /** Each message that the node received, byte for byte but for our account of the client, in order of arrival; a fragment last, as it is. */
  readonly node: readonly string[];
  /**
   * All that the client received, but for `Date`; only where the node's answer is the case. `an error of the proxy`
   * stands for an answer that no node gave.
   */
  readonly client?: string;
}

/** One case. Texts are latin1: one character, one byte. */
export interface HygieneCase extends Outcome {
  /** Unique in all tables. */
  readonly name: string;
  /** What goes wrong where somebody reads it otherwise, or why it must work. */
  readonly why: string;
  /** What the client sends, in one write. */
  readonly request: string;
  /** What the node answers to each whole request; absent: a 200 of two bytes, or the 101 of an upgrade. */
  readonly answer?: string;
  /** The node ends the connection behind its answer. */
  readonly closes?: boolean;
}

/** Cases under one heading of the page. */
export interface HygieneTable {
  readonly title: string;
  readonly about: string;
  readonly cases: readonly HygieneCase[];
}
