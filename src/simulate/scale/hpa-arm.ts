// The arm of the Horizontal Pod Autoscaler: its metrics server, its syncs, and the ReplicaSet that chooses whom to delete.
import type { Rng } from '../../core/rng.ts';
import type { Autoscaler } from './autoscaler.ts';
import type { Fleet, FleetNode } from './fleet.ts';
import {
  beginHpa,
  metricsWindowMs,
  syncHpa,
  syncMs,
  wantedReplicas,
  type HpaPod,
  type HpaRule,
} from './hpa.ts';
import { scaleStepMs } from './scale-scenario.ts';

/** How a pod ends once it is deleted. */
export interface HpaEnd {
  /** terminationGracePeriodSeconds: connections that are left after it are cut. */
  readonly graceMs: number;
  /** A preStop hook drains it meanwhile. */
  readonly drains: boolean;
}

// The controller and the metrics server are not in step: samples are 10 s old on average when they are read, of 0 to 15.
const syncAfterScrapeMs = 10_000;

interface Sample {
  readonly cpu: number;
  readonly sampledAtMs: number;
}

/** An HPA on CPU that begins to look at `nowMs`. */
export function hpaArm(fleet: Fleet, rule: HpaRule, { end, rng }: { end: HpaEnd; rng: Rng }): Autoscaler {
  const samples = new WeakMap<FleetNode, Sample>();
  let state: ReturnType<typeof beginHpa> | undefined;
  let rankedAtMs = 0;
  return {
    tick(nowMs) {
      rankedAtMs = nowMs;
      state ??= beginHpa(fleet.desired, nowMs);
      if (nowMs % metricsWindowMs === 0) scrape(fleet, samples, nowMs);
      if (nowMs % syncMs !== syncAfterScrapeMs) return;
      const pods = fleet.kept.map((node) => podOf(node, samples.get(node), nowMs));
      const current = fleet.desired;
      const wanted = wantedReplicas(pods, { current, target: rule.target, nowMs });
      const synced = syncHpa(state, { wanted, current, nowMs }, rule);
      state = synced.state;
      fleet.desired = synced.replicas;
    },
    choose: (candidates, count) => inOrderOfDeletion(candidates, rankedAtMs, rng).slice(0, count),
    remove: (node, nowMs) =>
      fleet.remove(node, { endsAtMs: nowMs + end.graceMs, drainRate: end.drains ? 'auto' : 'none' }),
    takesBack: false,
  };
}

/** Means over the last window; a pod that has not run for all of it has no sample. */
function scrape(fleet: Fleet, samples: WeakMap<FleetNode, Sample>, nowMs: number): void {
  for (const node of fleet.nodes) {
    const cpu = ((node.busySteps - node.scrapedSteps) * scaleStepMs) / metricsWindowMs;
    node.scrapedSteps = node.busySteps;
    if (nowMs - node.runsAtMs >= metricsWindowMs) samples.set(node, { cpu, sampledAtMs: nowMs });
  }
}

function podOf(node: FleetNode, sample: Sample | undefined, nowMs: number): HpaPod {
  const isReady = node.phase === 'ready';
  return {
    isPending: nowMs < node.runsAtMs,
    cpu: sample?.cpu,
    sampledAtMs: sample?.sampledAtMs ?? NaN,
    startedAtMs: node.startedAtMs,
    isReady,
    changedAtMs: isReady ? node.readyAtMs : node.startedAtMs,
  };
}

/**
 * Whom a ReplicaSet deletes first, without pod-deletion-cost (controller_utils.go, ActivePodsWithRanks): the unready,
 * then those that became ready last, ages compared by powers of two (LogarithmicScaleDown) and by chance within one.
 */
export function inOrderOfDeletion(nodes: readonly FleetNode[], nowMs: number, rng: Rng): FleetNode[] {
  const rankOf = ({ phase, readyAtMs }: FleetNode): number => {
    if (phase === 'starting') return -1;
    return Math.floor(Math.log2(Math.max(1, (nowMs - readyAtMs) / 1000)));
  };
  const ranked = nodes.map((node) => ({ node, rank: rankOf(node), chance: rng.next() }));
  return ranked.toSorted((a, b) => a.rank - b.rank || a.chance - b.chance).map(({ node }) => node);
}
