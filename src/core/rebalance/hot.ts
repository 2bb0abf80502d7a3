// Which nodes are hot, and since when: high enough to matter, far enough above the others, and for long enough.
import { takesPart, type RebalanceNode } from './level.ts';

/** A policy's idea of hot. */
export interface HotRule {
  /** No node below this utilization is hot. */
  readonly floor: number;
  /** How far above the level a hot node is. */
  readonly band: number;
  /** How long it must have been so without a break. */
  readonly forMs: number;
}

/** Since when each node is above the threshold without a break, by id; nodes below it are absent. */
export type HotSince = ReadonlyMap<string, number>;

// Three deviations: of a thousand nodes that only ever meet chance, one is there at any time, and not for long.
const leastDeviations = 3;

/** How far above the level a node is soon by chance alone, where loads change by themselves by that deviation. */
export function chanceOf(deviation: number): number {
  return leastDeviations * deviation;
}

/**
 * The next `HotSince`. Hot is above the floor, and above the level by more than the band and by more than what loads
 * here change by themselves. A chance excursion ends before long, a node that got more than its part does not: so the
 * span without a break tells them apart (docs/decisions/0019).
 */
export function trackHot(
  previous: HotSince,
  nodes: readonly RebalanceNode[],
  at: { readonly level: number; readonly deviation: number; readonly rule: HotRule; readonly nowMs: number },
): HotSince {
  const { level, deviation, rule, nowMs } = at;
  const threshold = Math.max(rule.floor, level + Math.max(rule.band, chanceOf(deviation)));
  const hot = nodes.filter((node) => takesPart(node) && node.utilization > threshold);
  return new Map(hot.map(({ id }) => [id, previous.get(id) ?? nowMs]));
}

/** Ids of the nodes that have been above the threshold for long enough. */
export function hotNodes(since: HotSince, { forMs }: HotRule, nowMs: number): readonly string[] {
  return [...since].filter(([, sinceMs]) => nowMs - sinceMs >= forMs).map(([id]) => id);
}
