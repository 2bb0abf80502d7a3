// What became of orders between balancers, for metrics.

/**
 * `given` and `lapsed` (nobody answered in time) of the leader; the others of whoever was told: `done`, or why not.
 * `token`: somebody has led by a higher one. `stale`: planned on a view that is too old. `frozen`: the pool is.
 * `over`: its operation has ended.
 */
export const orderOutcomes = ['given', 'lapsed', 'done', 'token', 'stale', 'frozen', 'over'] as const;

/** One of them. */
export type OrderOutcome = (typeof orderOutcomes)[number];

/** One count of `herald_orders_total`. */
export interface OrderCount {
  readonly pool: string;
  readonly outcome: OrderOutcome;
  count: number;
}

/** Counts since the start. */
export class OrderCounts {
  readonly #counts = new Map<string, OrderCount>();

  add(pool: string, outcome: OrderOutcome): void {
    const key = `${pool} ${outcome}`;
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, { pool, outcome, count: 1 });
    else known.count += 1;
  }

  all(): readonly OrderCount[] {
    return [...this.#counts.values()];
  }
}
