// Reads the pools at scrape time, so that no message, placement or report pays for metrics.
import type { Counter, Gauge } from 'prom-client';
import type { Assessment } from '../../core/assess.ts';
import { imbalanceOf } from '../../core/imbalance.ts';
import { builtinSignals, isBuiltinSignal } from '../../core/signal.ts';
import type { NodeView } from '../../core/snapshot.ts';
import type { PoolState } from '../state/pool-state.ts';
import { nodeStates, type metricCatalogue } from './catalogue.ts';

type Catalogue = typeof metricCatalogue;
type NameOf<Type> = {
  [Name in keyof Catalogue]: Catalogue[Name]['type'] extends Type ? Name : never;
}[keyof Catalogue];

/** The metrics of the catalogue by name. */
export interface Meter {
  readonly gauges: Readonly<Record<NameOf<'gauge'>, Gauge>>;
  readonly counters: Readonly<Record<NameOf<'counter'>, Counter>>;
}

const observedGauges = [
  'herald_node_score',
  'herald_node_share',
  'herald_node_utilization',
  'herald_node_signal',
  'herald_node_report_age_seconds',
  'herald_node_state',
  'herald_connections',
  'herald_imbalance_ratio',
  'herald_pool_panic',
] as const satisfies readonly NameOf<'gauge'>[];

const observedCounters = [
  'herald_placements_total',
  'herald_node_failures_total',
  'herald_messages_total',
  'herald_bytes_total',
  'herald_pool_panics_total',
] as const satisfies readonly NameOf<'counter'>[];

/**
 * Sets every metric that follows pools and nodes. What is gone since the last time goes from the register,
 * too. Runs without a pause, so a scrape never sees half of it.
 */
export function observePools(meter: Meter, pools: Iterable<PoolState>, nowMs: number): void {
  for (const name of observedGauges) meter.gauges[name].reset();
  for (const name of observedCounters) meter.counters[name].reset();
  for (const pool of pools) {
    const assessment = pool.assessment(nowMs);
    observePool(meter, pool, assessment);
    assessment.snapshot.nodes.forEach((_, index) => observeNode(meter, { pool, assessment, index, nowMs }));
  }
}

function observePool({ gauges, counters }: Meter, pool: PoolState, assessment: Assessment): void {
  const labels = { pool: pool.name };
  const { ratio } = imbalanceOf(assessment);
  if (ratio !== undefined) gauges.herald_imbalance_ratio.set(labels, ratio);
  gauges.herald_pool_panic.set(labels, assessment.panic ? 1 : 0);
  counters.herald_pool_panics_total.inc(labels, pool.panicsTotal);
}

interface Observed {
  readonly pool: PoolState;
  readonly assessment: Assessment;
  readonly index: number;
  readonly nowMs: number;
}

function observeNode(meter: Meter, observed: Observed): void {
  const { pool, assessment, index, nowMs } = observed;
  const node = assessment.snapshot.nodes[index];
  if (node === undefined) return;
  const { gauges } = meter;
  const labels = { pool: pool.name, node: node.id };
  setFinite(gauges.herald_node_score, labels, assessment.score[index]);
  setFinite(gauges.herald_node_share, labels, assessment.share[index]);
  const now = assessment.ineligible[index] ?? 'eligible';
  for (const state of nodeStates) gauges.herald_node_state.set({ ...labels, state }, state === now ? 1 : 0);
  observeLoad(meter, { ...observed, nowMs }, { node, labels });
  observeCounts(meter, node, labels);
}

interface NodeLabels {
  readonly pool: string;
  readonly node: string;
}

function observeLoad(
  { gauges }: Meter,
  { pool, nowMs }: Observed,
  { node, labels }: { node: NodeView; labels: NodeLabels },
): void {
  const { load } = node;
  if (load === undefined) return;
  setFinite(gauges.herald_node_utilization, labels, load.utilization);
  gauges.herald_node_report_age_seconds.set({ ...labels }, Math.max(0, nowMs - load.sampledAtMs) / 1000);
  // Only what the policy names: an agent could report other custom names every second.
  for (const { name } of pool.policy.signals) {
    const value = load.signals[name];
    if (value !== undefined)
      gauges.herald_node_signal.set({ ...labels, signal: name }, inBaseUnit(name, value));
  }
}

function observeCounts(
  { gauges, counters }: Meter,
  { counters: counts }: NodeView,
  labels: NodeLabels,
): void {
  gauges.herald_connections.set({ ...labels, kind: 'open' }, counts.open);
  gauges.herald_connections.set({ ...labels, kind: 'dialling' }, counts.dialling);
  counters.herald_placements_total.inc({ ...labels }, counts.placedTotal);
  counters.herald_node_failures_total.inc({ ...labels }, counts.failedTotal);
  counters.herald_messages_total.inc({ ...labels, direction: 'toNode' }, counts.messagesToNodeTotal);
  counters.herald_messages_total.inc({ ...labels, direction: 'toClient' }, counts.messagesToClientTotal);
  counters.herald_bytes_total.inc({ ...labels, direction: 'toNode' }, counts.bytesToNodeTotal);
  counters.herald_bytes_total.inc({ ...labels, direction: 'toClient' }, counts.bytesToClientTotal);
}

/** Prometheus counts time in seconds. */
function inBaseUnit(signal: string, value: number): number {
  const isMs = isBuiltinSignal(signal) && builtinSignals[signal].unit === 'milliseconds';
  return isMs ? value / 1000 : value;
}

function setFinite(gauge: Gauge, labels: NodeLabels, value: number | undefined): void {
  if (value !== undefined && Number.isFinite(value)) gauge.set({ ...labels }, value);
}
