// The metrics of drains, rebalances and freezes: name, labels, help with unit.
import type { MetricEntry } from './metric-entry.ts';

/** What follows drains, rebalances and freezes: read and rendered at scrape time by control-page.ts. */
export const controlMetrics = {
  herald_operations: {
    type: 'gauge',
    labels: ['pool', 'kind'],
    help: 'Operations that are running, as a count: kind drain or rebalance.',
  },
  herald_operation_connections: {
    type: 'gauge',
    labels: ['pool', 'kind', 'part'],
    help: 'Connections of running operations, as a count: part waiting (not asked yet) or leaving (asked, and still open).',
  },
  herald_operations_total: {
    type: 'counter',
    labels: ['pool', 'kind', 'state'],
    help: 'Operations that have ended, as a count: state done, cancelled, deadline (somebody was left when it passed) or stopped.',
  },
  herald_sheds_total: {
    type: 'counter',
    labels: ['pool', 'node', 'cause', 'way', 'outcome'],
    help: 'Connections shed by operations, as a count: cause drain or rebalance; way close (by the relay) or ask (by the application, through its agent); outcomes as in herald_goodbyes_total, where an ask that was not met is refusedByPeer and is closed by the relay next.',
  },
  herald_orders_total: {
    type: 'counter',
    labels: ['pool', 'outcome'],
    help: 'Orders between balancers to shed, as a count. Of the one that leads: outcome given, or lapsed (not answered in time). Of the one that was told: done, or not done since token (somebody has led by a higher one), stale (its view was too old), frozen or over (its operation has ended).',
  },
  herald_frozen: {
    type: 'gauge',
    labels: ['pool'],
    help: '1 while automatic actions on the pool are stopped by a freeze, else 0.',
  },
} as const satisfies Record<string, MetricEntry>;
