// Reads the pools at scrape time, so that no message, placement or report pays for metrics, and a node's series
// are gone as soon as the node is.
import { waitRanks } from '../../core/admission/wait-queue.ts';
import type { Assessment } from '../../core/assess.ts';
import { imbalanceOf } from '../../core/imbalance.ts';
import { learnedOf } from '../../core/learned.ts';
import { builtinSignals, isBuiltinSignal, type SignalRule } from '../../core/signal.ts';
import type { NodeView } from '../../core/snapshot.ts';
import type { NodeLearning, PoolLearning } from '../../protocol/learned.ts';
import type { AdmissionFigures } from '../state/admission.ts';
import type { GoodbyeCounts } from '../state/goodbye-counts.ts';
import type { PoolState } from '../state/pool-state.ts';
import { nodeStates, poolMetrics } from './pool-metrics.ts';
import { createExposition, labelText, type Exposition } from './exposition.ts';

type Page = Exposition<keyof typeof poolMetrics>;

/** The part of the page that is about pools and nodes, at one instant. */
export function poolPage(pools: Iterable<PoolState>, nowMs: number): string {
  const page = createExposition(poolMetrics);
  for (const pool of pools) {
    const assessment = pool.assessment(nowMs);
    const learned = learnedOf(assessment, pool.policy.signals);
    addPool(page, pool, assessment);
    addPoolLearning(page, labelText({ pool: pool.name }), learned.pool);
    assessment.snapshot.nodes.forEach((node, index) => {
      const labels = labelText({ pool: pool.name, node: node.id });
      addPlacing(page, labels, { assessment, index });
      addLoad(page, labels, { node, nowMs, signals: pool.policy.signals });
      addLearning(page, labels, learned.nodes[index]);
      addCounts(page, labels, node);
      addGoodbyes(page, labels, pool.nodes.get(node.id)?.goodbyes);
    });
  }
  return page.text();
}

function addPool(page: Page, pool: PoolState, assessment: Assessment): void {
  const labels = labelText({ pool: pool.name });
  page.add('herald_imbalance_ratio', labels, imbalanceOf(assessment).ratio);
  page.add('herald_pool_panic', labels, assessment.panic ? 1 : 0);
  page.add('herald_pool_panics_total', labels, pool.panicsTotal);
  if (pool.policy.affinity.kind !== 'none')
    for (const [outcome, count] of Object.entries(pool.elsewhere?.affinities ?? pool.affinities))
      page.add('herald_affinity_total', `${labels},outcome="${outcome}"`, count);
  addAdmission(page, labels, pool.elsewhere?.admission ?? pool.admission.figures());
}

function addAdmission(page: Page, labels: string, admission: AdmissionFigures): void {
  for (const rank of waitRanks)
    page.add('herald_admission_waiting', `${labels},rank="${rank}"`, admission.waiting[rank]);
  for (const [outcome, count] of Object.entries(admission.outcomes))
    page.add('herald_admission_waits_total', `${labels},outcome="${outcome}"`, count);
  page.add('herald_admission_wait_seconds_total', labels, admission.waitedMsTotal / 1000);
  page.add('herald_admission_held', labels, admission.isHeld ? 1 : 0);
  page.add('herald_admission_overfilled', labels, admission.isOverfilled ? 1 : 0);
}

function addPlacing(
  page: Page,
  labels: string,
  { assessment, index }: { assessment: Assessment; index: number },
): void {
  page.add('herald_node_score', labels, assessment.score[index]);
  page.add('herald_node_share', labels, assessment.share[index]);
  const now = assessment.ineligible[index] ?? 'eligible';
  for (const state of nodeStates)
    page.add('herald_node_state', `${labels},state="${state}"`, state === now ? 1 : 0);
}

function addLoad(
  page: Page,
  labels: string,
  { node, nowMs, signals }: { node: NodeView; nowMs: number; signals: readonly SignalRule[] },
): void {
  const { load } = node;
  if (load === undefined) return;
  page.add('herald_node_utilization', labels, load.utilization);
  page.add('herald_node_report_age_seconds', labels, Math.max(0, nowMs - load.sampledAtMs) / 1000);
  // Only what the policy names: an agent could report other custom names every second.
  for (const { name } of signals) {
    const value = load.signals[name];
    if (value === undefined) continue;
    page.add('herald_node_signal', `${labels},${labelText({ signal: name })}`, inBaseUnit(name, value));
  }
}

function addPoolLearning(page: Page, labels: string, learned: PoolLearning): void {
  page.add('herald_pool_message_cost_ratio', labels, learned.messageCost ?? NaN);
  page.add('herald_pool_connection_slope_ratio', labels, learned.connectionSlope ?? NaN);
  const idle = 'herald_pool_idle_utilization_ratio';
  page.add(idle, `${labels},by="messages"`, learned.idleByMessages ?? NaN);
  page.add(idle, `${labels},by="connections"`, learned.idleByConnections ?? NaN);
}

function addLearning(page: Page, labels: string, learned: NodeLearning | undefined): void {
  if (learned === undefined) return;
  const { messageCost, connectionSlope, autoSaturation, throughputPairs } = learned;
  page.add('herald_node_message_cost_ratio', labels, messageCost.value ?? NaN);
  page.add('herald_node_connection_slope_ratio', labels, connectionSlope.value ?? NaN);
  page.add('herald_node_auto_saturation_messages_per_second', labels, autoSaturation ?? NaN);
  const pairs = 'herald_node_learned_pairs';
  page.add(pairs, `${labels},by="messages"`, messageCost.pairs);
  page.add(pairs, `${labels},by="connections"`, connectionSlope.pairs);
  page.add(pairs, `${labels},by="throughput"`, throughputPairs);
}

function addCounts(page: Page, labels: string, { counters }: NodeView): void {
  page.add('herald_connections', `${labels},kind="open"`, counters.open);
  page.add('herald_connections', `${labels},kind="dialling"`, counters.dialling);
  page.add('herald_placements_total', labels, counters.placedTotal);
  page.add('herald_node_failures_total', labels, counters.failedTotal);
  const toNode = `${labels},direction="toNode"`;
  const toClient = `${labels},direction="toClient"`;
  page.add('herald_messages_total', toNode, counters.messagesToNodeTotal);
  page.add('herald_messages_total', toClient, counters.messagesToClientTotal);
  page.add('herald_bytes_total', toNode, counters.bytesToNodeTotal);
  page.add('herald_bytes_total', toClient, counters.bytesToClientTotal);
}

function addGoodbyes(page: Page, labels: string, goodbyes: GoodbyeCounts | undefined): void {
  for (const { kind, outcome, count } of goodbyes?.all ?? [])
    page.add('herald_goodbyes_total', `${labels},kind="${kind}",outcome="${outcome}"`, count);
}

/** Prometheus counts time in seconds. */
function inBaseUnit(signal: string, value: number): number {
  const isMs = isBuiltinSignal(signal) && builtinSignals[signal].unit === 'milliseconds';
  return isMs ? value / 1000 : value;
}
