// What shedding was to bring, and what it brought: where load does not follow connections, moving them is in vain.

/** One node's part. */
interface NodeRelief {
  /** Reported utilization before its first shed. */
  readonly before: number;
  readonly predictions: readonly { readonly atMs: number; readonly utilization: number }[];
}

/** Predicted relief by node. */
export type Relief = ReadonlyMap<string, NodeRelief>;

export const noRelief: Relief = new Map();

interface ReportedNode {
  readonly id: string;
  readonly reported: number;
}

/** So much was shed from one node: utilization. */
interface ShedRelief {
  readonly node: { readonly id: string };
  readonly utilization: number;
}

interface RisingNode extends ReportedNode {
  /** Predicted: what has come and gone since the reports is in it. */
  readonly utilization: number;
}

/** Adds what has just been shed. */
export function withPrediction(
  relief: Relief,
  sheds: readonly ShedRelief[],
  { nodes, nowMs }: { readonly nodes: readonly ReportedNode[]; readonly nowMs: number },
): Relief {
  const next = new Map(relief);
  for (const { node, utilization } of sheds) {
    const reported = nodes.find(({ id }) => id === node.id)?.reported ?? NaN;
    const known = next.get(node.id) ?? { before: reported, predictions: [] };
    next.set(node.id, { ...known, predictions: [...known.predictions, { atMs: nowMs, utilization }] });
  }
  return next;
}

// So much of what is too much may be missing in the reports before something is shed: less than the part of the relief
// that must come (run-end.ts).
const mostMissing = 0.25;

/**
 * Ids of the nodes whose reports have not caught up with a load that has just risen. Relief is told by reports: what
 * they still have to rise by would look like relief that does not come. Nobody is waited for longer than `lagMs` from
 * the start, nor once something has been shed.
 */
export function risingNodes(
  run: { readonly relief: Relief; readonly startedAtMs: number },
  { nodes, nowMs }: { readonly nodes: readonly RisingNode[]; readonly nowMs: number },
  { level, lagMs }: { readonly level: number; readonly lagMs: number },
): ReadonlySet<string> {
  if (nowMs - run.startedAtMs >= lagMs) return new Set();
  const rising = nodes.filter(({ id, utilization, reported }) => {
    // Reports end at 1, however much is asked for.
    const missing = Math.min(1, utilization) - reported;
    return utilization > level && !run.relief.has(id) && missing > mostMissing * (utilization - level);
  });
  return new Set(rising.map(({ id }) => id));
}

/**
 * Sums over the nodes that have shed: what reports must show by now, and what they show. Nodes that do not report any
 * more are left out.
 */
export function reliefOf(
  relief: Relief,
  { nodes, nowMs }: { readonly nodes: readonly ReportedNode[]; readonly nowMs: number },
  lagMs: number,
): { readonly predicted: number; readonly actual: number } {
  let predicted = 0;
  let actual = 0;
  for (const [id, { before, predictions }] of relief) {
    const reported = nodes.find((node) => node.id === id)?.reported ?? NaN;
    if (!Number.isFinite(before - reported)) continue;
    const shown = predictions.filter(({ atMs }) => nowMs - atMs >= lagMs);
    if (shown.length === 0) continue;
    predicted += shown.reduce((sum, { utilization }) => sum + utilization, 0);
    actual += before - reported;
  }
  return { predicted, actual };
}
