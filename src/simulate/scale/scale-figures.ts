// What an autoscaler is judged by: what it costs, what its clients suffer. Medians and who wins over several seeds.
import type { CrowdCounts } from './client.ts';
import type { Fleet } from './fleet.ts';
import { scaleStepMs } from './scale-scenario.ts';

/** Figures of the time that is measured, whole run for what is not said otherwise. */
export interface ScaleFigures extends Omit<CrowdCounts, 'open'> {
  /** From the wish for a node until its end, in hours. */
  readonly nodeHours: number;
  /** Minutes in which more was asked of a node than it can do, summed over nodes. */
  readonly overNodeMinutes: number;
  /** Minutes in which that was so of any node. */
  readonly overMinutes: number;
  /** Connections that ended before their client wanted: cut, drained and moved. */
  readonly disconnected: number;
  /** Mean utilization of the nodes that serve, 0 or more; NaN when nothing was measured. */
  readonly utilization: number;
}

/** Takes one step after the other. */
export interface ScaleMeter {
  add(): void;
  figures(): ScaleFigures;
}

/** A meter that has seen nothing; counts begin with its first step. */
export function createScaleMeter(fleet: Fleet, counts: CrowdCounts): ScaleMeter {
  let before: CrowdCounts | undefined;
  let nodeSteps = 0;
  let overNodeSteps = 0;
  let overSteps = 0;
  let offered = 0;
  let serving = 0;
  return {
    add() {
      before ??= { ...counts };
      let over = 0;
      for (const node of fleet.nodes) {
        nodeSteps += 1;
        if (node.phase === 'starting') continue;
        serving += 1;
        offered += node.offered;
        if (node.offered > 1) over += 1;
      }
      overNodeSteps += over;
      if (over > 0) overSteps += 1;
    },
    figures() {
      const from = before ?? counts;
      const since = (name: keyof CrowdCounts): number => counts[name] - from[name];
      const ended = { cut: since('cut'), drained: since('drained'), moved: since('moved') };
      return {
        nodeHours: (nodeSteps * scaleStepMs) / 3_600_000,
        overNodeMinutes: (overNodeSteps * scaleStepMs) / 60_000,
        overMinutes: (overSteps * scaleStepMs) / 60_000,
        ...ended,
        disconnected: ended.cut + ended.drained + ended.moved,
        refused: since('refused'),
        opened: counts.opened,
        closed: counts.closed,
        utilization: offered / serving,
      };
    },
  };
}
