// How fast messages and connections come, estimated. Who counts them, and in which columns, is not decided here.
import { blend, keptWeight } from './decay.ts';

/** A connection's rate is its own messages of about five seconds: shorter is noise, longer misses that it changed. */
export const rateMemoryMs = 5000;

// A fresh connection is taken to be an average one until it has shown about half a second of its own. Rates differ
// widely: were they gamma distributed, mean ÷ variance would be the best prior, a tenth of a second for a lognormal
// with sigma 1.4 around 2/s. Half a second is for fleets whose connections differ by less.
const priorSeconds = 0.5;

/**
 * Messages per second of one connection: (prior × 0.5 s + its recent messages) ÷ (0.5 s + its recent time), the mean
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
