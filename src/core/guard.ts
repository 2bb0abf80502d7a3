// Upper bounds of what one node may take of the next arrivals: guards are bounds inside the fill, not factors after it.
import type { NodeView } from './snapshot.ts';

/** A policy's guards. */
export interface GuardRule {
  /** Largest share of one node, 0..1; holds from four eligible nodes on. */
  readonly maxShare: number;
  readonly slowStartMs: number;
  readonly connectRatePerSecond: number;
}

// Below four nodes a cap on shares cannot help: with two, half each is all there is.
const maxShareFrom = 4;
// HAProxy's slow start begins at 1 %; ours at a tenth of the arrivals, since the level already spares newcomers
// and a node that joins a burning fleet is there to take load.
const slowStartFrom = 0.1;

/** How far a node has come in its slow start: 0.1 when it joins, rising in a straight line to 1. */
export function slowStartPart(
  node: Pick<NodeView, 'joinedAtMs'>,
  nowMs: number,
  slowStartMs: number,
): number {
  if (slowStartMs <= 0 || node.joinedAtMs === -Infinity) return 1;
  return Math.min(1, Math.max(slowStartFrom, (nowMs - node.joinedAtMs) / slowStartMs));
}

/** Most of `arrivals` that a node may take, 0 or more; Infinity when no guard bounds it. */
export function boundOf(
  node: NodeView,
  rule: GuardRule,
  moment: { nowMs: number; arrivals: number; horizonMs: number; eligibleCount: number },
): number {
  const { nowMs, arrivals, horizonMs, eligibleCount } = moment;
  const part = slowStartPart(node, nowMs, rule.slowStartMs);
  const byShare = eligibleCount >= maxShareFrom ? rule.maxShare * arrivals : Infinity;
  const bySlowStart = part < 1 ? part * arrivals : Infinity;
  // At least one: a rate of 0.5/s over a short horizon means "seldom", not "never".
  const byRate = Math.max(1, (rule.connectRatePerSecond * part * horizonMs) / 1000);
  const byRoom = Math.max(0, node.maxConnections - node.counters.connections);
  return Math.min(byShare, bySlowStart, byRate, byRoom);
}
