// What a fleet that grows and shrinks goes through, as data, and which scenarios cannot be. The scenarios themselves are in scale-scenarios.ts.
import { HeraldError } from '../../core/error.ts';

/** The step of a run: a day is 86,400 of them. */
export const scaleStepMs = 1000;

/** How many clients there are in the course of a run. */
export type Curve =
  /** A sine between trough and peak, the peak at `peakHour` of the day; the run begins at `fromHour`. */
  | {
      readonly kind: 'day';
      readonly trough: number;
      readonly peak: number;
      readonly fromHour: number;
      readonly peakHour: number;
    }
  /** As many as at the beginning, but `times` as many come to be at `atMs` within `withinMs`. They leave as others do. */
  | {
      readonly kind: 'flash';
      readonly base: number;
      readonly times: number;
      readonly atMs: number;
      readonly withinMs: number;
    };

/** A fleet, its clients, and what happens to them. */
export interface ScaleScenario {
  /** Letters, digits and -, for `--scenario`. */
  readonly name: string;
  readonly curve: Curve;
  /** Standard deviation of the arrival rate, as a part of it, over some ten minutes. */
  readonly noise: number;
  /** Mean of the exponential time that a client stays. */
  readonly holdMs: number;
  /** Mean time until a client draws a new cost. */
  readonly redrawMs: number;
  /** Sigma of the lognormal cost of a client: messages per second × what one costs. */
  readonly costSigma: number;
  /** The part of it that lies in what a message costs, which no relay sees; at most `costSigma`. */
  readonly messageSigma: number;
  readonly messagesPerSecond: number;
  /** What a message costs at the end of the run ÷ at its beginning; grows in a straight line. 1: stays. */
  readonly costGrowth: number;
  /** Average clients that fill a node at the beginning, its idle load included. */
  readonly clientsPerNode: number;
  /** Utilization of a node with nothing to do. */
  readonly intercept: number;
  /** Connections that a node refuses to exceed. */
  readonly maxConnections: number;
  /** From the wish for a node until its process runs, and until it takes connections. */
  readonly pendingMs: number;
  readonly startMs: number;
  /** Mean time until a client whose connection ended early, or that was refused, tries again. */
  readonly reconnectMs: number;
  /** Every node is replaced from here on; absent: never. */
  readonly deployAtMs?: number;
  /** Nothing is scaled before the first, nothing measured before the second. */
  readonly scaledFromMs: number;
  readonly measuredFromMs: number;
  readonly durationMs: number;
}

// What one run may cost: above this it takes minutes, and somebody has written a zero too many.
const most = { clients: 50_000, steps: 200_000 } as const;

/** Returns the scenario, or throws HERALD_SCENARIO_INVALID with every problem of it. */
export function checkScaleScenario(scenario: ScaleScenario): ScaleScenario {
  const problems = [
    ...complainAboutCurve(scenario),
    ...complainAboutTimes(scenario),
    ...complainAboutCosts(scenario),
  ];
  if (problems.length === 0) return scenario;
  const message = `scenario '${scenario.name}' cannot be: ${problems.join('; ')}`;
  throw new HeraldError('HERALD_SCENARIO_INVALID', message, { scenario: scenario.name, problems });
}

function complainAboutCurve({ curve, durationMs }: ScaleScenario): string[] {
  if (curve.kind === 'day') {
    const { trough, peak } = curve;
    return [
      ...between('curve.trough', trough, { from: 1, to: most.clients }),
      ...between('curve.peak', peak, { from: 1, to: most.clients }),
      ...(peak < trough ? [`curve.peak is ${peak}, below the trough of ${trough}`] : []),
      ...between('curve.fromHour', curve.fromHour, { from: 0, to: 24 }),
      ...between('curve.peakHour', curve.peakHour, { from: 0, to: 24 }),
    ];
  }
  const { base, times, atMs, withinMs } = curve;
  return [
    ...between('curve.base', base, { from: 1, to: most.clients }),
    ...between('curve.times', times, { from: 1, to: 1000 }),
    ...between('curve.base × times', base * times, { from: 1, to: most.clients }),
    ...between('curve.atMs', atMs, { from: 0, to: durationMs }),
    ...between('curve.withinMs', withinMs, { from: scaleStepMs, to: durationMs }),
  ];
}

function complainAboutTimes(scenario: ScaleScenario): string[] {
  const { pendingMs, startMs, scaledFromMs, measuredFromMs, durationMs, deployAtMs = 0 } = scenario;
  const { holdMs, redrawMs, reconnectMs } = scenario;
  const longest = most.steps * scaleStepMs;
  return [
    ...between('durationMs', durationMs, { from: scaleStepMs, to: longest }),
    ...between('scaledFromMs', scaledFromMs, { from: scaleStepMs, to: longest }),
    ...between('measuredFromMs', measuredFromMs, { from: scaledFromMs, to: durationMs - scaleStepMs }),
    ...between('deployAtMs', deployAtMs, { from: 0, to: durationMs }),
    ...between('startMs', startMs, { from: 0, to: longest }),
    ...between('pendingMs', pendingMs, { from: 0, to: startMs }),
    ...Object.entries({ holdMs, redrawMs, reconnectMs }).flatMap(([name, ms]) =>
      between(name, ms, { from: 1, to: longest }),
    ),
  ];
}

function complainAboutCosts(scenario: ScaleScenario): string[] {
  const { noise, costSigma, messageSigma, messagesPerSecond, costGrowth } = scenario;
  return [
    ...between('noise', noise, { from: 0, to: 1 }),
    ...between('costSigma', costSigma, { from: 0, to: 3 }),
    ...between('messageSigma', messageSigma, { from: 0, to: costSigma }),
    ...between('messagesPerSecond', messagesPerSecond, { from: 1e-3, to: 1e6 }),
    ...between('costGrowth', costGrowth, { from: 0.01, to: 100 }),
    ...between('clientsPerNode', scenario.clientsPerNode, { from: 1, to: most.clients }),
    ...between('intercept', scenario.intercept, { from: 0, to: 0.9 }),
    ...between('maxConnections', scenario.maxConnections, { from: 1, to: most.clients }),
  ];
}

function between(name: string, value: number, { from, to }: { from: number; to: number }): string[] {
  return value >= from && value <= to ? [] : [`${name} is ${value}: ${from} to ${to}`];
}
