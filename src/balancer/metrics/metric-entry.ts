// What the catalogue says of one metric.

/** One metric. */
export interface MetricEntry {
  readonly type: 'gauge' | 'counter';
  readonly labels: readonly string[];
  /** One sentence; says the unit. */
  readonly help: string;
}
