// What benchmarks of one figure a line give, and how several runs become one figure.
import { median } from '../../src/core/median.ts';

/** One figure. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: 'µs';
}

/** The median: a shared machine makes single runs jump. NaN of nothing. */
export function middle(samples: readonly number[]): number {
  return median(samples, NaN);
}
