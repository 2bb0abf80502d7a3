// Between a report and the pure `absorbReport`: what our own relay saw over the same span.
import { HeraldError } from '../../core/error.ts';
import { absorbReport, isNewer, type NodeLoad, type RelayWindow } from '../../core/load.ts';
import { fitShared } from '../../core/moments.ts';
import type { Report } from '../../protocol/report.ts';
import type { NodeRecord } from './node-record.ts';
import type { PoolState } from './pool-state.ts';

/** The node's load after this report. */
export function absorb(pool: PoolState, node: NodeRecord, at: { report: Report; nowMs: number }): NodeLoad {
  const { signals, score, reports } = pool.policy;
  const hasAuto = signals.some(({ saturation }) => saturation === 'auto');
  const rule = {
    signals,
    combine: score,
    smoothingMs: score.smoothingMs,
    expiryMs: reports.expiryMs,
    autoSaturation: hasAuto ? learnedThroughput(node) : undefined,
  };
  return absorbReport(node.load, at.report, { nowMs: at.nowMs, rule, relay: relayWindow(node, at) });
}

function relayWindow(node: NodeRecord, { report, nowMs }: { report: Report; nowMs: number }): RelayWindow {
  const endMs = nowMs - report.ageMs;
  const end = node.counters.at(endMs, nowMs);
  const start = node.counters.at(endMs - report.intervalMs, nowMs);
  // A span longer than the counters remember is judged by the part that they do.
  const spanMs = end.atMs - start.atMs;
  return {
    messagesPerSecond: spanMs > 0 ? Math.max(0, ((end.messages - start.messages) * 1000) / spanMs) : 0,
    connections: end.connections,
  };
}

/**
 * The throughput at which the node's other additive signals would be full: (1 − idle) ÷ their rise per
 * message per second. Undefined until it has been learned.
 */
function learnedThroughput(node: NodeRecord): number | undefined {
  if (node.load === undefined) return undefined;
  const fit = fitShared([{ moments: node.load.byThroughput, capacity: undefined }]);
  if (fit.slope === undefined || fit.slope <= 0) return undefined;
  return (1 - fit.intercept) / fit.slope;
}

/** Throws HERALD_REPORT_STALE for a report that is not newer than the one that the load came from. */
export function refuseStale(report: Report, load: NodeLoad | undefined): void {
  if (isNewer(load, report)) return;
  const { node, seq } = report;
  throw new HeraldError(
    'HERALD_REPORT_STALE',
    `report ${seq} of node '${node.id}' is not newer than ${load?.seq}; if this goes on, two agents share the id`,
    { node: node.id, seq },
  );
}
