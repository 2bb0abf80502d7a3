// Drains, rebalances and freezes as metrics, read at scrape time like the pools.
import type { ControlFigures } from '../control/control.ts';
import { controlMetrics } from './control-metrics.ts';
import { createExposition, labelText } from './exposition.ts';

/** Of a process without operations. */
export const noFigures: ControlFigures = {
  running: [],
  ended: [],
  sheds: [],
  orders: [],
  isFrozen: () => false,
};

const kinds = ['drain', 'rebalance'] as const;

/** The part of the page that is about operations, for these pools. */
export function controlPage(pools: Iterable<string>, figures: ControlFigures): string {
  const page = createExposition(controlMetrics);
  for (const pool of pools) {
    page.add('herald_frozen', labelText({ pool }), figures.isFrozen(pool) ? 1 : 0);
    for (const kind of kinds) {
      const running = figures.running.filter((each) => each.pool === pool && each.kind === kind);
      const labels = labelText({ pool, kind });
      page.add('herald_operations', labels, running.length);
      const sum = (part: 'waiting' | 'leaving') =>
        running.reduce((total, { progress }) => total + progress[part], 0);
      page.add('herald_operation_connections', `${labels},part="waiting"`, sum('waiting'));
      page.add('herald_operation_connections', `${labels},part="leaving"`, sum('leaving'));
    }
  }
  for (const { pool, kind, state, count } of figures.ended)
    page.add('herald_operations_total', labelText({ pool, kind, state }), count);
  for (const { count, ...labels } of figures.sheds)
    page.add('herald_sheds_total', labelText({ ...labels }), count);
  for (const { count, ...labels } of figures.orders)
    page.add('herald_orders_total', labelText({ ...labels }), count);
  return page.text();
}
