// The rules that a user could pick instead of Herald, each by its own product's formula. They share nothing with core/.
import { median } from '../core/median.ts';
import type { Rng } from '../core/rng.ts';
import type { Report } from '../protocol/report.ts';
import type { SimulatedBalancer } from './balancer.ts';

/** What such a rule knows of a node. */
export interface BaselineNode {
  /** Connections that this balancer has open there. */
  readonly connections: number;
  readonly isUp: boolean;
  /** The newest report; undefined before the first. */
  readonly report: Report | undefined;
  /** When the first and the newest report came; NaN before. */
  readonly firstAtMs: number;
  readonly reportedAtMs: number;
}

/** Chooses among the nodes that are up: an index, -1 without any. */
export type Chooser = (nodes: readonly BaselineNode[], nowMs: number) => number;

/** Each node in turn. */
export function roundRobin(): Chooser {
  let startAt = 0;
  return (nodes) => {
    const index = leastOf(nodes, () => 0, startAt);
    startAt = index + 1;
    return index;
  };
}

/** HAProxy's leastconn with equal weights, as a user has it who does nothing more. */
export function leastConnections(): Chooser {
  return leastBy(({ connections }) => leastconnKey(connections, 100));
}

/** HAProxy's leastconn with the weight that Herald 2016 answered to its agent check. */
export function haproxyHerald2016(): Chooser {
  return leastBy(({ connections, report }) =>
    leastconnKey(connections, herald2016Weight(report?.signals['cpu'])),
  );
}

/** HAProxy, lb_fwlc.c: (served + 1) × most weight ÷ weight, 0 for a server with nothing in flight. */
export function leastconnKey(served: number, weight: number): number {
  return served === 0 ? 0 : ((served + 1) * mostWeight) / weight;
}

// SRV_EWGHT_MAX: a weight of 256 at HAProxy's inner scale of 16. Only ratios matter.
const mostWeight = 256 * 16;

/**
 * Herald 2016: int(100 − value ÷ threshold × 100) per cent, at least 1, with the threshold at a full node. Above
 * 100 it answers nothing and HAProxy keeps what it has, which starts as 100; so does a node without a report.
 */
export function herald2016Weight(utilization: number | undefined): number {
  if (utilization === undefined) return 100;
  return Math.min(100, Math.max(1, Math.trunc(100 - utilization * 100)));
}

const blackoutMs = 10_000;
const expiryMs = 180_000;
const updateMs = 1000;

/**
 * gRPC A58 and Envoy's client-side weighted round robin: weight = qps ÷ utilization, earliest deadline first,
 * weights made anew every second, plain rotation below two known ones, the average for the others (A58: the mean).
 */
export function weightedRoundRobin(rng: Rng): Chooser {
  let weights: readonly number[] = [];
  let madeAtMs = -Infinity;
  const deadlines: number[] = [];
  return (nodes, nowMs) => {
    if (nowMs - madeAtMs >= updateMs || weights.length !== nodes.length) {
      weights = orcaWeights(nodes, nowMs);
      madeAtMs = nowMs;
    }
    while (deadlines.length < nodes.length) {
      // A random part of the first period, after what the others have reached: newcomers do not catch up.
      const reached = deadlines.length === 0 ? 0 : median(deadlines, 0);
      deadlines.push(reached + rng.next() / (weights[deadlines.length] ?? 1));
    }
    const index = leastOf(nodes, (_, each) => deadlines[each] ?? 0, 0);
    if (index !== -1) deadlines[index] = (deadlines[index] ?? 0) + 1 / (weights[index] ?? 1);
    return index;
  };
}

/** The weights of all nodes: ORCA's where known, their mean elsewhere, 1 while fewer than two are; scaled to a mean of 1. */
export function orcaWeights(nodes: readonly BaselineNode[], nowMs: number): number[] {
  const own = nodes.map((node) => (isTrusted(node, nowMs) ? orcaWeight(node.report) : 0));
  const known = own.filter((weight) => weight > 0);
  if (known.length < 2) return nodes.map(() => 1);
  const mean = known.reduce((sum, weight) => sum + weight, 0) / known.length;
  return own.map((weight) => (weight > 0 ? weight / mean : 1));
}

/**
 * qps ÷ utilization, without errors; 0 when either is 0 or unknown. A long-lived connection is one request to gRPC,
 * so its qps would be no load at all: here it is the messages per second, which is kinder to the rule.
 */
export function orcaWeight(report: Report | undefined): number {
  const qps = report?.signals['throughput'] ?? 0;
  const utilization = report?.signals['cpu'] ?? 0;
  return qps > 0 && utilization > 0 ? qps / utilization : 0;
}

function isTrusted({ report, firstAtMs, reportedAtMs }: BaselineNode, nowMs: number): boolean {
  return report !== undefined && nowMs - firstAtMs >= blackoutMs && nowMs - reportedAtMs < expiryMs;
}

function leastBy(keyOf: (node: BaselineNode) => number): Chooser {
  let startAt = 0;
  return (nodes) => {
    const index = leastOf(nodes, keyOf, startAt);
    startAt = index + 1;
    return index;
  };
}

function leastOf(
  nodes: readonly BaselineNode[],
  keyOf: (node: BaselineNode, index: number) => number,
  startAt: number,
): number {
  let best = -1;
  let bestKey = Infinity;
  for (let step = 0; step < nodes.length; step += 1) {
    const index = (startAt + step) % nodes.length;
    const node = nodes[index];
    if (node === undefined || !node.isUp) continue;
    const key = keyOf(node, index);
    if (best !== -1 && key >= bestKey) continue;
    best = index;
    bestKey = key;
  }
  return best;
}

// Messages and time change nothing for these rules.
function seesNothing(): void {}

/** A balancer that places by a chooser. */
export function baselineBalancer(choose: Chooser): SimulatedBalancer {
  const nodes: { -readonly [Key in keyof BaselineNode]: BaselineNode[Key] }[] = [];
  return {
    place: (nowMs) => choose(nodes, nowMs),
    scores: () => undefined,
    shed: () => [],
    opened({ node }) {
      const seen = nodes[node];
      if (seen !== undefined) seen.connections += 1;
    },
    closed({ node }) {
      const seen = nodes[node];
      if (seen !== undefined) seen.connections -= 1;
    },
    carried: seesNothing,
    reported(node, report, nowMs) {
      const seen = nodes[node];
      if (seen === undefined) return;
      seen.report = report;
      seen.reportedAtMs = nowMs;
      if (Number.isNaN(seen.firstAtMs)) seen.firstAtMs = nowMs;
    },
    joined: () =>
      void nodes.push({ connections: 0, isUp: true, report: undefined, firstAtMs: NaN, reportedAtMs: NaN }),
    crashed(node) {
      const seen = nodes[node];
      if (seen !== undefined) seen.isUp = false;
    },
    tick: seesNothing,
  };
}
