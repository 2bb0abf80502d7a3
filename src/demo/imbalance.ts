// The one figure of the demo: how much fuller the fullest node is than the average one.

/** One node in one second, as it measured itself. */
export interface NodeSecond {
  readonly id: string;
  /** Busy part of the second, 0..1. */
  readonly utilization: number;
  readonly connections: number;
}

/** One second of one rule: a line of `--json`. */
export interface DemoRow {
  readonly seed: number;
  readonly rule: DemoRule;
  /** Seconds since the first client. */
  readonly second: number;
  /** True when the second counts for the figure: after the warm-up. */
  readonly counted: boolean;
  readonly nodes: readonly NodeSecond[];
}

/** The two rules that the demo runs. */
export type DemoRule = 'herald' | 'leastConnections';

/** Highest ÷ mean utilization; 1 is perfect; undefined when nobody had anything to do. */
export function imbalanceOf(nodes: readonly Pick<NodeSecond, 'utilization'>[]): number | undefined {
  const total = nodes.reduce((sum, { utilization }) => sum + utilization, 0);
  if (total <= 0) return undefined;
  return (Math.max(...nodes.map(({ utilization }) => utilization)) * nodes.length) / total;
}

/** Time-average of the imbalance over the rows that count; NaN when none does. */
export function meanImbalance(rows: readonly DemoRow[]): number {
  const ratios = rows
    .filter(({ counted }) => counted)
    .map(({ nodes }) => imbalanceOf(nodes))
    .filter((ratio) => ratio !== undefined);
  return ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
}
