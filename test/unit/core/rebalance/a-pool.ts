// Pools as a rebalance sees them, with everything that a test does not care about filled in.
import type { MovableConnections } from '../../../../src/core/rebalance/choose.ts';
import type { RunNode, RunView } from '../../../../src/core/rebalance/run.ts';

/** A node in use at half load, of usual size. */
export function aRunNode(id: string, parts: Partial<Omit<RunNode, 'id'>> = {}): RunNode {
  const { utilization = 0.5 } = parts;
  return {
    id,
    utilization,
    slope: 0.005,
    isEligible: true,
    slowStartPart: 1,
    reported: utilization,
    distress: 0,
    ...parts,
  };
}

/** Connections by what each causes; ids from `firstId` on, ages rising by a second from the first. */
export function someConnections(utilizations: readonly number[], firstId = 0): MovableConnections {
  return {
    size: utilizations.length,
    id: utilizations.map((_, row) => firstId + row),
    utilization: utilizations,
    ageMs: utilizations.map((_, row) => 1000 * row),
  };
}

/** A pool whose nodes all have the same connections: a hundred of half a point each. */
export function aRunView(nodes: readonly RunNode[], parts: Partial<RunView> = {}): RunView {
  const hundred = someConnections(Array.from({ length: 100 }, () => 0.005));
  return { nowMs: 0, nodes, connectionsOf: () => hundred, placedTotal: 0, failedTotal: 0, ...parts };
}
