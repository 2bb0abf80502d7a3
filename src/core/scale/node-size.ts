// How large is each node of a pool beside the usual one? Declared, or learned from what a message or a connection costs.
import type { Assessment } from '../assess.ts';
import { median } from '../median.ts';
import type { SharedFit } from '../moments.ts';

interface Believed {
  /** Nodes that differ by less than this factor are of one size. */
  readonly from: number;
  /** From this factor on they are taken to differ as they seem to. */
  readonly fully: number;
}

// What a message costs says how fast a node is. What a connection costs says as much about who is connected: with costs
// of sigma 1.5 and a hundred connections it differs by a third between equal nodes.
const byMessages: Believed = { from: 1.25, fully: 1.6 };
const byConnections: Believed = { from: 2, fully: 3 };
// A node that has hardly anything to do has taught what it costs to be there, not what its work costs: a fifth of a node.
const believedLoad = 0.2;
// Beyond it a learned size is a defect of the learning: a node that has hardly had anything to do.
const mostRatio = 8;

/** Sizes in the order of the snapshot; 1 is the median of the nodes that count. Finite and above 0. */
export function nodeSizes(assessment: Assessment, counts: readonly boolean[]): readonly number[] {
  const { snapshot, costs, slopes } = assessment;
  const useMessages = snapshot.visibility.countsMessages && (costs.slope ?? 0) > 0;
  const fit = useMessages ? costs : slopes;
  const sizes = snapshot.nodes.map(({ capacity, load }, index) => {
    if (capacity !== undefined) return capacity;
    if (!((load?.utilization ?? 0) >= believedLoad)) return undefined;
    return learnedSize(fit, index, useMessages ? byMessages : byConnections);
  });
  const usual = median(
    sizes.flatMap((size, index) => (counts[index] === true && size !== undefined ? [size] : [])),
    1,
  );
  return sizes.map((size) => (size ?? usual) / usual);
}

/** Relative to capacity 1, which `fit.slope` is the slope of. */
function learnedSize({ slope, slopes }: SharedFit, index: number, believed: Believed): number {
  const own = slopes[index] ?? NaN;
  if (slope === undefined || !(slope > 0) || !(own > 0)) return 1;
  const difference = Math.log(Math.min(Math.max(1 / mostRatio, slope / own), mostRatio));
  const { from, fully } = believed;
  // Risen into step by step, so that a node at the edge does not jump between two sizes.
  const part = (Math.abs(difference) - Math.log(from)) / (Math.log(fully) - Math.log(from));
  return Math.exp(difference * Math.min(Math.max(0, part), 1));
}
