// Metrics of the processes that relay: what there is, and its page, read at scrape time.
import type { WorkerDetail } from '../../protocol/workers.ts';
import { createExposition, labelText } from './exposition.ts';
import type { MetricEntry } from './metric-entry.ts';

/** What follows workers. */
export const workerMetrics = {
  herald_workers: {
    type: 'gauge',
    labels: ['state'],
    help: 'Processes that relay, as a count: state starting, serving, waiting (to be started again) or ended; none where the main process relays.',
  },
  herald_worker_connections: {
    type: 'gauge',
    labels: ['worker'],
    help: 'Connections and exchanges under way in a worker, as a count.',
  },
  herald_worker_restarts_total: {
    type: 'counter',
    labels: ['worker'],
    help: 'Processes that had to be replaced in the place of a worker, as a count.',
  },
  herald_worker_cpu_seconds_total: {
    type: 'counter',
    labels: ['worker'],
    help: 'Processor time that the process of a worker has taken since it began, in seconds.',
  },
  herald_worker_resident_memory_bytes: {
    type: 'gauge',
    labels: ['worker'],
    help: 'Memory of the process of a worker, in bytes.',
  },
  herald_worker_event_loop_lag_seconds: {
    type: 'gauge',
    labels: ['worker'],
    help: '99th percentile of how late the event loop of a worker was in the last second, in seconds.',
  },
} as const satisfies Record<string, MetricEntry>;

const states = ['starting', 'serving', 'waiting', 'ended'] as const;

/** The part of the page that is about workers. */
export function workerPage(workers: readonly WorkerDetail[]): string {
  const page = createExposition(workerMetrics);
  for (const state of workers.length === 0 ? [] : states)
    page.add(
      'herald_workers',
      labelText({ state }),
      workers.filter((worker) => worker.state === state).length,
    );
  for (const { worker, connections, restarts, cpuSeconds, residentBytes, lagMs } of workers) {
    const labels = labelText({ worker: String(worker) });
    page.add('herald_worker_connections', labels, connections);
    page.add('herald_worker_restarts_total', labels, restarts);
    page.add('herald_worker_cpu_seconds_total', labels, cpuSeconds);
    page.add('herald_worker_resident_memory_bytes', labels, residentBytes);
    page.add('herald_worker_event_loop_lag_seconds', labels, lagMs / 1000);
  }
  return page.text();
}
