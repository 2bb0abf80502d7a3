// A small scenario for tests: two hours, a few hundred clients.
import type { ScaleScenario } from '../../../../src/simulate/scale/scale-scenario.ts';

/** From 150 to 600 clients and back on nodes that take 100 each, a node starts in 90 s. */
export function aScaleScenario(parts: Partial<ScaleScenario> = {}): ScaleScenario {
  return {
    name: 'small',
    curve: { kind: 'flash', base: 150, times: 3, atMs: 1_800_000, withinMs: 300_000 },
    noise: 0.1,
    holdMs: 900_000,
    redrawMs: 600_000,
    costSigma: 1,
    messageSigma: 0.5,
    messagesPerSecond: 2,
    costGrowth: 1,
    clientsPerNode: 100,
    intercept: 0.03,
    maxConnections: 1000,
    pendingMs: 30_000,
    startMs: 90_000,
    reconnectMs: 2000,
    scaledFromMs: 300_000,
    measuredFromMs: 600_000,
    durationMs: 5_400_000,
    ...parts,
  };
}
