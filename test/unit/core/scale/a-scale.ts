// Samples of pools, and histories of the same load over time.
import {
  absorbScale,
  noScaleHistory,
  type ScaleHistory,
  type ScalePolicy,
} from '../../../../src/core/scale/history.ts';
import { recommendScale } from '../../../../src/core/scale/recommend.ts';
import type { Recommendation } from '../../../../src/core/scale/recommendation.ts';
import { countsAsNode, type ScaleNode, type ScaleSample } from '../../../../src/core/scale/scale-sample.ts';
import { defaultPolicy } from '../../../../src/policy/compile-policy.ts';

/** The default scale section with `min: 1`, changed in the keys given. */
export function aScalePolicy(parts: Partial<ScalePolicy> = {}): ScalePolicy {
  const { scale } = defaultPolicy('chat');
  return { ...scale, min: 1, down: { ...scale.down, step: 1 }, ...parts };
}

/** A serving node of usual size at half of its saturation. */
export function aScaleNode(parts: Partial<ScaleNode> = {}): ScaleNode {
  return {
    id: 'n-0',
    zone: '',
    connections: 100,
    size: 1,
    phase: 'serving',
    utilization: 0.5,
    joinedAtMs: -Infinity,
    ...parts,
  };
}

/** `n-0`, `n-1`, … all at one utilization. */
export function nodesAt(utilization: number, count: number, parts: Partial<ScaleNode> = {}): ScaleNode[] {
  return Array.from({ length: count }, (_, index) =>
    aScaleNode({ id: `n-${index}`, utilization, connections: 100 + index, ...parts }),
  );
}

/** A sample whose sums follow from its nodes, by cpu; nodes of NaN are missing. */
export function aSample(nodes: readonly ScaleNode[], parts: Partial<ScaleSample> = {}): ScaleSample {
  const total = nodes.reduce((sum, { size, utilization }) => sum + size * (utilization || 0), 0);
  const missing = nodes.filter((node) => countsAsNode(node) && Number.isNaN(node.utilization)).length;
  const load = { total, cautious: total + missing, idle: 0, bottleneck: 'cpu' };
  return { atMs: 0, nodes, load, missing, waiting: 0, ...parts };
}

/** The history after the same sample every five seconds for so long; `after` goes on from there. */
export function steady(
  sample: ScaleSample,
  policy: ScalePolicy,
  { forMs = 600_000, after = noScaleHistory }: { forMs?: number; after?: ScaleHistory } = {},
): ScaleHistory {
  const startMs = after.latest === undefined ? 0 : after.latest.atMs + 5000;
  let history = after;
  for (let atMs = startMs; atMs <= startMs + forMs; atMs += 5000) {
    history = absorbScale(history, { ...sample, atMs }, policy);
  }
  return history;
}

/** What ten minutes of the same sample come to. */
export function recommended(sample: ScaleSample, policy: ScalePolicy): Recommendation {
  return recommendScale(steady(sample, policy), policy);
}
