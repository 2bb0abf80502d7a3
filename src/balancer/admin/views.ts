// From the state's values to the API's JSON. Pure; what is not a number there is null here.
import type { Assessment } from '../../core/assess.ts';
import { imbalanceOf } from '../../core/imbalance.ts';
import { learnedOf } from '../../core/learned.ts';
import { formatAddress } from '../../policy/address.ts';
import type { NodeCounts, NodeDetail, PoolSummary } from '../../protocol/admin-api.ts';
import type { NodeLearning } from '../../protocol/learned.ts';
import type { PoolState } from '../state/pool-state.ts';

/** A pool in one line. */
export function poolSummary(pool: PoolState, assessment: Assessment): PoolSummary {
  const { nodes } = assessment.snapshot;
  const { meanUtilization, ratio } = imbalanceOf(assessment);
  return {
    pool: pool.name,
    policy: pool.policy.name,
    picker: pool.policy.place.picker,
    basis: assessment.basis,
    panic: assessment.panic,
    nodes: nodeCounts(assessment),
    connections: {
      open: nodes.reduce((sum, { counters }) => sum + counters.open, 0),
      dialling: nodes.reduce((sum, { counters }) => sum + counters.dialling, 0),
      earlier: nodes.reduce((sum, { counters }) => sum + counters.earlierOpen, 0),
    },
    arrivalsPerSecond: assessment.snapshot.arrivalsPerSecond,
    meanUtilization: orNull(meanUtilization),
    imbalance: orNull(ratio),
    learned: learnedOf(assessment, pool.policy.signals).pool,
  };
}

function nodeCounts({ ineligible }: Assessment): NodeCounts {
  const counts = { total: ineligible.length, eligible: 0, drain: 0, maint: 0, down: 0, full: 0, shedding: 0 };
  for (const reason of ineligible) {
    // `excluded` belongs to one connection, never to an assessment.
    if (reason !== 'excluded') counts[reason ?? 'eligible'] += 1;
  }
  return counts;
}

/** Every node of a pool, in order of registration. */
export function nodeDetails(pool: PoolState, assessment: Assessment, nowMs: number): NodeDetail[] {
  const learned = learnedOf(assessment, pool.policy.signals);
  return learned.nodes.flatMap((each, index) => {
    const detail = detailOf(pool, { assessment, index, learned: each, nowMs });
    return detail === undefined ? [] : [detail];
  });
}

/** One node of a pool; undefined when the assessment does not have it. */
export function nodeDetail(
  pool: PoolState,
  { assessment, id, nowMs }: { assessment: Assessment; id: string; nowMs: number },
): NodeDetail | undefined {
  const index = assessment.snapshot.nodes.findIndex((each) => each.id === id);
  const learned = learnedOf(assessment, pool.policy.signals).nodes[index];
  return learned === undefined ? undefined : detailOf(pool, { assessment, index, learned, nowMs });
}

function detailOf(
  pool: PoolState,
  {
    assessment,
    index,
    learned,
    nowMs,
  }: { assessment: Assessment; index: number; learned: NodeLearning; nowMs: number },
): NodeDetail | undefined {
  const node = assessment.snapshot.nodes[index];
  if (node === undefined) return undefined;
  const { load, counters } = node;
  return {
    id: node.id,
    pool: assessment.snapshot.pool,
    address: formatAddress(node),
    zone: node.zone,
    version: node.version,
    origin: pool.nodes.get(node.id)?.origin ?? 'registered',
    adminState: node.adminState,
    health: node.health,
    healthReason: node.healthReason,
    ineligible: assessment.ineligible[index] ?? null,
    loadState: assessment.states[index] ?? 'none',
    evidence: assessment.evidence[index] ?? 'counted',
    score: orNull(assessment.score[index]),
    utilization: orNull(load?.utilization),
    bottleneck: load?.latest.bottleneck ?? '',
    distress: orNull(load?.distress),
    signals: { ...load?.signals },
    share: assessment.share[index] ?? 0,
    connections: {
      open: counters.open,
      dialling: counters.dialling,
      earlier: counters.earlierOpen,
      reported: load?.reportedConnections ?? null,
    },
    maxConnections: orNull(node.maxConnections),
    messagesPerSecond: counters.messagesPerSecond,
    reportAgeMs: load === undefined ? null : Math.max(0, nowMs - load.sampledAtMs),
    capacity: node.capacity ?? null,
    costPerMessage: learned.messageCost.value,
    slopePerConnection: learned.connectionSlope.value,
    learned,
  };
}

function orNull(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
