// How fast messages and connections come, estimated. Who counts them, and in which columns, is not decided here.
import { blend, keptWeight } from './decay.ts';

/** A connection's rate is its own messages of about ten seconds: shorter is noise, longer misses that it changed. */
export const rateMemoryMs = 10_000;

// A fresh connection is taken to be an average one until it has shown about two seconds of its own.
const priorSeconds = 2;

/**
 * Messages per second of one connection: (prior × 2 s + its recent messages) ÷ (2 s + its recent time), the mean
 * of a gamma prior after Poisson counts. The prior itself for a connection that has not lived yet.
 */
export function expectedRate(
  priorPerSecond: number,
  recent: { messages: number; exposureSeconds: number },
): number {
  return (priorSeconds * priorPerSecond + recent.messages) / (priorSeconds + recent.exposureSeconds);
}

// Long enough that a handful of arrivals is a rate, short enough to see a reconnect storm build up.
const arrivalMemoryMs = 5000;

/** Arrivals per second after `count` more in `elapsedMs` (above 0); `previous` is undefined before the first span. */
export function nextArrivalRate(
  previous: number | undefined,
  span: { count: number; elapsedMs: number },
): number {
  const { count, elapsedMs } = span;
  return blend(previous, (count * 1000) / elapsedMs, keptWeight(elapsedMs, arrivalMemoryMs));
}
