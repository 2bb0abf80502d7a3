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
