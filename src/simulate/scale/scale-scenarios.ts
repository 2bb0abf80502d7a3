// The scenarios that autoscalers are compared in. Chosen by what fleets look like, not by who wins.
import { HeraldError } from '../../core/error.ts';
import { nameHint } from '../../core/nearest.ts';
import type { ScaleScenario } from './scale-scenario.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

// A node is full at 330 average clients. Real ones take thousands, and a real fleet of a million clients has the
// figures of this one: what counts is how many nodes there are and how much one client weighs on its own.
const day: ScaleScenario = {
  name: 'day',
  curve: { kind: 'day', trough: 1000, peak: 4000, fromHour: 0, peakHour: 16 },
  noise: 0.1,
  holdMs: hourMs,
  redrawMs: 30 * minuteMs,
  costSigma: 1.5,
  messageSigma: 0.5,
  messagesPerSecond: 2,
  costGrowth: 1,
  clientsPerNode: 330,
  intercept: 0.03,
  maxConnections: 1500,
  pendingMs: 30_000,
  startMs: 90_000,
  reconnectMs: 2000,
  scaledFromMs: 10 * minuteMs,
  measuredFromMs: 30 * minuteMs,
  durationMs: 24.5 * hourMs,
};

/** Every scenario of the table, in its order. */
export const scaleScenarios: readonly ScaleScenario[] = [
  day,
  {
    ...day,
    name: 'flash-crowd',
    curve: { kind: 'flash', base: 400, times: 10, atMs: hourMs, withinMs: minuteMs },
    durationMs: 5 * hourMs,
  },
  {
    ...day,
    name: 'leak',
    curve: { kind: 'flash', base: 2000, times: 1, atMs: 0, withinMs: minuteMs },
    costGrowth: 2.5,
    durationMs: 8.5 * hourMs,
  },
  {
    ...day,
    name: 'deploy',
    curve: { kind: 'day', trough: 1000, peak: 4000, fromHour: 10, peakHour: 16 },
    deployAtMs: 4.5 * hourMs,
    durationMs: 8.5 * hourMs,
  },
];

/** The scenario of this name; throws HERALD_SCENARIO_INVALID for an unknown one. */
export function scaleScenarioOf(name: string): ScaleScenario {
  const found = scaleScenarios.find((each) => each.name === name);
  if (found !== undefined) return found;
  const names = scaleScenarios.map((each) => each.name);
  throw new HeraldError('HERALD_SCENARIO_INVALID', `no scenario '${name}' (${nameHint(name, names)})`, {
    scenario: name,
  });
}
