// How long and how much: every bound of the link to other peers in one place, so that tests can shorten them.

/** Bounds of a store. Times in milliseconds. */
export interface Limits {
  /** How often presence is renewed and silence looked for. */
  readonly beatMs: number;
  /** How long a peer that is not heard counts as here. */
  readonly presenceMs: number;
  /** Words of this time travel together. */
  readonly gatherMs: number;
  /** How long a connection may take from the first packet to the first answer. */
  readonly connectTimeoutMs: number;
  /** How long an answer may take; then the connection counts as dead. */
  readonly commandTimeoutMs: number;
  /** The first pause before another attempt to connect; each one after it is twice as long. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  /** Commands without an answer at a time; more are not sent. */
  readonly maxOutstanding: number;
  /** Bytes of words that wait to be sent; more are dropped. */
  readonly maxWaitingBytes: number;
  /** Bytes of one message of gathered words. */
  readonly maxMessageBytes: number;
  /** How long a deleted register is remembered: for as long a peer may be cut off and still learn of it. */
  readonly deletedForMs: number;
  /** How often what was deleted long ago is looked for. */
  readonly tidyEveryMs: number;
}

/**
 * A peer that lost its connection is back before the others take it for gone: the longest pause and one attempt that
 * fails late (2 s + 2 s) are less than `presenceMs`. 1 MiB are two seconds of reports of 1,000 nodes.
 */
export const defaultLimits: Limits = Object.freeze({
  beatMs: 1000,
  presenceMs: 5000,
  gatherMs: 100,
  connectTimeoutMs: 2000,
  commandTimeoutMs: 2000,
  backoffMs: 100,
  maxBackoffMs: 2000,
  maxOutstanding: 64,
  maxWaitingBytes: 1024 * 1024,
  maxMessageBytes: 256 * 1024,
  deletedForMs: 24 * 60 * 60 * 1000,
  tidyEveryMs: 60 * 60 * 1000,
});

/** Bytes that one word, or the value of one register, may have. */
export const maxTextBytes = 64 * 1024;

/** Bytes that a peer may say of itself. */
export const maxAboutBytes = 4 * 1024;
