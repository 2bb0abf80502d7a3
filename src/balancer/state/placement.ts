// The whole decision for one connection: snapshot, eligible, admitted, pick, lease; or wait, or a refusal.
import type { Assessment } from '../../core/assess.ts';
import type { IneligibleReason } from '../../core/eligibility.ts';
import type { Clock } from '../../core/clock.ts';
import { chooseAdmitted, chooseAny, noNode, prospectOf } from './choose-node.ts';
import { affinityOutcome, keptIndex } from './kept-node.ts';
import { NodeLease, type LeaseOwner } from './node-lease.ts';
import type { NodeRecord } from './node-record.ts';
import type { Notify } from './notice.ts';
import type { PoolState } from './pool-state.ts';
import type { DialFailure, PlaceRequest, PlaceResult, Placement, Refusal, Waiter, Waits } from './ports.ts';
import { WaitingRoom } from './waiting-room.ts';

/** A placement with a lifetime. */
export interface RunningPlacement extends Placement {
  /** Refuses everybody who waits; from now on nobody waits. Idempotent. */
  close(): void;
}

/** Makes the placement over the pools of a registry. */
export function createPlacement(deps: {
  pools: ReadonlyMap<string, PoolState>;
  clock: Clock;
  notify: Notify;
}): RunningPlacement {
  const { pools, clock, notify } = deps;
  const owner: LeaseOwner = {
    nowMs: () => clock.nowMs(),
    failed: (pool, node, reason) => countFailure({ pool, node, reason, nowMs: clock.nowMs(), notify }),
  };

  function leaseOn(chosen: { pool: PoolState; request: PlaceRequest; index: number; nowMs: number }) {
    const { pool, request, index, nowMs } = chosen;
    const assessment = pool.assessment(nowMs);
    const record = pool.nodes.get(assessment.snapshot.nodes[index]?.id ?? '');
    if (record === undefined) return undefined;
    const affinity = affinityOutcome(pool, assessment, request, index);
    if (affinity !== undefined) pool.affinities[affinity] += 1;
    return new NodeLease(owner, pool, { record, affinity });
  }

  const waitingRoom = new WaitingRoom({ pools, clock, lease: leaseOn });

  function place(request: PlaceRequest): PlaceResult;
  function place(request: PlaceRequest, waiter: Waiter): PlaceResult | Waits;
  function place(request: PlaceRequest, waiter?: Waiter): PlaceResult | Waits {
    const pool = pools.get(request.pool);
    if (pool === undefined) return refuse('HERALD_POOL_UNKNOWN', () => `no pool '${request.pool}'`);
    // A retry is the same connection: counted again, failing nodes would look like a storm of clients.
    if (request.excluded.size === 0) pool.arrivals.count();
    const { maxConnections } = pool.policy.admit;
    if (maxConnections !== 'off' && pool.connections + pool.siblingConnections >= maxConnections)
      return refuse('HERALD_POOL_FULL', () => `pool '${pool.name}' has its ${maxConnections} connections`);
    const nowMs = clock.nowMs();
    const isExempt = request.kind === 'request' && isFree(pool, request, nowMs);
    const index = isExempt
      ? chooseAny(pool, pool.assessment(nowMs), request)
      : chooseInTurn(pool, request, nowMs);
    const lease = index < 0 ? undefined : leaseOn({ pool, request, index, nowMs });
    if (lease !== undefined) return { placed: true, lease };
    const assessment = pool.assessment(nowMs);
    const prospect = isExempt ? 'none' : prospectOf(assessment, request);
    if (prospect === 'none' || (prospect === 'full' && waiter === undefined))
      return refuse('HERALD_NO_NODE', () => whyNone(pool.name, assessment, request));
    const wait = waitingRoom.enter(pool, request, waiter);
    return 'code' in wait ? { placed: false, refusal: wait } : { placed: false, wait };
  }

  return {
    place,
    policyOf: (pool) => pools.get(pool)?.policy,
    close: () => waitingRoom.close(),
  };
}

/** Who comes now stands behind those who wait. */
function chooseInTurn(pool: PoolState, request: PlaceRequest, nowMs: number): number {
  return pool.admission.queue.size > 0 ? noNode : chooseAdmitted(pool, request, nowMs);
}

/** A plain request is not counted unless the policy says so, and never where it goes on with a session. */
function isFree(pool: PoolState, request: PlaceRequest, nowMs: number): boolean {
  if (pool.policy.admit.requests === 'pass') return true;
  return keptIndex(pool, pool.assessment(nowMs), request) !== -1;
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
