// The rebalancing of one pool: ticks the rebalancer of core/, does what it says, tells what came of it.
import type { Clock } from '../../core/clock.ts';
import { imbalanceOf } from '../../core/imbalance.ts';
import { forecastRebalance, type RebalanceForecast } from '../../core/rebalance/forecast.ts';
import {
  isLevel,
  restingRebalancer,
  settleOf,
  stopRebalancer,
  tickRebalancer,
  type RebalanceRule,
  type RebalanceTick,
} from '../../core/rebalance/rebalancer.ts';
import type { PlannedShed } from '../../core/rebalance/plan.ts';
import type { RunView } from '../../core/rebalance/run.ts';
import { rebalanceRuleOf } from '../../core/rebalance/view.ts';
import type { Out } from '../../core/returns.ts';
import type { Rng } from '../../core/rng.ts';
import type { DataPlane } from '../state/ports.ts';
import type { Registry } from '../state/registry.ts';
import type { Freezes } from './freezes.ts';
import type { Operations } from './operations.ts';
import type { EventFeed } from './ports.ts';
import type { PoolState } from '../state/pool-state.ts';
import type { RebalanceRequest } from '../../protocol/operations.ts';
import { markShedding, viewOf } from './movable.ts';
import { adviceEvent, operationEvent, RebalanceAdvice } from './rebalance-events.ts';
import { RebalanceOperation } from './rebalance-operation.ts';
import type { Shedder } from './shedder.ts';

/** What rebalancing is made with. */
export interface RebalanceParts {
  readonly registry: Registry;
  readonly dataPlane: DataPlane;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly operations: Operations;
  readonly shedder: Shedder;
  readonly freezes: Freezes;
  readonly tell: EventFeed['tell'];
  /** Several balancers that rebalance by themselves would shed the same excess as often as there are. */
  readonly isLeader: () => boolean;
}

// Nobody hurries: a message that is under way may end, and a client has time to answer.
const goodbyeWithinMs = 30_000;
// A pool of a hundred connections at 0.1 %/s would wait ten seconds for each.
const leastRatePerSecond = 0.2;

/** The rebalancing of one pool, from tick to tick. */
export class PoolRebalance {
  readonly #parts: RebalanceParts;
  #state = restingRebalancer;
  #operation: RebalanceOperation | undefined;
  /** Of the run under way, when an operator gave one. */
  #ratePerSecond: number | undefined;
  readonly #advice = new RebalanceAdvice();

  constructor(parts: RebalanceParts) {
    this.#parts = parts;
  }

  get operation(): RebalanceOperation | undefined {
    return this.#operation;
  }

