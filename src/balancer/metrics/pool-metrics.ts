// The metrics of pools and nodes: name, labels, help with unit.
import type { MetricEntry } from './metric-entry.ts';

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
  herald_affinity_total: {
    type: 'counter',
    labels: ['pool', 'outcome'],
    help: 'Placements of clients that had a node of their own, as a count: outcome kept, or what affinity yielded to: drain, maint, down, full, shedding, load (above affinity.yieldAt) or bound (above affinity.bound).',
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

/** The states that herald_node_state tells apart; a node is in exactly one. */
export const nodeStates = ['eligible', 'drain', 'maint', 'down', 'full', 'shedding'] as const;
