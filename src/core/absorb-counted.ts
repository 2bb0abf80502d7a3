// From a report and a data plane's own counts over the same span to the node's load, by a policy.
import type { Policy } from '../policy/policy.ts';
import type { Report } from '../protocol/report.ts';
import { absorbReport, type NodeLoad, type RelayWindow } from './load.ts';
import type { NodeCounters } from './node-counters.ts';

/** What a data plane knows of the node that reports; `load` is undefined before its first report. */
export interface CountedNode {
  readonly load: NodeLoad | undefined;
  readonly counters: NodeCounters;
  /** Throughput at which the pool's learning takes it to be full; undefined before anything is learned. */
  readonly autoSaturation: number | undefined;
}

/** The node's load after this report, which must be newer than the last one (`isNewer`). */
export function absorbCounted(
  policy: Pick<Policy, 'signals' | 'score' | 'reports'>,
  node: CountedNode,
  at: { report: Report; nowMs: number },
): NodeLoad {
  const { signals, score, reports } = policy;
  const rule = {
    signals,
    combine: score,
    smoothingMs: score.smoothingMs,
    expiryMs: reports.expiryMs,
    autoSaturation: node.autoSaturation,
  };
  return absorbReport(node.load, at.report, { nowMs: at.nowMs, rule, relay: relayWindow(node, at) });
}

function relayWindow(node: CountedNode, { report, nowMs }: { report: Report; nowMs: number }): RelayWindow {
  const endMs = nowMs - report.ageMs;
  const end = node.counters.at(endMs, nowMs);
  const startMs = endMs - report.intervalMs;
  const start = node.counters.at(startMs, nowMs);
  // A span longer than the counters remember is judged by the part that they do.
  const spanMs = end.atMs - start.atMs;
  return {
    messagesPerSecond: spanMs > 0 ? Math.max(0, ((end.messages - start.messages) * 1000) / spanMs) : 0,
    expectedPerSecond: node.counters.expectedOver({ startMs, endMs }),
    foreseenPerSecond: node.counters.expectedOver({ startMs: startMs - report.intervalMs, endMs: startMs }),
    connections: end.connections,
  };
}
