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
import type { Out } from '../../core/returns.ts';
import type { Rng } from '../../core/rng.ts';
import type { DataPlane } from '../state/ports.ts';
import type { Registry } from '../state/registry.ts';
import type { OrderLedger } from './fleet/order-ledger.ts';
import { nothingDone, type OthersDone } from './fleet/parts.ts';
import type { RebalanceFleet } from './fleet/rebalance-fleet.ts';
import type { Freezes } from './freezes.ts';
import type { Operations } from './operations.ts';
import type { EventFeed } from './ports.ts';
import type { PoolState } from '../state/pool-state.ts';
import type { Operation, RebalanceRequest } from '../../protocol/operations.ts';
import { markShedding } from './movable.ts';
import { adviceEvent, operationEvent, RebalanceAdvice } from './rebalance-events.ts';
import { lookAt, ruleFor } from './rebalance-look.ts';
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
  /** The other balancers; undefined where there are none. */
  readonly fleet: () => (RebalanceFleet & WholeOperations) | undefined;
}

/** Operations of all balancers. */
interface WholeOperations {
  othersOf(operation: string): OthersDone;
  get(id: string): Operation;
}

// Nobody hurries: a message that is under way may end, and a client has time to answer.
const goodbyeWithinMs = 30_000;

/** The rebalancing of one pool, from tick to tick. */
export class PoolRebalance {
  readonly #parts: RebalanceParts;
  #state = restingRebalancer;
  #operation: RebalanceOperation | undefined;
  /** Of the run under way, where there are other balancers. */
  #ledger: OrderLedger | undefined;
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
    const { freezes, rng } = this.#parts;
    const isFrozen = freezes.isFrozen(pool.name);
    const leads = this.#leads;
    // Among several, whoever begins to lead may begin a run of its own: two of one pool would shed the same excess twice.
    const isAlone = this.#parts.fleet() === undefined;
    const isAutomatic = this.#operation?.isAutomatic === true;
    if ((isFrozen && isAutomatic) || (!leads && (isAutomatic || !isAlone)))
      this.cancel(pool, isFrozen && isAutomatic ? 'the pool was frozen' : 'this balancer leads no more');
    // What an operator asked of this balancer goes on, whoever leads.
    const frozen = isFrozen || (!leads && this.#operation === undefined);
    const view = this.#look(pool, true);
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

  /** Whether a run would have nothing to do. */
  isLevel(pool: PoolState): boolean {
    return isLevel(this.#look(pool), pool.policy.rebalance);
  }

  /** Begins a run for an operator, under this id if there is one; undefined when the pool is level. */
  begin(
    pool: PoolState,
    request: RebalanceRequest,
    asker: { readonly by: string; readonly id?: string },
  ): RebalanceOperation | undefined {
    const view = this.#look(pool);
    if (isLevel(view, pool.policy.rebalance)) return undefined;
    this.#ratePerSecond = request.ratePerSecond;
    const options = { rule: this.#ruleOf(pool), rng: this.#parts.rng, begin: true };
    const tick = tickRebalancer(this.#state, view, options);
    this.#state = tick.state;
    const operation = this.#begin(pool, view, { ...asker, why: request.why ?? '' });
    this.#apply(pool, tick);
    return operation;
  }

  /** Ends the run under way. */
  cancel(pool: PoolState | undefined, reason: string): void {
    this.#state = stopRebalancer(this.#state);
    this.#operation?.finishCancelled(reason);
    if (pool !== undefined) this.#mark(pool, new Set());
    this.#close();
  }

  get #leads(): boolean {
    return this.#parts.fleet()?.leads ?? this.#parts.isLeader();
  }

  #look(pool: PoolState, isTick = false): RunView {
    const run = { owner: this.#state.run?.owner, operation: this.#operation, ledger: this.#ledger };
    return lookAt(pool, this.#parts, run, isTick);
  }

  #ruleOf(pool: PoolState): RebalanceRule {
    return ruleFor(pool, this.#ratePerSecond);
  }

  #forecastOf(pool: PoolState, { nodes, connectionsOf, others }: RunView): RebalanceForecast {
    const { rebalance } = pool.policy;
    return forecastRebalance(nodes, connectionsOf, {
      settle: settleOf(rebalance),
      choose: rebalance.choose,
      rng: this.#parts.rng,
      others,
    });
  }

  #begin(
    pool: PoolState,
    view: RunView,
    { by, why, id }: { by: string; why: string; id?: string },
  ): RebalanceOperation {
    const { operations, clock, fleet } = this.#parts;
    const { moves, predicted } = this.#forecastOf(pool, view);
    const operation = new RebalanceOperation({
      id: id ?? operations.newId('rebalance'),
      pool: pool.name,
      by,
      why,
      ratePerSecond: this.#ruleOf(pool).ratePerSecond,
      planned: moves.reduce((sum, { connections }) => sum + connections, 0),
      before: shownImbalance(pool, view.nowMs),
      predicted,
      wallMs: () => clock.wallMs(),
      othersOf: (operation) => fleet()?.othersOf(operation) ?? nothingDone,
      cancel: (reason) => this.cancel(pool, reason),
    });
    this.#operation = operation;
    this.#ledger = fleet()?.openLedger(pool.name, operation.id);
    operations.add(operation);
    this.#tell('operation.started', operation);
    return operation;
  }

  #apply(pool: PoolState, { sheds, orders, out, shedding, end }: RebalanceTick): void {
    this.#mark(pool, shedding);
    if (orders.length > 0)
      this.#ledger?.give(orders, {
        withinMs: goodbyeWithinMs,
        ratePerSecond: this.#ruleOf(pool).ratePerSecond,
        isAutomatic: this.#operation?.isAutomatic === true,
      });
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

  /** Nodes that take nothing now: by the run here, or by that of another balancer. */
  #mark(pool: PoolState, shedding: ReadonlySet<string>): void {
    if (this.#operation !== undefined) this.#operation.shedding = [...shedding];
    const elsewhere = this.#parts.fleet()?.sheddingIn(pool.name) ?? [];
    markShedding(pool, new Set([...shedding, ...elsewhere]));
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
    this.#ledger = undefined;
    this.#ratePerSecond = undefined;
    if (operation === undefined) return;
    this.#parts.fleet()?.closeLedger(operation.id);
    this.#parts.operations.end(operation);
    this.#tell('operation.ended', operation);
  }

  #tell(type: 'operation.started' | 'operation.ended', operation: RebalanceOperation): void {
    const { fleet, tell } = this.#parts;
    tell(operationEvent(type, fleet()?.get(operation.id) ?? operation.view()));
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
