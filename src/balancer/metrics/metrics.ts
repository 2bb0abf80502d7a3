// Prometheus, behind this one room: everybody else counts through the functions of `Metrics`.
import { collectDefaultMetrics, Counter, Gauge, Registry as Register } from 'prom-client';
import type { Clock } from '../../core/clock.ts';
import type { ErrorCode } from '../../core/error.ts';
import type { PoolState } from '../state/pool-state.ts';
import { boundedLabel } from './bounded-label.ts';
import { metricCatalogue } from './catalogue.ts';
import { observePools, type Meter } from './observe-pools.ts';

/** What came of a reload of configuration or policies. */
export type ReloadOutcome = 'replaced' | 'unchanged' | 'refused';

/** Counts for the edges, text for the scraper. */
export interface Metrics {
  /** What Prometheus reads. Scrapes at the same time share one text. */
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** A client was answered in place of a node; '' or an unknown pool counts as ''. */
  countRefusal(pool: string, code: ErrorCode): void;
  countReport(outcome: 'accepted' | ErrorCode): void;
  countReload(outcome: ReloadOutcome): void;
  /** A relay ended. Reasons are a fixed few; past thirty-two different ones the rest counts as `other`. */
  countRelayEnd(reason: string): void;
}

// prom-client counts these under names that end like counters but are gauges; promtool refuses them.
const misnamedDefaults = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`);
const maxRelayEndReasons = 32;

/** Metrics with a register of their own, so that two balancers in one process do not mix. */
export function createMetrics(deps: {
  readonly pools: ReadonlyMap<string, PoolState>;
  readonly clock: Clock;
  readonly relayForm: 'fast' | 'plain';
  readonly version: string;
}): Metrics {
  const register = new Register();
  collectDefaultMetrics({ register });
  for (const name of misnamedDefaults) register.removeSingleMetric(name);
  const meter = createMeter(register);
  meter.gauges.herald_relay_form.set({ form: deps.relayForm }, 1);
  meter.gauges.herald_build_info.set({ version: deps.version }, 1);
  const { counters } = meter;
  const relayEndReason = boundedLabel(maxRelayEndReasons);
  let scraping: Promise<string> | undefined;
  return {
    async scrape() {
      scraping ??= render(register, () => observePools(meter, deps.pools.values(), deps.clock.nowMs()));
      try {
        return { contentType: register.contentType, text: await scraping };
      } finally {
        scraping = undefined;
      }
    },
    countRefusal: (pool, code) =>
      counters.herald_refusals_total.inc({ pool: deps.pools.has(pool) ? pool : '', code }),
    countReport: (outcome) => counters.herald_reports_total.inc({ outcome }),
    countReload: (outcome) => counters.herald_policy_reloads_total.inc({ outcome }),
    countRelayEnd: (reason) => counters.herald_relay_ends_total.inc({ reason: relayEndReason(reason) }),
  };
}

async function render(register: Register, observe: () => void): Promise<string> {
  observe();
  return register.metrics();
}

function createMeter(register: Register): Meter {
  const gauges: Record<string, Gauge> = {};
  const counters: Record<string, Counter> = {};
  for (const [name, { type, labels, help }] of Object.entries(metricCatalogue)) {
    const options = { name, help, labelNames: [...labels], registers: [register] };
    if (type === 'gauge') gauges[name] = new Gauge(options);
    else counters[name] = new Counter(options);
  }
  // One entry of each type for each entry of the catalogue: exactly what Meter maps the names to.
  return { gauges, counters } as Meter;
}
