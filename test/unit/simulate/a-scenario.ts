// Small scenarios and one-field reports for tests.
import type { Report } from '../../../src/protocol/report.ts';
import type { Scenario } from '../../../src/simulate/scenario.ts';

/** Four nodes, 80 connections, ten seconds of warm-up and twenty that count. */
export function aScenario(parts: Partial<Scenario> = {}): Scenario {
  return {
    name: 'small',
    nodes: 4,
    sizes: [1],
    intercept: 0.03,
    meanUtilization: 0.5,
    connections: 80,
    holdMs: 10_000,
    redrawMs: 5000,
    costSigma: 1,
    messageSigma: 0.5,
    messagesPerSecond: 2,
    balancers: 2,
    report: { intervalMs: 1000, delayMs: 100, noise: 0.05 },
    joins: 0,
    crashes: 0,
    reconnectMs: 500,
    warmUpMs: 10_000,
    durationMs: 30_000,
    ...parts,
  };
}

/** A report with the two signals that the baselines read. */
export function reporting(cpu: number, throughput: number): Report {
  return {
    pool: 'simulated',
    node: { id: 'n0' },
    epoch: 'e',
    seq: 1,
    ageMs: 0,
    intervalMs: 1000,
    connections: 0,
    signals: { cpu, throughput },
    leaving: false,
  };
}
