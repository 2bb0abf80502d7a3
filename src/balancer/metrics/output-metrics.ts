// Metrics of webhooks and scaling drivers: what there is, and its page, read at scrape time.
import type { MetricEntry } from './metric-entry.ts';
import { createExposition, labelText } from './exposition.ts';

/** What follows webhooks and drivers. */
export const outputMetrics = {
  herald_webhook_deliveries_total: {
    type: 'counter',
    labels: ['webhook', 'outcome'],
    help: 'Deliveries to webhooks, as a count: outcome delivered, retried (an attempt failed, another follows), dead (given up, kept as a dead letter) or forgotten (a dead letter that newer ones pushed out).',
  },
  herald_webhook_queued: {
    type: 'gauge',
    labels: ['webhook'],
    help: 'Events that wait for a webhook or are being sent, as a count.',
  },
  herald_webhook_oldest_age_seconds: {
    type: 'gauge',
    labels: ['webhook'],
    help: 'Age in seconds of the oldest event that waits for a webhook; 0 when none does.',
  },
  herald_webhook_dead_letters: {
    type: 'gauge',
    labels: ['webhook'],
    help: 'Dead letters of a webhook that are kept, as a count.',
  },
  herald_driver_actions_total: {
    type: 'counter',
    labels: ['driver', 'outcome'],
    help: 'Commands that scaling drivers have run, as a count: outcome done, failed or timeout.',
  },
} as const satisfies Record<string, MetricEntry>;

/** What is shown of webhooks and drivers. */
export interface OutputFigures {
  readonly webhooks: readonly {
    readonly webhook: string;
    readonly counts: Readonly<Record<string, number>>;
    readonly queued: number;
    readonly oldestAgeMs: number;
    readonly deadLetters: number;
  }[];
  readonly drivers: readonly {
    readonly driver: string;
    readonly counts: Readonly<Record<string, number>>;
  }[];
}

/** Of a process that has neither. */
export const noOutputs: OutputFigures = { webhooks: [], drivers: [] };

/** The part of the page that is about webhooks and drivers. */
export function outputPage({ webhooks, drivers }: OutputFigures): string {
  const page = createExposition(outputMetrics);
  for (const { webhook, counts, queued, oldestAgeMs, deadLetters } of webhooks) {
    const labels = labelText({ webhook });
    for (const [outcome, value] of Object.entries(counts))
      page.add('herald_webhook_deliveries_total', labelText({ webhook, outcome }), value);
    page.add('herald_webhook_queued', labels, queued);
    page.add('herald_webhook_oldest_age_seconds', labels, oldestAgeMs / 1000);
    page.add('herald_webhook_dead_letters', labels, deadLetters);
  }
  for (const { driver, counts } of drivers)
    for (const [outcome, value] of Object.entries(counts))
      page.add('herald_driver_actions_total', labelText({ driver, outcome }), value);
  return page.text();
}
