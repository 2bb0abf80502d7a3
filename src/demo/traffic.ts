// The demo's traffic, planned before it starts: the same seed brings the same clients under every rule.
import { pcg32, type Rng } from '../core/rng.ts';

/** One client: when it comes, how long it stays, how much it says. */
export interface ClientPlan {
  readonly arriveAtMs: number;
  readonly holdMs: number;
  /** Mean of a Poisson process of messages. */
  readonly messagesPerSecond: number;
  /** Seeds the moments of its messages. */
  readonly seed: number;
}

/** The shape of the traffic. */
export interface TrafficShape {
  readonly durationMs: number;
  /** Clients connected at a time, on average, where the curve is at 1. */
  readonly connections: number;
  /** How many more or fewer come: a factor, 0 or more, of the part of the run that is over, 0..1. Absent: always 1. */
  readonly curve?: (part: number) => number;
  /** Mean stay; exponential. */
  readonly holdMs: number;
  readonly messagesPerSecond: number;
  /** Sigma of the lognormal distribution of the clients' rates: 1.5 makes a tenth of them send 60 % of all. */
  readonly sigma: number;
  /** Span over which the first clients come. */
  readonly rampMs: number;
}

// One client must not be a machine's worth of load by itself: no rule could place that well.
const largestRate = 25;

/** Plans every client of a run, in order of arrival. */
export function planTraffic(shape: TrafficShape, seed: number): ClientPlan[] {
  const rng = pcg32(seed);
  const plans: ClientPlan[] = [];
  const factorAt = (atMs: number) => shape.curve?.(atMs / shape.durationMs) ?? 1;
  const atFirst = Math.round(shape.connections * factorAt(0));
  for (let i = 0; i < atFirst; i += 1) {
    // Exponential stays have no memory: those who are there at the start stay as long as those who come later.
    plans.push(planClient(shape, rng, (i / atFirst) * shape.rampMs));
  }
  const gapAt = (atMs: number) => shape.holdMs / (shape.connections * Math.max(leastFactor, factorAt(atMs)));
  let atMs = shape.rampMs + exponential(rng, gapAt(shape.rampMs));
  while (atMs < shape.durationMs) {
    plans.push(planClient(shape, rng, atMs));
    atMs += exponential(rng, gapAt(atMs));
  }
  return plans;
}

// Where nobody comes, the next gap would never end.
const leastFactor = 0.01;

function planClient(shape: TrafficShape, rng: Rng, arriveAtMs: number): ClientPlan {
  // Mean of a lognormal is e^(mu + sigma²/2): mu is chosen so that the mean rate is as asked.
  const mu = Math.log(shape.messagesPerSecond) - shape.sigma ** 2 / 2;
  return {
    arriveAtMs,
    holdMs: exponential(rng, shape.holdMs),
    messagesPerSecond: Math.min(
      Math.exp(mu + shape.sigma * gaussian(rng)),
      largestRate * shape.messagesPerSecond,
    ),
    seed: Math.floor(rng.next() * 2 ** 31),
  };
}

/** An exponentially distributed number with this mean. */
export function exponential(rng: Rng, mean: number): number {
  return -Math.log(1 - rng.next()) * mean;
}

/** Box and Muller 1958; one of the pair is enough here. */
function gaussian(rng: Rng): number {
  return Math.sqrt(-2 * Math.log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next());
}
