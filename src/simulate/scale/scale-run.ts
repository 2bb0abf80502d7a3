// One seeded run of one arm in one scenario: the loop over time. Floor 0: no clock, no chance but the seed.
import type { Rng } from '../../core/rng.ts';
import { defaultPolicy } from '../../policy/compile-policy.ts';
import type { Policy } from '../../policy/policy.ts';
import { quickRng } from '../chance.ts';
import { reconcile, type Autoscaler } from './autoscaler.ts';
import type { CrowdCounts } from './client.ts';
import { Crowd } from './crowd.ts';
import { clientsAt } from './curve.ts';
import { Drainage } from './drainage.ts';
import { Fleet } from './fleet.ts';
import { Leveller, type LevelledPool } from './leveller.ts';
import { Placement } from './placement.ts';
import { createScaleMeter, type ScaleFigures } from './scale-figures.ts';
import { checkScaleScenario, scaleStepMs, type ScaleScenario } from './scale-scenario.ts';

/** One column of the table. */
export interface ScaleArm {
  readonly name: string;
  /** A rule to be beaten, not Herald. */
  readonly isBaseline: boolean;
  create(pool: LevelledPool, rng: Rng): Autoscaler;
}

/** What came of one run. */
export interface ScaleResult extends ScaleFigures, CrowdCounts {
  /** Nodes that were ever started. */
  readonly started: number;
}

/** What all arms of a comparison share. */
export interface ScaleOptions {
  readonly seed: number;
  /** Connections are moved by a rebalance. */
  readonly rebalances: boolean;
}

/** Smallest and largest fleet, and the utilization that all arms aim at. */
export const scaleLimits = { min: 3, max: 60, target: 0.6 } as const;

/**
 * The policy of every arm: the default, but one signal that is full where a CPU is, so that 60 % is the same 60 % to
 * HPA; and reports every 5 s, which a day in seconds of computing needs, with trial and expiry to suit.
 */
export function scalePolicy(scenario: Pick<ScaleScenario, 'startMs'>, rebalances: boolean): Policy {
  const policy = defaultPolicy('simulated');
  return {
    ...policy,
    signals: [{ name: 'cpu', kind: 'additive', saturation: 1 }],
    reports: { ...policy.reports, intervalMs: 5000, blackoutMs: 10_000, expiryMs: 30_000 },
    rebalance: { ...policy.rebalance, mode: rebalances ? 'auto' : 'off' },
    scale: {
      ...policy.scale,
      ...scaleLimits,
      startTimeMs: scenario.startMs,
    },
  };
}

/** Runs an arm; the same seed gives the same result. Throws HERALD_SCENARIO_INVALID for a scenario that cannot be. */
export function simulateScaling(
  scenario: ScaleScenario,
  arm: ScaleArm,
  { seed, rebalances }: ScaleOptions,
): ScaleResult {
  checkScaleScenario(scenario);
  const policy = scalePolicy(scenario, rebalances);
  const fleet = new Fleet(scenario, startNodes(scenario), quickRng(seed, 3));
  const placement = new Placement(scenario, { policy, fleet, rng: quickRng(seed, 4) });
  const crowd = new Crowd(scenario, placement, seed);
  const pool = { fleet, crowd, placement, policy };
  const scaler = arm.create(pool, quickRng(seed, 5));
  const leveller = rebalances ? new Leveller(pool, quickRng(seed, 6)) : undefined;
  const drainage = new Drainage(pool);
  const meter = createScaleMeter(fleet, crowd.counts);
  for (let nowMs = 0; nowMs < scenario.durationMs; nowMs += scaleStepMs) {
    if (nowMs === scenario.deployAtMs) fleet.generation += 1;
    if (nowMs >= scenario.scaledFromMs) reconcile(fleet, scaler, nowMs);
    endNodes(pool, nowMs);
    placement.tick(nowMs);
    crowd.step(nowMs);
    drainage.tick(nowMs);
    leveller?.tick(nowMs);
    fleet.work(nowMs);
    if (nowMs >= scenario.scaledFromMs) scaler.tick(nowMs);
    if (nowMs >= scenario.measuredFromMs) meter.add();
  }
  return { ...meter.figures(), open: crowd.counts.open, started: fleet.startedTotal };
}

/** Enough for the target at the beginning, as somebody who knows the figures would size it. */
function startNodes(scenario: ScaleScenario): number {
  const { min, max, target } = scaleLimits;
  const full = clientsAt(scenario, scenario.scaledFromMs) / scenario.clientsPerNode;
  return Math.min(
    max,
    Math.max(min, Math.ceil((full * (1 - scenario.intercept)) / (target - scenario.intercept))),
  );
}

/** What is still connected to a node when its time is over is cut. */
function endNodes({ fleet, crowd }: LevelledPool, nowMs: number): void {
  for (const node of fleet.advance(nowMs)) {
    for (const client of node.clients.slice()) crowd.disconnect(client, 'cut');
    fleet.end(node);
  }
}
