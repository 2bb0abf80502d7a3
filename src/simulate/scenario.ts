// What a simulated fleet goes through, as data, and which scenarios cannot be. The scenarios themselves are in scenarios.ts.
import { HeraldError } from '../core/error.ts';

/** The simulator's step: arrivals, closes and reports fall on multiples of it. A balancer notes its counts as often. */
export const stepMs = 100;

/** A fleet, its clients, and what happens to them. */
export interface Scenario {
  /** Letters, digits and -, for `--scenario`. */
  readonly name: string;
  readonly nodes: number;
  /** Relative sizes, dealt out to the nodes in turn; balancers are not told. Each above 0. */
  readonly sizes: readonly number[];
  /** Utilization of a node with nothing to do, 0 or more. */
  readonly intercept: number;
  /** Utilization of the fleet before nodes join or crash; above the intercept, below 1. */
  readonly meanUtilization: number;
  /** Open connections of the whole fleet, on average. */
  readonly connections: number;
  /** Mean of the exponential hold time. */
  readonly holdMs: number;
  /** Mean time until a connection draws a new cost. */
  readonly redrawMs: number;
  /** Sigma of the lognormal cost of a connection: messages per second × what one message costs. */
  readonly costSigma: number;
  /** The part of it that lies in what a message costs, which no relay sees; at most `costSigma`. */
  readonly messageSigma: number;
  /** Messages per second of an average connection. */
  readonly messagesPerSecond: number;
  /**
   * How often each connection's messages are drawn; absent: every 500 ms, for balancers that are told over which time
   * (`Connection.countedMs`). One that takes a message as carried when it is told needs every step.
   */
  readonly messagesEveryMs?: number;
  /** Balancers that clients come through, by chance; each sees its own connections and every report. */
  readonly balancers: number;
  readonly report: {
    readonly intervalMs: number;
    /** From the end of the span that a report covers to its arrival; a step at least. */
    readonly delayMs: number;
    /** Standard deviation of a report's utilization, as a part of it. */
    readonly noise: number;
  };
  /** Nodes that come after the warm-up; their sizes continue the row. */
  readonly joins: number;
  /** Nodes that crash after the warm-up and stay away; their clients reconnect. */
  readonly crashes: number;
  /** Mean time until a client whose node crashed, or that found no node, tries again. */
  readonly reconnectMs: number;
  /** Not measured: the fleet fills up and balancers learn. */
  readonly warmUpMs: number;
  /** Measuring begins here; absent: with the end of the warm-up. */
  readonly measuredFromMs?: number;
  /** The whole run, warm-up included. */
  readonly durationMs: number;
}

// What one run may cost: above this it takes minutes, and somebody has written a zero too many.
const most = { nodes: 1000, connections: 200_000, balancers: 32, steps: 1_000_000 } as const;

/** Returns the scenario, or throws HERALD_SCENARIO_INVALID with every problem of it. */
export function checkScenario(scenario: Scenario): Scenario {
  const problems = [
    ...complainAboutSizes(scenario),
    ...complainAboutTimes(scenario),
    ...complainAboutLoad(scenario),
  ];
  if (problems.length === 0) return scenario;
  throw new HeraldError(
    'HERALD_SCENARIO_INVALID',
    `scenario '${scenario.name}' cannot be: ${problems.join('; ')}`,
    {
      scenario: scenario.name,
      problems,
    },
  );
}

function complainAboutSizes({ nodes, sizes, connections, balancers, joins, crashes }: Scenario): string[] {
  return [
    ...wholeBetween('nodes', nodes, { from: 1, to: most.nodes }),
    ...wholeBetween('connections', connections, { from: 1, to: most.connections }),
    ...wholeBetween('balancers', balancers, { from: 1, to: most.balancers }),
    ...wholeBetween('joins', joins, { from: 0, to: most.nodes }),
    ...wholeBetween('crashes', crashes, { from: 0, to: most.nodes }),
    ...(sizes.length === 0 ? ['sizes is empty: give at least one'] : []),
    ...sizes.flatMap((size, index) => above(`sizes[${index}]`, size, 0)),
    ...(crashes >= nodes ? [`crashes is ${crashes} of ${nodes} nodes: leave at least one`] : []),
  ];
}

function complainAboutTimes({ report, ...scenario }: Scenario): string[] {
  const { holdMs, redrawMs, reconnectMs, messagesEveryMs, warmUpMs, durationMs } = scenario;
  const measuredFromMs = Math.max(warmUpMs, scenario.measuredFromMs ?? 0);
  return [
    ...Object.entries({ holdMs, redrawMs, reconnectMs }).flatMap(([name, ms]) => above(name, ms, 0)),
    ...steps('report.intervalMs', report.intervalMs, 1),
    ...steps('report.delayMs', report.delayMs, 1),
    ...(messagesEveryMs === undefined ? [] : steps('messagesEveryMs', messagesEveryMs, 1)),
    ...steps('warmUpMs', warmUpMs, 0),
    ...steps('durationMs', durationMs, 1),
    ...(measuredFromMs >= durationMs
      ? [
          `measuring begins at ${measuredFromMs} of ${durationMs} ms (warmUpMs, measuredFromMs): nothing is left to measure`,
        ]
      : []),
    ...(report.noise >= 0 && report.noise < 1 ? [] : [`report.noise is ${report.noise}: 0 or more, below 1`]),
  ];
}

function complainAboutLoad(scenario: Scenario): string[] {
  const { intercept, meanUtilization, costSigma, messageSigma, messagesPerSecond } = scenario;
  const sigmas = costSigma >= 0 && costSigma <= 3 && messageSigma >= 0 && messageSigma <= costSigma;
  return [
    ...(intercept >= 0 && intercept < 1 ? [] : [`intercept is ${intercept}: 0 or more, below 1`]),
    ...(meanUtilization > intercept && meanUtilization < 1
      ? []
      : [`meanUtilization is ${meanUtilization}: above the intercept, below 1`]),
    ...above('messagesPerSecond', messagesPerSecond, 0),
    ...(sigmas
      ? []
      : [`costSigma is ${costSigma} and messageSigma ${messageSigma}: 0..3, and the second no higher`]),
  ];
}

function wholeBetween(name: string, value: number, { from, to }: { from: number; to: number }): string[] {
  if (Number.isInteger(value) && value >= from && value <= to) return [];
  return [`${name} is ${value}: a whole number, ${from} to ${to}`];
}

function above(name: string, value: number, limit: number): string[] {
  return Number.isFinite(value) && value > limit ? [] : [`${name} is ${value}: a number above ${limit}`];
}

function steps(name: string, ms: number, from: number): string[] {
  const count = ms / stepMs;
  if (Number.isInteger(count) && count >= from && count <= most.steps) return [];
  return [`${name} is ${ms}: a multiple of ${stepMs}, ${from * stepMs} to ${most.steps * stepMs}`];
}
