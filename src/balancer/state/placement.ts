// The whole decision for one connection: snapshot, eligible, pick, lease.
import type { Assessment } from '../../core/assess.ts';
import type { IneligibleReason } from '../../core/eligibility.ts';
import type { Clock } from '../../core/clock.ts';
import type { Policy } from '../../policy/policy.ts';
import { NodeLease, type LeaseOwner } from './node-lease.ts';
import type { NodeRecord } from './node-record.ts';
import type { Notify } from './notice.ts';
import type { PoolState } from './pool-state.ts';
import type { DialFailure, PlaceRequest, PlaceResult, Placement, Refusal } from './ports.ts';

/** Makes the placement over the pools of a registry. */
export function createPlacement(deps: {
  pools: ReadonlyMap<string, PoolState>;
  clock: Clock;
  notify: Notify;
}): Placement {
  const { pools, clock, notify } = deps;
  const owner: LeaseOwner = {
    nowMs: () => clock.nowMs(),
    failed: (pool, node, reason) => countFailure({ pool, node, reason, nowMs: clock.nowMs(), notify }),
  };
  return {
    policyOf: (pool) => pools.get(pool)?.policy,
    place(request) {
      const pool = pools.get(request.pool);
      if (pool === undefined) return refuse('HERALD_POOL_UNKNOWN', () => `no pool '${request.pool}'`);
      // A retry is the same connection: counted again, failing nodes would look like a storm of clients.
      if (request.excluded.size === 0) pool.arrivals.count();
      const assessment = pool.assessment(clock.nowMs());
      const index = chooseNode(pool, assessment, request);
      const record = pool.nodes.get(assessment.snapshot.nodes[index]?.id ?? '');
      if (record === undefined)
        return refuse('HERALD_NO_NODE', () => whyNone(pool.name, assessment, request));
      return { placed: true, lease: new NodeLease(owner, pool, record) };
    },
  };
}

function chooseNode(pool: PoolState, assessment: Assessment, request: PlaceRequest): number {
  const { nodes } = assessment.snapshot;
  const exclude = (index: number) => {
    const node = nodes[index];
    // Room is looked at live: it can run out between two assessments.
    return (
      node === undefined || request.excluded.has(node.id) || node.counters.connections >= node.maxConnections
    );
  };
  const kept = affinityIndex(pool.policy, assessment, request);
  if (kept !== -1 && assessment.ineligible[kept] === undefined && !exclude(kept)) return kept;
  return pool.picker(assessment, exclude);
}

// By what the node reports, not by its score: that predicts, and before anything is learned a few requests at
// a time seem to fill a node. A session whose polls yield in its middle is lost.
function affinityIndex({ affinity }: Policy, assessment: Assessment, request: PlaceRequest): number {
  if (affinity.kind === 'none' || request.affinityNode === '') return -1;
  const { nodes } = assessment.snapshot;
  const index = nodes.findIndex(({ id }) => id === request.affinityNode);
  const isKnown = assessment.states[index] === 'valid';
  const utilization = isKnown ? (nodes[index]?.load?.utilization ?? 0) : 0;
  return utilization <= affinity.yieldAt ? index : -1;
}

// The message is made when it is read: it looks at every node, and refusals come by the thousand when no node has
// room, to clients that are told the code alone.
function refuse(code: Refusal['code'], message: () => string): PlaceResult {
  const refusal: Refusal = {
    code,
    get message() {
      return message();
    },
  };
  return { placed: false, refusal };
}

function whyNone(pool: string, assessment: Assessment, { excluded }: PlaceRequest): string {
  const counts = new Map<IneligibleReason, number>();
  assessment.snapshot.nodes.forEach((node, index) => {
    const reason = assessment.ineligible[index] ?? (excluded.has(node.id) ? 'excluded' : 'full');
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  });
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ');
  return `no node of pool '${pool}' may take a connection: ${reasons === '' ? 'it has no nodes' : reasons}`;
}

/** Ejects a node that fails too often, if the pool can spare it. */
function countFailure(failure: {
  pool: PoolState;
  node: NodeRecord;
  reason: DialFailure;
  nowMs: number;
  notify: Notify;
}): void {
  const { pool, node, reason, nowMs, notify } = failure;
  if (reason === 'local') return;
  const rule = pool.policy.health.passive;
  if (!node.passive.fail(nowMs, rule)) return;
  const others = [...pool.nodes.values()].filter((each) => each.passive.isEjected(nowMs)).length;
  const facts = {
    pool: pool.name,
    node: node.identity.id,
    reason,
    errors: rule.errors,
    ejectMs: rule.ejectMs,
  };
  if (others + 1 > rule.maxEjected * pool.nodes.size) {
    node.passive.spare(nowMs + rule.windowMs);
    notify('node not ejected: too many are already', { ...facts, ejected: others });
    return;
  }
  node.passive.eject(nowMs + rule.ejectMs);
  pool.discardAssessment();
  notify('node ejected', facts);
}
