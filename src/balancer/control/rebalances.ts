// The rebalancing of every pool, behind the Control port.
import { HeraldError } from '../../core/error.ts';
import type { RebalanceAnswer, RebalanceRequest } from '../../protocol/operations.ts';
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
    const operation = rebalance.begin(pool, request, asker);
    return { ...answer, operation: operation?.view() ?? null, refusal: null };
  }

  /** Why none may begin now; undefined when one may. */
  #refusalOf(name: string): HeraldError | undefined {
    if (this.#parts.freezes.isFrozen(name)) return frozen(name, this.#parts.freezes);
    const { operation } = this.#of(name);
    return operation === undefined ? undefined : alreadyRunning(name, operation.id);
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

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
