// What a rebalance of one pool stands on at one instant: its rule, and the view with what other balancers carry and have
// shed for it.
import { nothingOrdered } from '../../core/rebalance/others.ts';
import type { RebalanceRule } from '../../core/rebalance/rebalancer.ts';
import type { RunView } from '../../core/rebalance/run.ts';
import { rebalanceRuleOf } from '../../core/rebalance/view.ts';
import type { PoolState } from '../state/pool-state.ts';
import type { OrderLedger } from './fleet/order-ledger.ts';
import { viewOf } from './movable.ts';
import type { RebalanceParts } from './pool-rebalance.ts';
import type { RebalanceOperation } from './rebalance-operation.ts';

// A pool of a hundred connections at 0.1 %/s would wait ten seconds for each.
const leastRatePerSecond = 0.2;

/** The run under way, as far as there is one. */
export interface RunUnderWay {
  /** By which the estimate of returns knows it. */
  readonly owner: string | undefined;
  readonly operation: RebalanceOperation | undefined;
  readonly ledger: OrderLedger | undefined;
}

/** A pool's rule, at the operator's rate or by the connections of all balancers. */
export function ruleFor(
  { policy, table, nodes }: PoolState,
  ratePerSecond: number | undefined,
): RebalanceRule {
  let size = table.size;
  for (const { counters } of nodes.values()) size += counters.peers.connections;
  const usual = Math.max(leastRatePerSecond, policy.rebalance.ratePerSecond * size);
  return rebalanceRuleOf(policy, ratePerSecond ?? usual);
}

/** A pool now. `isTick`: of the run, which hears of what others have shed since the last one; a forecast leaves it be. */
export function lookAt(pool: PoolState, parts: RebalanceParts, run: RunUnderWay, isTick: boolean): RunView {
  const { clock, dataPlane, shedder, fleet } = parts;
  const { operation, ledger } = run;
  const nowMs = clock.nowMs();
  const view = viewOf(pool, dataPlane, { nowMs, ledger });
  const sharesOf = fleet()?.sharesIn(pool, nowMs);
  const taken = isTick && sharesOf !== undefined ? ledger?.take(sharesOf) : undefined;
  const others = sharesOf && (taken ?? { ...nothingOrdered, sharesOf });
  if (others !== undefined) noteTold(pool, { ...view, others }, parts, run);
  const { out } = shedder.returns(pool.name).estimate;
  const { returned = 0, lost = 0 } = operation?.returns ?? {};
  return { ...view, returns: { out, returned, lost }, ...(others && { others }) };
}

/** What others have shed for this run is on its way like what was shed here. */
function noteTold(
  pool: PoolState,
  { nodes, nowMs, others }: RunView,
  { shedder }: RebalanceParts,
  { owner, operation }: RunUnderWay,
): void {
  if (owner === undefined || operation === undefined) return;
  for (const { node: nodeId, connections: count, utilization } of others?.told ?? []) {
    const slope = nodes.find(({ id }) => id === nodeId)?.slope ?? NaN;
    const work = slope > 0 ? utilization / slope / count : 1;
    operation.askedElsewhere(nodeId);
    shedder.returns(pool.name).shed([{ owner, atMs: nowMs, nodeId, count, work }], operation);
  }
}
