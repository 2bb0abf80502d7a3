// Every metric that Herald exports of its own: name, labels, help with unit. docs/reference/metrics.md is made of it.
import { outputMetrics } from './output-metrics.ts';

/** One metric. */
export interface MetricEntry {
  readonly type: 'gauge' | 'counter';
  readonly labels: readonly string[];
  /** One sentence; says the unit. */
  readonly help: string;
}

const node = ['pool', 'node'] as const;

/** What follows pools and nodes: read and rendered at scrape time by pool-page.ts. */
export const poolMetrics = {
  herald_node_score: {
    type: 'gauge',
    labels: node,
    help: 'Predicted utilization that placement compares, as a fraction: 0 idle, 1 full, may exceed 1; lower is better.',
  },
  herald_node_share: {
    type: 'gauge',
    labels: node,
    help: 'Part of the next arrivals that the node should take, as a fraction of 1.',
  },
  herald_node_utilization: {
    type: 'gauge',
    labels: node,
    help: 'Smoothed utilization that the node reports, as a fraction: 1 is full; absent without reports.',
  },
  herald_node_signal: {
    type: 'gauge',
    labels: [...node, 'signal'],
    help: 'Newest value of each signal that the policy names: a fraction, seconds for eventLoopLag, messages per second for throughput, custom signals as reported.',
  },
  herald_node_report_age_seconds: {
    type: 'gauge',
    labels: node,
    help: 'Age of the newest sample in seconds; absent before the first report.',
  },
  herald_node_state: {
    type: 'gauge',
    labels: [...node, 'state'],
    help: '1 for the state that the node is in, 0 for the others: eligible, drain, maint, down, full, shedding.',
  },
  herald_connections: {
    type: 'gauge',
    labels: [...node, 'kind'],
    help: 'Connections on the node, as a count: kind open or dialling.',
  },
  herald_placements_total: {
    type: 'counter',
    labels: node,
    help: 'Placements on the node, as a count, the failed ones among them.',
  },
  herald_node_failures_total: {
    type: 'counter',
    labels: node,
    help: 'Placements that the node did not take, as a count: refused, reset, timed out or no usable handshake.',
  },
  herald_messages_total: {
    type: 'counter',
    labels: [...node, 'direction'],
    help: 'Messages relayed, as a count: direction toNode or toClient.',
  },
  herald_bytes_total: {
    type: 'counter',
    labels: [...node, 'direction'],
    help: 'Bytes relayed: direction toNode or toClient.',
  },
  herald_goodbyes_total: {
    type: 'counter',
    labels: [...node, 'kind', 'outcome'],
    help: 'Connections asked to leave, as a count: kind websocket, sse, longPoll, http or tcp; outcome closed, refusedByPeer (told, did not leave in time), cut (could not be told), alreadyGone or alreadyLeaving.',
  },
  herald_node_message_cost_ratio: {
    type: 'gauge',
    labels: node,
    help: 'Utilization that one relayed message per second adds to the node, as a fraction, as placement reckons; absent until it or the pool has learned it.',
  },
  herald_node_connection_slope_ratio: {
    type: 'gauge',
    labels: node,
    help: 'Utilization that one connection adds to the node, as a fraction; absent until it or the pool has learned it.',
  },
  herald_node_learned_pairs: {
    type: 'gauge',
    labels: [...node, 'by'],
    help: 'Pairs of the node that learning rests on, as a count with old ones counting less: by messages, connections or throughput.',
  },
  herald_node_auto_saturation_messages_per_second: {
    type: 'gauge',
    labels: node,
    help: 'Learned throughput in messages per second that saturation auto stands for; absent until learned, or where no signal says auto.',
  },
  herald_pool_message_cost_ratio: {
    type: 'gauge',
    labels: ['pool'],
    help: 'Utilization that one relayed message per second adds to a node of capacity 1, as a fraction: the median of the nodes; absent until learned.',
  },
  herald_pool_connection_slope_ratio: {
    type: 'gauge',
    labels: ['pool'],
    help: 'Utilization that one connection adds to a node of capacity 1, as a fraction: the median of the nodes; absent until learned.',
  },
  herald_pool_idle_utilization_ratio: {
    type: 'gauge',
    labels: ['pool', 'by'],
    help: 'Utilization of a node with nothing to do, as a fraction, as learned by messages or connections; absent until learned.',
  },
  herald_imbalance_ratio: {
    type: 'gauge',
    labels: ['pool'],
    help: 'Highest utilization divided by the mean, as a ratio: 1 is level; over eligible nodes with valid reports, absent without them.',
  },
  herald_pool_panic: {
    type: 'gauge',
    labels: ['pool'],
    help: '1 while the pool is placed without load data that was there before, else 0.',
  },
  herald_pool_panics_total: {
    type: 'counter',
    labels: ['pool'],
    help: 'Times that the pool went into panic, as a count.',
  },
  herald_admission_waiting: {
    type: 'gauge',
    labels: ['pool', 'rank'],
    help: 'Clients that wait for a place, as a count: rank retry, returning or new, in the order in which they are served.',
  },
  herald_admission_waits_total: {
    type: 'counter',
    labels: ['pool', 'outcome'],
    help: 'Clients that have waited for a place, as a count: outcome placed, refused, or gone by themselves.',
  },
  herald_admission_wait_seconds_total: {
    type: 'counter',
    labels: ['pool'],
    help: 'Time that these clients have waited, in seconds, summed up; divided by their number it is the mean wait.',
  },
  herald_admission_held: {
    type: 'gauge',
    labels: ['pool'],
    help: '1 while clients wait because no node has room below admit.fillTo, else 0.',
  },
  herald_admission_overfilled: {
    type: 'gauge',
    labels: ['pool'],
    help: '1 while clients are let in above admit.fillTo, because the pool has lacked room for admit.overfillAfter, else 0.',
  },
} as const satisfies Record<string, MetricEntry>;

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
  herald_frozen: {
    type: 'gauge',
    labels: ['pool'],
    help: '1 while automatic actions on the pool are stopped by a freeze, else 0.',
  },
} as const satisfies Record<string, MetricEntry>;