  /** One tick, about a second after the last. */
  tick(pool: PoolState): void {
    const { freezes, rng, isLeader } = this.#parts;
    const isFrozen = freezes.isFrozen(pool.name);
    const leads = isLeader();
    if ((isFrozen || !leads) && this.#operation?.isAutomatic === true)
      this.cancel(pool, isFrozen ? 'the pool was frozen' : 'this balancer leads no more');
    // What an operator asked of this balancer goes on, whoever leads.
    const frozen = isFrozen || (!leads && this.#operation === undefined);
    const view = this.#look(pool);
    const tick = tickRebalancer(this.#state, view, { rule: this.#ruleOf(pool), rng, frozen });
    this.#state = tick.state;
    if (tick.began) this.#begin(pool, view, { by: 'auto', why: `hot: ${tick.hot.join(', ')}` });
    this.#operation?.look(shownImbalance(pool, view.nowMs));
    this.#apply(pool, tick);
    if (tick.hot.length > 0 && !tick.began && leads) this.#advise(pool, view, { hot: tick.hot, frozen });
  }

  /** What a run would do now. */
  forecast(pool: PoolState): RebalanceForecast {
    return this.#forecastOf(pool, this.#look(pool));
  }

  /** Begins a run for an operator; undefined when the pool is level. */
  begin(
    pool: PoolState,
    request: RebalanceRequest,
    { by }: { readonly by: string },
  ): RebalanceOperation | undefined {
    const view = this.#look(pool);
    if (isLevel(view, pool.policy.rebalance)) return undefined;
    this.#ratePerSecond = request.ratePerSecond;
    const options = { rule: this.#ruleOf(pool), rng: this.#parts.rng, begin: true };
    const tick = tickRebalancer(this.#state, view, options);
    this.#state = tick.state;
    const operation = this.#begin(pool, view, { by, why: request.why ?? '' });
    this.#apply(pool, tick);
    return operation;
  }

  /** Ends the run under way. */
  cancel(pool: PoolState | undefined, reason: string): void {
    this.#state = stopRebalancer(this.#state);
    this.#operation?.finishCancelled(reason);
    if (pool !== undefined) markShedding(pool, new Set());
    this.#close();
  }

  #look(pool: PoolState): RunView {
    const { clock, dataPlane, shedder } = this.#parts;
    const { out } = shedder.returns(pool.name).estimate;
    const { returned = 0, lost = 0 } = this.#operation?.returns ?? {};
    return { ...viewOf(pool, dataPlane, clock.nowMs()), returns: { out, returned, lost } };
  }

  #ruleOf({ policy, table }: PoolState): RebalanceRule {
    const usual = Math.max(leastRatePerSecond, policy.rebalance.ratePerSecond * table.size);
    return rebalanceRuleOf(policy, this.#ratePerSecond ?? usual);
  }

  #forecastOf(pool: PoolState, { nodes, connectionsOf }: RunView): RebalanceForecast {
    const { rebalance } = pool.policy;
    return forecastRebalance(nodes, connectionsOf, {
      settle: settleOf(rebalance),
      choose: rebalance.choose,
      rng: this.#parts.rng,
    });
  }

  #begin(pool: PoolState, view: RunView, { by, why }: { by: string; why: string }): RebalanceOperation {
    const { operations, clock } = this.#parts;
    const { moves, predicted } = this.#forecastOf(pool, view);
    const operation = new RebalanceOperation({
      id: operations.newId('rebalance'),
      pool: pool.name,
      by,
      why,
      ratePerSecond: this.#ruleOf(pool).ratePerSecond,
      planned: moves.reduce((sum, { connections }) => sum + connections, 0),
      before: shownImbalance(pool, view.nowMs),
      predicted,
      wallMs: () => clock.wallMs(),
      cancel: (reason) => this.cancel(pool, reason),
    });
    this.#operation = operation;
    operations.add(operation);
    this.#parts.tell(operationEvent('operation.started', operation));
    return operation;
  }

  #apply(pool: PoolState, { sheds, out, shedding, end }: RebalanceTick): void {
    markShedding(pool, shedding);
    for (const shed of sheds)
      this.#shed(
        pool,
        shed,
        out.filter(({ nodeId }) => nodeId === shed.node.id),
      );
    if (end === undefined) return;
    this.#operation?.finish(end);
    this.#close();
  }

  #shed(pool: PoolState, { node, connections, rows }: PlannedShed, out: readonly Out[]): void {
    const { clock, shedder } = this.#parts;
    const operation = this.#operation;
    if (operation === undefined) return;
    operation.asked(node.id, rows.length);
    const wish = {
      pool: pool.name,
      node: node.id,
      ids: rows.map((row) => connections.id[row] ?? -1),
      byMs: clock.nowMs() + goodbyeWithinMs,
      cause: 'rebalance',
      settled: (_id, outcome) => operation.progress.settled(outcome),
      hears: operation,
      out: () => out,
    } as const satisfies Parameters<typeof shedder.shed>[0];
    shedder.shed(wish, this.#ruleOf(pool).ratePerSecond);
  }

  #close(): void {
    const operation = this.#operation;
    this.#operation = undefined;
    this.#ratePerSecond = undefined;
    if (operation === undefined) return;
    this.#parts.operations.end(operation);
    this.#parts.tell(operationEvent('operation.ended', operation));
  }

  #advise(
    pool: PoolState,
    view: RunView,
    { hot, frozen }: { readonly hot: readonly string[]; readonly frozen: boolean },
  ): void {
    const { mode } = pool.policy.rebalance;
    if (mode === 'off' || !this.#advice.isDue(view.nowMs, frozen)) return;
    const forecast = this.#forecastOf(pool, view);
    this.#parts.tell(adviceEvent(pool.name, { hot, forecast, frozen, isAutomatic: mode === 'auto' }));
  }
}

/** By the figure that status shows, so that nobody reads two: highest ÷ mean of what nodes report; NaN without. */
function shownImbalance(pool: PoolState, nowMs: number): number {
  return imbalanceOf(pool.assessment(nowMs)).ratio ?? NaN;
}
