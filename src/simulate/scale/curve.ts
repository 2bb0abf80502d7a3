// How many clients come per second, and what their messages cost, at an instant of a scenario. Chance is not in here.
import type { ScaleScenario } from './scale-scenario.ts';

const dayMs = 24 * 3_600_000;

/** Clients that there are to be at an instant, without the crowd of a flash. */
export function clientsAt({ curve }: Pick<ScaleScenario, 'curve'>, nowMs: number): number {
  if (curve.kind === 'flash') return curve.base;
  const { trough, peak, fromHour, peakHour } = curve;
  const phase = (2 * Math.PI * (nowMs - (peakHour - fromHour) * 3_600_000)) / dayMs;
  return (peak + trough) / 2 + ((peak - trough) / 2) * Math.cos(phase);
}

/**
 * Arrivals per second that make it so many: as many as go, and the rise. Before `scaledFromMs` the fleet fills up in a
 * straight line. 0 or more.
 */
export function arrivalsPerSecond(scenario: ScaleScenario, nowMs: number): number {
  const { curve, holdMs, scaledFromMs } = scenario;
  const clients = clientsAt(scenario, Math.max(nowMs, scaledFromMs));
  if (nowMs < scaledFromMs) {
    const filled = nowMs / scaledFromMs;
    return (clients * 1000) / scaledFromMs + (filled * clients * 1000) / holdMs;
  }
  const rise = clientsAt(scenario, nowMs + 1000) - clientsAt(scenario, nowMs);
  return Math.max(0, (clients * 1000) / holdMs + rise) + crowdPerSecond(curve, nowMs);
}

function crowdPerSecond(curve: ScaleScenario['curve'], nowMs: number): number {
  if (curve.kind !== 'flash' || nowMs < curve.atMs || nowMs >= curve.atMs + curve.withinMs) return 0;
  return ((curve.times - 1) * curve.base * 1000) / curve.withinMs;
}

/** What a message costs now ÷ at the beginning. */
export function costFactor({ costGrowth, durationMs }: ScaleScenario, nowMs: number): number {
  return 1 + (costGrowth - 1) * (nowMs / durationMs);
}
