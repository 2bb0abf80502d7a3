// How many connections of a draining node are asked to leave in one tick. Which ones, and how, is not decided here.

/** What the rest of the pool can take now. */
export interface DrainRoom {
  /**
   * Connections like those of the draining node that the nodes which stay can take until they are full, less those
   * asked to leave and not back yet; 0 or less when there is no room. NaN when no load data says it.
   */
  readonly connections: number;
  /** New connections per second that they may take beside the usual arrivals, 0 or more. */
  readonly connectsPerSecond: number;
  /** How long it takes until reports show what a connection that came back adds; above 0. */
  readonly feedbackMs: number;
  /** How many more may be leaving at the same time, 0 or more. */
  readonly leaving: number;
}

/** One tick of one draining node. */
export interface DrainTick {
  /** Not asked yet, 0 or more. */
  readonly waiting: number;
  /** Time left until the last one must have been asked so that it can answer before the deadline; may be negative. */
  readonly askWithinMs: number;
  /** Since the last tick, above 0. */
  readonly elapsedMs: number;
  /** Connections per second as somebody set it, above 0; `auto`: as fast as the room allows. */
  readonly ratePerSecond: number | 'auto';
  readonly room: DrainRoom;
}

/**
 * Connections to ask in this tick, 0 to `waiting`, in fractions that the caller adds up. At least what asks everybody
 * in time when spread evenly from now on: the deadline outranks rate and room, since what is left then is cut, which
 * is worse than a crowd. Above that, the rate; `auto` takes in one feedback time at most half the room, so that
 * connections twice as heavy as they seem still fill nobody before reports have shown it. Without load data `auto` is
 * the even spread.
 */
export function planDrain({ waiting, askWithinMs, elapsedMs, ratePerSecond, room }: DrainTick): number {
  if (waiting <= 0) return 0;
  if (askWithinMs <= elapsedMs) return waiting;
  const needed = (waiting * elapsedMs) / askWithinMs;
  const wished = ratePerSecond === 'auto' ? autoCount(room, elapsedMs) : (ratePerSecond * elapsedMs) / 1000;
  return Math.min(waiting, Math.max(needed, Math.min(wished, room.leaving)));
}

function autoCount({ connections, connectsPerSecond, feedbackMs }: DrainRoom, elapsedMs: number): number {
  if (!(connections > 0)) return 0;
  const part = Math.min(1, elapsedMs / (2 * feedbackMs));
  return Math.min(connections * part, (connectsPerSecond * elapsedMs) / 1000);
}

// A goodbye may wait two seconds for the end of a message and ten for the answer (docs/integrations/goodbye.md).
const answerMs = 12_000;

/** How long before its deadline a drain has asked everybody: what a goodbye takes, but half of a short deadline. */
export function answerTimeMs(deadlineMs: number): number {
  return Math.min(answerMs, Math.max(0, deadlineMs) / 2);
}