/** What happens, and what the process is: counted by prom-client. */
export const processMetrics = {
  herald_reports_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'Reports received, as a count: outcome accepted, or the error code of the refusal.',
  },
  herald_policy_reloads_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'Reloads of configuration and policies, as a count: outcome replaced, unchanged or refused.',
  },
  herald_state_writes_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'Writings of the state file, as a count: outcome written or failed.',
  },
  herald_refusals_total: {
    type: 'counter',
    labels: ['pool', 'code'],
    help: 'Clients that Herald answered in place of a node, as a count, by error code; pool is empty where none was found.',
  },
  herald_relay_ends_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Relays that ended, as a count, by reason.',
  },
  herald_relay_form: {
    type: 'gauge',
    labels: ['form'],
    help: '1 for the form that the relay runs in: fast on raw handles, plain on sockets.',
  },
  herald_build_info: {
    type: 'gauge',
    labels: ['version'],
    help: 'Always 1; the label says the version of Herald.',
  },
} as const satisfies Record<string, MetricEntry>;

/** Every metric of Herald's own. A name is API: it is never reused for another meaning. */
export const metricCatalogue: Readonly<Record<string, MetricEntry>> = {
  ...poolMetrics,
  ...controlMetrics,
  ...outputMetrics,
  ...processMetrics,
};

/** The states that herald_node_state tells apart; a node is in exactly one. */
export const nodeStates = ['eligible', 'drain', 'maint', 'down', 'full', 'shedding'] as const;

/** The page docs/reference/metrics.md. */
export function metricsReference(): string {
  const rows = Object.entries(metricCatalogue).map(
    ([name, { type, labels, help }]) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${help} |`,
  );
  return `# Metrics

\`GET /metrics\` on the intake listener, in the Prometheus text format. Generated from \`src/balancer/metrics/catalogue.ts\`.

Series of a node disappear with the node. Label values are bounded: pools and signals are those of the
configuration, nodes those that are registered, codes those of the [error catalogue](errors.md); a client,
a path or an address is never a label.

| name | type | labels | meaning |
|---|---|---|---|
${rows.join('\n')}

Beside these stand the process metrics of prom-client (\`process_*\`, \`nodejs_*\`), but for
\`nodejs_active_handles_total\`, \`nodejs_active_requests_total\` and \`nodejs_active_resources_total\`: they are
gauges whose names end like counters, and \`promtool check metrics\` refuses them.
`;
}
