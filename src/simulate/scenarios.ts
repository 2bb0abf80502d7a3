// The scenarios that rules are compared in. Times are a tenth of production's, so that a table takes minutes.
import { HeraldError } from '../core/error.ts';
import { nameHint } from '../core/nearest.ts';
import type { Scenario } from './scenario.ts';

const hourMs = 3_600_000;

const steady: Scenario = {
  name: 'steady',
  nodes: 20,
  sizes: [1],
  intercept: 0.03,
  meanUtilization: 0.5,
  connections: 4000,
  holdMs: 120_000,
  redrawMs: 60_000,
  costSigma: 1.5,
  messageSigma: 0.5,
  messagesPerSecond: 2,
  balancers: 1,
  report: { intervalMs: 1000, delayMs: 100, noise: 0.05 },
  joins: 0,
  crashes: 0,
  reconnectMs: 1000,
  warmUpMs: 180_000,
  durationMs: 420_000,
};

const sizes: Scenario = { ...steady, name: 'sizes', sizes: [0.5, 1, 2] };

/** Every scenario of the table, in its order. */
export const scenarios: readonly Scenario[] = [
  steady,
  sizes,
  { ...sizes, name: 'four-balancers', balancers: 4, report: { ...steady.report, intervalMs: 5000 } },
  { ...steady, name: 'join', joins: 5 },
  { ...steady, name: 'crash', crashes: 4 },
  // Connections that stay: what placement did to them it cannot mend.
  {
    ...steady,
    name: 'scale-out',
    nodes: 4,
    joins: 2,
    connections: 600,
    meanUtilization: 0.6,
    holdMs: 8 * hourMs,
    redrawMs: 8 * hourMs,
    durationMs: 600_000,
  },
  // Everything lives a twelfth as long, so a third of the time shows as much.
  { ...steady, name: 'churn', holdMs: 12_000, redrawMs: 12_000, warmUpMs: 60_000, durationMs: 180_000 },
];

/** The scenario of this name; throws HERALD_SCENARIO_INVALID for an unknown one. */
export function scenarioOf(name: string): Scenario {
  const found = scenarios.find((each) => each.name === name);
  if (found !== undefined) return found;
  const hint = nameHint(
    name,
    scenarios.map((each) => each.name),
  );
  throw new HeraldError('HERALD_SCENARIO_INVALID', `no scenario '${name}' (${hint})`, { scenario: name });
}
