// Metrics of replacing the process by a new one: what there is, and its page, read at scrape time.
import type { MetricEntry } from './metric-entry.ts';
import { createExposition, labelText } from './exposition.ts';

/** What follows takeovers. */
export const takeoverMetrics = {
  herald_takeovers_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'Takeovers as this process saw them, as a count: outcome done (it took over from another, 0 or 1) or failed (a new process that it started could not take over).',
  },
  herald_generation: {
    type: 'gauge',
    labels: [],
    help: 'Which process in a row of takeovers this is, as a count; 1 for one that took over from nobody.',
  },
  herald_earlier_processes: {
    type: 'gauge',
    labels: [],
    help: 'Processes that have been replaced and still relay, as a count.',
  },
  herald_earlier_connections: {
    type: 'gauge',
    labels: [],
    help: 'Connections that earlier processes still relay, as a count; they are in the counts of their nodes, too.',
  },
} as const satisfies Record<string, MetricEntry>;

/** What is shown of takeovers. */
export interface TakeoverFigures {
  readonly generation: number;
  readonly done: number;
  readonly failed: number;
  readonly earlier: readonly { readonly connections: number }[];
}

/** Of a process that can neither take over nor be replaced. */
export const noTakeovers: TakeoverFigures = { generation: 1, done: 0, failed: 0, earlier: [] };

/** The part of the page that is about takeovers. */
export function takeoverPage({ generation, done, failed, earlier }: TakeoverFigures): string {
  const page = createExposition(takeoverMetrics);
  page.add('herald_takeovers_total', labelText({ outcome: 'done' }), done);
  page.add('herald_takeovers_total', labelText({ outcome: 'failed' }), failed);
  page.add('herald_generation', '', generation);
  page.add('herald_earlier_processes', '', earlier.length);
  const connections = earlier.reduce((sum, each) => sum + each.connections, 0);
  page.add('herald_earlier_connections', '', connections);
  return page.text();
}
