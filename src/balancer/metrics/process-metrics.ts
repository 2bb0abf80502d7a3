// The metrics of what happens and what the process is: name, labels, help with unit.
import type { MetricEntry } from './metric-entry.ts';

/** What happens, and what the process is: counted as it happens. */
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
  herald_connections_turned_away_total: {
    type: 'counter',
    labels: ['listener', 'reason'],
    help: 'Connections of clients that were closed before they could ask anything, as a count, by listener and reason.',
  },
  herald_certificate_expires_timestamp_seconds: {
    type: 'gauge',
    labels: ['listener', 'certificate'],
    help: 'When a certificate of a public listener expires, as seconds since the Unix epoch.',
  },
  herald_relay_ends_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Relays that ended, as a count, by reason.',
  },
  herald_relay_waiting_bytes: {
    type: 'gauge',
    labels: [],
    help: 'Bytes that wait for slow clients, all tunnels together, as an upper bound.',
  },
  herald_stalled_answers_total: {
    type: 'counter',
    labels: ['pool'],
    help: 'Clients cut off within an answer of which they took nothing for timeouts.stall, as a count; tunnels count as relay ends.',
  },
  herald_accept_failures_total: {
    type: 'counter',
    labels: ['code'],
    help: 'Times that connections could not be accepted, by the code of the system. EMFILE and ENFILE are counted once a second while there is no descriptor: the connections that come meanwhile are closed unseen.',
  },
  herald_local_dial_failures_total: {
    type: 'counter',
    labels: ['code'],
    help: 'Dials that failed for want of something of our own, as a count, by the code of the system: EADDRNOTAVAIL is ports run out. They count against no node.',
  },
  herald_relay_form: {
    type: 'gauge',
    labels: ['form', 'tls'],
    help: '1 for the forms that the relay, and TLS for clients, run in: fast on raw handles, plain on sockets.',
  },
  herald_build_info: {
    type: 'gauge',
    labels: ['version'],
    help: 'Always 1; the label says the version of Herald.',
  },
} as const satisfies Record<string, MetricEntry>;
