// The rebalancing of every pool, behind the Control port.
import { HeraldError } from '../../core/error.ts';
import type { Operation, RebalanceAnswer, RebalanceRequest } from '../../protocol/operations.ts';
import type { AskWord } from '../../protocol/order-words.ts';
import type { PoolState } from '../state/pool-state.ts';
import { notBegun } from './fleet/asked-rebalance.ts';
import type { Freezes } from './freezes.ts';
import { PoolRebalance, type RebalanceParts } from './pool-rebalance.ts';
import type { Asker } from './ports.ts';
import { forecastSentence } from './rebalance-words.ts';

// Loads are reported about once a second; looking more often sees nothing new.
const everyMs = 1000;

/** Ticked with the other loops. */
export class Rebalances {
  readonly #parts: RebalanceParts;
  readonly #pools = new Map<string, PoolRebalance>();
  #tickedAtMs = -Infinity;

  constructor(parts: RebalanceParts) {
    this.#parts = parts;
  }

  /** Looks at every pool, at most once a second. */
  tick(): void {
    const { registry, clock } = this.#parts;
    const nowMs = clock.nowMs();
    if (nowMs - this.#tickedAtMs < everyMs) return;
    this.#tickedAtMs = nowMs;
    for (const [name, rebalance] of this.#pools) {
      if (registry.pools.has(name)) continue;
      rebalance.cancel(undefined, `pool '${name}' is no longer configured`);
      this.#pools.delete(name);
    }
    for (const pool of registry.pools.values()) this.#of(pool.name).tick(pool);
  }

  /** As `Control.rebalance`. */
  request(name: string, request: RebalanceRequest, asker: Asker): RebalanceAnswer {
    const pool = this.#parts.registry.pool(name);
    const rebalance = this.#of(name);
    checkRate(request);
    const forecast = rebalance.forecast(pool);
    const { moves, now, predicted } = forecast;
    const answer = {
      moves,
      imbalance: { now: orNull(now), predicted: orNull(predicted) },
      sentence: forecastSentence(name, forecast),
    };
    const refusal = this.#refusalOf(name);
    if (request.dryRun === true)
      return {
        ...answer,
        operation: null,
        refusal: refusal === undefined ? null : { code: refusal.code, message: refusal.message },
      };
    if (refusal !== undefined) throw refusal;
    return { ...answer, operation: this.#begun(pool, request, asker) ?? null, refusal: null };
  }

  /** An operator asked another balancer, which does not lead. Asked for again, it is the one that was begun. */
  asked(name: string, ask: AskWord): void {
    const { registry, operations, clock } = this.#parts;
    const pool = registry.pools.get(name);
    if (pool === undefined || operations.find(ask.operation) !== undefined) return;
    const { operation: id, by, why, ratePerSecond } = ask;
    const refusal = this.#refusalOf(name);
    const request = { why, ...(ratePerSecond > 0 && { ratePerSecond }) };
    if (refusal === undefined && this.#of(name).begin(pool, request, { by, id }) !== undefined) return;
    const state = refusal === undefined ? 'done' : 'stopped';
    const reason = refusal?.message ?? 'nothing to do: the pool is level';
    operations.add(notBegun(ask, { pool: name, state, reason }, clock.wallMs()));
  }

  /** By this balancer, or by the one that leads; undefined when there is nothing to do. */
  #begun(pool: PoolState, request: RebalanceRequest, asker: Asker): Operation | undefined {
    const fleet = this.#parts.fleet();
    const rebalance = this.#of(pool.name);
    if (fleet === undefined || fleet.leads) return rebalance.begin(pool, request, { by: asker.by })?.view();
    return rebalance.isLevel(pool) ? undefined : fleet.ask(pool.name, request, asker);
  }

  /** Why none may begin now; undefined when one may. */
  #refusalOf(name: string): HeraldError | undefined {
    if (this.#parts.freezes.isFrozen(name)) return frozen(name, this.#parts.freezes);
    const fleet = this.#parts.fleet();
    const id = this.#of(name).operation?.id ?? fleet?.runningElsewhere(name);
    if (id !== undefined) return alreadyRunning(name, id);
    return fleet === undefined || fleet.hasLeader ? undefined : noLeader(name);
  }

  #of(name: string): PoolRebalance {
    const known = this.#pools.get(name);
    if (known !== undefined) return known;
    const fresh = new PoolRebalance(this.#parts);
    this.#pools.set(name, fresh);
    return fresh;
  }
}

function checkRate({ ratePerSecond }: RebalanceRequest): void {
  if (ratePerSecond === undefined || (Number.isFinite(ratePerSecond) && ratePerSecond > 0)) return;
  throw new HeraldError('HERALD_BODY_INVALID', `ratePerSecond is ${ratePerSecond}: a number above 0`);
}

function frozen(pool: string, freezes: Freezes): HeraldError {
  const { by, why } = freezes.state(pool);
  const whose = `by ${by}${why === '' ? '' : ` (${why})`}`;
  return new HeraldError(
    'HERALD_FROZEN',
    `pool '${pool}' is frozen ${whose}: release it first (${freezes.releaseCommand(pool)})`,
    { pool },
  );
}

function alreadyRunning(pool: string, id: string): HeraldError {
  return new HeraldError(
    'HERALD_OPERATION_RUNNING',
    `pool '${pool}' is being rebalanced already (${id}): wait for it or cancel it`,
    { pool, operation: id },
  );
}

function noLeader(pool: string): HeraldError {
  return new HeraldError(
    'HERALD_NO_LEADER',
    `pool '${pool}' cannot be rebalanced: of the balancers that share it nobody leads now. Try again in some seconds`,
    { pool },
  );
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
