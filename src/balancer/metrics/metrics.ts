// Prometheus, behind this one room: everybody else counts through the functions of `Metrics`.
import { collectDefaultMetrics, Counter, Gauge, Registry as Register } from 'prom-client';
import type { Clock } from '../../core/clock.ts';
import type { ErrorCode } from '../../core/error.ts';
import { aloneAnswer, type PeersAnswer } from '../../protocol/peering.ts';
import type { Scaling } from '../../protocol/scaling.ts';
import type { ControlFigures } from '../control/control.ts';
import type { PoolState } from '../state/pool-state.ts';
import { boundedLabel } from './bounded-label.ts';
import { processMetrics } from './process-metrics.ts';
import { controlPage, noFigures } from './control-page.ts';
import { noOutputs, outputPage, type OutputFigures } from './output-metrics.ts';
import { peerPage } from './peer-metrics.ts';
import { poolPage } from './pool-page.ts';
import { scalePage } from './scale-page.ts';
import { noTakeovers, takeoverPage, type TakeoverFigures } from './takeover-metrics.ts';

/** What came of a reload of configuration or policies. */
type ReloadOutcome = 'replaced' | 'unchanged' | 'refused';

/** Counts for the edges, text for the scraper. */
export interface Metrics {
  /** What Prometheus reads. Scrapes at the same time share one text. */
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** A client was answered in place of a node; '' or an unknown pool counts as ''. */
  countRefusal(pool: string, code: ErrorCode): void;
  countReport(outcome: 'accepted' | ErrorCode): void;
  countReload(outcome: ReloadOutcome): void;
  /** The state file was written, or could not be. */
  countStateWrite(outcome: 'written' | 'failed'): void;
  /** A client was closed before it could ask anything. Reasons are a fixed few. */
  countTurnedAway(listener: string, reason: string): void;
  /** Takes the place of what was told before. */
  setCertificates(certificates: readonly CertificateFigure[]): void;
  /** A relay ended. Reasons are a fixed few; past thirty-two different ones the rest counts as `other`. */
  countRelayEnd(reason: string): void;
}

/** When a certificate of a listener expires. */
export interface CertificateFigure {
  readonly listener: string;
  /** The file as it is written in the configuration. */
  readonly certificate: string;
  /** Milliseconds since the epoch. */
  readonly expiresMs: number;
}

// prom-client gives these names that end like counters, but they are gauges; promtool refuses them.
const misnamedDefaults = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`);
const maxRelayEndReasons = 32;

/** Metrics with a register of their own, so that two balancers in one process do not mix. */
export function createMetrics(deps: {
  readonly pools: ReadonlyMap<string, PoolState>;
  readonly clock: Clock;
  readonly relayForm: 'fast' | 'plain';
  readonly version: string;
  /** Absent: there are none. */
  readonly control?: () => ControlFigures;
  /** The recommendation of a pool; absent: there are none. */
  readonly scalingOf?: (pool: string) => Scaling;
  /** Webhooks and drivers; absent: there are none. */
  readonly outputs?: () => OutputFigures;
  /** Absent: this process cannot be replaced. */
  readonly takeover?: () => TakeoverFigures;
  /** Other balancers; absent: nothing is shared. */
  readonly peers?: () => PeersAnswer;
}): Metrics {
  const { pools, clock, control = () => noFigures, scalingOf, outputs = () => noOutputs } = deps;
  const { takeover = () => noTakeovers, peers = () => aloneAnswer } = deps;
  const register = new Register();
  collectDefaultMetrics({ register });
  for (const name of misnamedDefaults) register.removeSingleMetric(name);
  gauge(register, 'herald_relay_form').set({ form: deps.relayForm }, 1);
  gauge(register, 'herald_build_info').set({ version: deps.version }, 1);
  const refusals = counter(register, 'herald_refusals_total');
  const reports = counter(register, 'herald_reports_total');
  const reloads = counter(register, 'herald_policy_reloads_total');
  const stateWrites = counter(register, 'herald_state_writes_total');
  const turnedAway = counter(register, 'herald_connections_turned_away_total');
  const expiries = gauge(register, 'herald_certificate_expires_timestamp_seconds');
  const relayEnds = counter(register, 'herald_relay_ends_total');
  const relayEndReason = boundedLabel(maxRelayEndReasons);
  let scraping: Promise<string> | undefined;
  const render = async () => {
    const scalings = scalingOf === undefined ? [] : [...pools.keys()].map(scalingOf);
    const pages = [
      poolPage(pools.values(), clock.nowMs()),
      controlPage(pools.keys(), control()),
      scalePage(scalings),
      outputPage(outputs()),
      takeoverPage(takeover()),
      peerPage(peers()),
    ];
    return [...pages, await register.metrics()].join('\n');
  };
  return {
    async scrape() {
      scraping ??= render().finally(() => {
        scraping = undefined;
      });
      return { contentType: register.contentType, text: await scraping };
    },
    countRefusal: (pool, code) => refusals.inc({ pool: pools.has(pool) ? pool : '', code }),
    countReport: (outcome) => reports.inc({ outcome }),
    countReload: (outcome) => reloads.inc({ outcome }),
    countStateWrite: (outcome) => stateWrites.inc({ outcome }),
    countTurnedAway: (listener, reason) => turnedAway.inc({ listener, reason }),
    setCertificates(certificates) {
      expiries.reset();
      for (const { listener, certificate, expiresMs } of certificates)
        expiries.set({ listener, certificate }, expiresMs / 1000);
    },
    countRelayEnd: (reason) => relayEnds.inc({ reason: relayEndReason(reason) }),
  };
}

function gauge(register: Register, name: keyof typeof processMetrics): Gauge {
  return new Gauge(optionsOf(register, name));
}

function counter(register: Register, name: keyof typeof processMetrics): Counter {
  return new Counter(optionsOf(register, name));
}

function optionsOf(register: Register, name: keyof typeof processMetrics) {
  const { help, labels } = processMetrics[name];
  return { name, help, labelNames: [...labels], registers: [register] };
}
