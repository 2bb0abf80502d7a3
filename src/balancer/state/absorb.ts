// A report on its way into a node's load: by the pure `absorbCounted`, and only when it is newer than the last.
import { absorbCounted } from '../../core/absorb-counted.ts';
import { HeraldError } from '../../core/error.ts';
import { isNewer, type NodeLoad } from '../../core/load.ts';
import { loadBeforeReports } from '../../core/restored.ts';
import type { Report } from '../../protocol/report.ts';
import type { NodeRecord } from './node-record.ts';
import type { PoolState } from './pool-state.ts';

/** The node's load after this report; its first one goes on from what was restored. */
export function absorb(pool: PoolState, node: NodeRecord, at: { report: Report; nowMs: number }): NodeLoad {
  const { load, restored, counters, autoSaturation } = node;
  const before = load ?? (restored && loadBeforeReports(restored));
  return absorbCounted(pool.policy, { load: before, counters, autoSaturation }, at);
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
