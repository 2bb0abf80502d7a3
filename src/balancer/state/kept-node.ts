// The node that a client belongs to, by its cookie or by the hash of what it says, and why it went elsewhere.
import type { Assessment } from '../../core/assess.ts';
import type { IneligibleReason } from '../../core/eligibility.ts';
import { isWithinBound } from '../../core/pick/rendezvous.ts';
import type { NodeView } from '../../core/snapshot.ts';
import type { PoolState } from './pool-state.ts';
import type { PlaceRequest } from './ports.ts';

/**
 * What came of affinity for one connection: `kept`, or what it yielded to. `load`: the node reports more than
 * `yieldAt`; `bound`: it has more connections than `bound` allows.
 */
export const affinityOutcomes = [
  'kept',
  'drain',
  'maint',
  'down',
  'full',
  'shedding',
  'load',
  'bound',
] as const;

export type AffinityOutcome = (typeof affinityOutcomes)[number];

type YieldReason = Exclude<AffinityOutcome, 'kept'> | 'excluded';

/**
 * The node that keeps its client: known, eligible, with room, not above `yieldAt` and, for hashes, within `bound`; -1
 * when there is none. A hashed client whose own node yields belongs to the next one of its key.
 */
export function keptIndex(pool: PoolState, assessment: Assessment, request: PlaceRequest): number {
  const home = homeIndex(pool, assessment, request);
  if (home === -1) return -1;
  const whyNot = yieldReasons(pool, assessment, request);
  if (whyNot(home) === undefined) return home;
  const { affinity } = pool.policy;
  const { affinityKey } = request;
  if (affinity.kind === 'none' || affinity.kind === 'cookie' || affinityKey === undefined) return -1;
  return pool.rendezvous(assessment.snapshot.nodes, affinityKey, (index) => whyNot(index) === undefined);
}

/** What to count for a first attempt that got `chosen`; undefined for a client without a node of its own. */
export function affinityOutcome(
  pool: PoolState,
  assessment: Assessment,
  request: PlaceRequest,
  chosen: number,
): AffinityOutcome | undefined {
  if (request.excluded.size > 0) return undefined;
  const home = homeIndex(pool, assessment, request);
  if (home === -1) return undefined;
  if (home === chosen) return 'kept';
  const reason = yieldReasons(pool, assessment, request)(home);
  return reason === 'excluded' ? undefined : reason;
}

/** Where the client belongs, whether or not that node may take it; -1 when nothing says so. */
function homeIndex(
  pool: PoolState,
  assessment: Assessment,
  { affinityNode, affinityKey }: PlaceRequest,
): number {
  const { affinity } = pool.policy;
  const { nodes } = assessment.snapshot;
  if (affinity.kind === 'none') return -1;
  if (affinity.kind === 'cookie') return affinityNode === '' ? -1 : pool.order.indexOf(affinityNode);
  return affinityKey === undefined ? -1 : pool.rendezvous(nodes, affinityKey);
}

function yieldReasons(
  pool: PoolState,
  assessment: Assessment,
  request: PlaceRequest,
): (index: number) => YieldReason | IneligibleReason | undefined {
  const { affinity } = pool.policy;
  const yieldAt = affinity.kind === 'none' ? 0 : affinity.yieldAt;
  return (index) => {
    const reason = assessment.ineligible[index];
    if (reason !== undefined) return reason;
    const node = assessment.snapshot.nodes[index];
    if (node === undefined || request.excluded.has(node.id)) return 'excluded';
    // Room is looked at live: it can run out between two assessments.
    if (node.counters.connections >= node.maxConnections) return 'full';
    if (reportedUtilization(assessment, index) > yieldAt) return 'load';
    return isWithin(pool, assessment, request, node) ? undefined : 'bound';
  };
}

// By what the node reports, not by its score: that predicts, and before anything is learned a few requests at
// a time seem to fill a node. A session whose polls yield in its middle is lost.
function reportedUtilization({ snapshot, states }: Assessment, index: number): number {
  return states[index] === 'valid' ? (snapshot.nodes[index]?.load?.utilization ?? 0) : 0;
}

/** Whether the node may take one more by the rule's bound. Requests always go on: they belong to sessions. */
function isWithin(
  pool: PoolState,
  assessment: Assessment,
  request: PlaceRequest,
  { counters, capacity = 1 }: NodeView,
): boolean {
  const { affinity } = pool.policy;
  if (affinity.kind === 'none' || affinity.kind === 'cookie') return true;
  if (request.kind === 'request' || affinity.bound === Infinity) return true;
  const all = pool.sumOfEligible(assessment, pool.gained);
  return isWithinBound({ connections: counters.connections, capacity }, all, affinity.bound);
}
