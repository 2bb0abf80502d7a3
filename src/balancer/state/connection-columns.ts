// The columns of a connection table: plain arrays of numbers, so that a connection costs bytes and no objects.

/** One entry a slot. Everything is 0 in a slot that has just been opened, but for what the table sets. */
export interface ConnectionColumns {
  /** Carried since the last sweep. */
  readonly messages: Float64Array;
  readonly bytes: Float64Array;
  /** Decayed sums over the short memory, which placement reads. */
  readonly recentMessages: Float64Array;
  readonly exposureSeconds: Float64Array;
  /** Expected messages per second by the short memory. */
  readonly messagesPerSecond: Float64Array;
  readonly openedAtMs: Float64Array;
  /** Decayed sums over the long memory, which shedding reads. Seven digits do. */
  readonly longMessages: Float32Array;
  readonly longBytes: Float32Array;
  readonly longSeconds: Float32Array;
  /** How often the slot has been given out, modulo 2^32: tells a connection from the next one in its slot. */
  readonly generation: Uint32Array;
  /** 1 once the connection has been asked to leave. */
  readonly isLeaving: Uint8Array;
  /** 1 when it was opened soon after others were asked to leave: it may be one of them. */
  readonly mayBeBack: Uint8Array;
}

/** Columns for so many slots, all 0. */
export function emptyColumns(capacity: number): ConnectionColumns {
  const numbers = () => new Float64Array(capacity);
  const floats = () => new Float32Array(capacity);
  return {
    messages: numbers(),
    bytes: numbers(),
    recentMessages: numbers(),
    exposureSeconds: numbers(),
    messagesPerSecond: numbers(),
    openedAtMs: numbers(),
    longMessages: floats(),
    longBytes: floats(),
    longSeconds: floats(),
    generation: new Uint32Array(capacity),
    isLeaving: new Uint8Array(capacity),
    mayBeBack: new Uint8Array(capacity),
  };
}

/** The same with more room. Half as much again, not twice: right after growth a third is empty instead of a half. */
export function grownColumns(columns: ConnectionColumns): ConnectionColumns {
  const next = emptyColumns(Math.ceil(columns.messages.length * 1.5));
  // Both have the same keys by type.
  for (const name of Object.keys(columns) as (keyof ConnectionColumns)[]) next[name].set(columns[name]);
  return next;
}

/** Empties a slot for its next connection. */
export function clearSlot(columns: ConnectionColumns, slot: number): void {
  columns.messages[slot] = 0;
  columns.bytes[slot] = 0;
  columns.recentMessages[slot] = 0;
  columns.exposureSeconds[slot] = 0;
  columns.longMessages[slot] = 0;
  columns.longBytes[slot] = 0;
  columns.longSeconds[slot] = 0;
  columns.isLeaving[slot] = 0;
  columns.mayBeBack[slot] = 0;
  columns.generation[slot] = (columns.generation[slot] ?? 0) + 1;
}
