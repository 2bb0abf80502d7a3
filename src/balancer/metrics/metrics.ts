// Prometheus, behind this one room: everybody else counts through the functions of `Metrics`.
import { collectDefaultMetrics, Registry as Register } from 'prom-client';
import type { Clock } from '../../core/clock.ts';
import type { ErrorCode } from '../../core/error.ts';
import { aloneAnswer, type PeersAnswer } from '../../protocol/peering.ts';
import type { WorkerDetail } from '../../protocol/workers.ts';
import type { Scaling } from '../../protocol/scaling.ts';
import type { ControlFigures } from '../control/control.ts';
import type { PoolState } from '../state/pool-state.ts';
import { boundedLabel } from './bounded-label.ts';
import type { CountedSeries } from '../../protocol/workers.ts';
import type { RelayForms } from '../state/ports.ts';
import { Counters } from './counters.ts';
import { createExposition, labelText } from './exposition.ts';
import { processMetrics } from './process-metrics.ts';
import { controlPage, noFigures } from './control-page.ts';
import { noOutputs, outputPage, type OutputFigures } from './output-metrics.ts';
import { peerPage } from './peer-metrics.ts';
import { poolPage } from './pool-page.ts';
import { scalePage } from './scale-page.ts';
import { workerPage } from './worker-metrics.ts';
import { noTakeovers, takeoverPage, type TakeoverFigures } from './takeover-metrics.ts';

/** What came of a reload of configuration or policies. */
type ReloadOutcome = 'replaced' | 'unchanged' | 'refused';

/** Where the edges and the relay count. */
export interface Counts {
  /** A client was answered in place of a node; '' or an unknown pool counts as ''. */
  countRefusal(pool: string, code: ErrorCode): void;
  countReport(outcome: 'accepted' | ErrorCode): void;
  countReload(outcome: ReloadOutcome): void;
  /** The state file was written, or could not be. */
  countStateWrite(outcome: 'written' | 'failed'): void;
  /** A client was closed before it could ask anything. Reasons are a fixed few. */
  countTurnedAway(listener: string, reason: string): void;
  /** A relay ended. Reasons are a fixed few; past thirty-two different ones the rest counts as `other`. */
  countRelayEnd(reason: string): void;
  /** A connection was not accepted; codes are the system's few. */
  countAcceptFailure(code: string): void;
  /** A dial failed for want of something of our own; codes are a fixed few. */
  countLocalDialFailure(code: string): void;
  /** A client was cut off within an answer of which it took nothing. */
  countStalledAnswer(pool: string): void;
}

/** Counts for the edges, text for the scraper. */
export interface Metrics extends Counts {
  /** What Prometheus reads. Scrapes at the same time share one text. */
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** Adds what a worker has counted; a process that begins anew has another name. */
  absorb(process: string, series: readonly CountedSeries[]): void;
  /** Takes the place of what was told before. */
  setCertificates(certificates: readonly CertificateFigure[]): void;
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
  /** That the relay runs in. */
  readonly relayForms: () => RelayForms;
  /** Bytes that wait for slow clients; absent: there are no relays. */
  readonly waitingBytes?: () => number;
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
  /** Processes that relay; absent: there are none. */
  readonly workers?: () => readonly WorkerDetail[];
}): Metrics {
  const { pools, clock, control = () => noFigures, scalingOf, outputs = () => noOutputs } = deps;
  const { takeover = () => noTakeovers, peers = () => aloneAnswer, workers = () => [] } = deps;
  const register = new Register();
  collectDefaultMetrics({ register });
  for (const name of misnamedDefaults) register.removeSingleMetric(name);
  const counters = new Counters(processMetrics);
  let inUse: readonly CertificateFigure[] = [];
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
      workerPage(workers()),
      processPage(counters, { ...deps, certificates: inUse }),
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
    absorb: (process, series) => counters.absorb(process, series),
    setCertificates: (certificates) => (inUse = certificates),
    ...countsIn(counters, pools),
  };
}

/** Counts of a process that nobody scrapes: a worker tells them to the main process. */
export function createCounts(pools: ReadonlyMap<string, unknown>): Counts & {
  series(): readonly CountedSeries[];
} {
  const counters = new Counters(processMetrics);
  return { ...countsIn(counters, pools), series: () => counters.series() };
}

function countsIn(
  counters: Counters<keyof typeof processMetrics>,
  pools: ReadonlyMap<string, unknown>,
): Counts {
  const refusals = counters.counter('herald_refusals_total');
  const reports = counters.counter('herald_reports_total');
  const reloads = counters.counter('herald_policy_reloads_total');
  const stateWrites = counters.counter('herald_state_writes_total');
  const turnedAway = counters.counter('herald_connections_turned_away_total');
  const relayEnds = counters.counter('herald_relay_ends_total');
  const acceptFailures = counters.counter('herald_accept_failures_total');
  const localDialFailures = counters.counter('herald_local_dial_failures_total');
  const stalledAnswers = counters.counter('herald_stalled_answers_total');
  const relayEndReason = boundedLabel(maxRelayEndReasons);
  return {
    countRefusal: (pool, code) => refusals.inc({ pool: pools.has(pool) ? pool : '', code }),
    countReport: (outcome) => reports.inc({ outcome }),
    countReload: (outcome) => reloads.inc({ outcome }),
    countStateWrite: (outcome) => stateWrites.inc({ outcome }),
    countAcceptFailure: (code) => acceptFailures.inc({ code }),
    countLocalDialFailure: (code) => localDialFailures.inc({ code }),
    countStalledAnswer: (pool) => stalledAnswers.inc({ pool: pools.has(pool) ? pool : '' }),
    countTurnedAway: (listener, reason) => turnedAway.inc({ listener, reason }),
    countRelayEnd: (reason) => relayEnds.inc({ reason: relayEndReason(reason) }),
  };
}

function processPage(
  counters: Counters<keyof typeof processMetrics>,
  about: {
    readonly relayForms: () => RelayForms;
    readonly waitingBytes?: () => number;
    readonly version: string;
    readonly certificates: readonly CertificateFigure[];
  },
): string {
  const { relayForms, waitingBytes, version, certificates } = about;
  const page = createExposition(processMetrics);
  counters.addTo(page);
  for (const { listener, certificate, expiresMs } of certificates)
    page.add(
      'herald_certificate_expires_timestamp_seconds',
      labelText({ listener, certificate }),
      expiresMs / 1000,
    );
  page.add('herald_relay_waiting_bytes', '', waitingBytes?.() ?? 0);
  page.add('herald_relay_form', labelText({ ...relayForms() }), 1);
  page.add('herald_build_info', labelText({ version }), 1);
  return page.text();
}
