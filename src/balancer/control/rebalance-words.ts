// Sentences about what a rebalance would do.
import type { RebalanceForecast } from '../../core/rebalance/forecast.ts';

/** `1 connection`, `2 connections`. */
export function countedConnections(count: number): string {
  return `${count} ${count === 1 ? 'connection' : 'connections'}`;
}

/** What a dry run, or an operator's request, is answered with. */
export function forecastSentence(pool: string, { moves, now, predicted }: RebalanceForecast): string {
  if (moves.length === 0)
    return `nothing to move in pool '${pool}': max ÷ mean is ${shown(now)}, or no connection may be moved`;
  const connections = moves.reduce((sum, move) => sum + move.connections, 0);
  const from = moves.map((move) => `${move.connections} from ${move.node}`).join(', ');
  return `moving ${countedConnections(connections)} (${from}) would bring max ÷ mean from ${shown(now)} to about ${shown(predicted)}`;
}

/** What is said about a pool that has hot nodes. */
export interface Advice {
  readonly hot: readonly string[];
  readonly forecast: RebalanceForecast;
  readonly frozen: boolean;
  /** The policy's mode is `auto`: but for the freeze, a rebalance would begin. */
  readonly isAutomatic: boolean;
}

/** What the balancer says by itself about a pool that has hot nodes. */
export function adviceSentence(pool: string, { hot, forecast, frozen, isAutomatic }: Advice): string {
  const what = forecastSentence(pool, forecast);
  const who = `${hot.join(', ')} ${hot.length === 1 ? 'is' : 'are'} hot`;
  if (frozen && isAutomatic) return `${who}; the pool is frozen, else it would rebalance: ${what}`;
  if (frozen) return `${who}: ${what}; the pool is frozen, so a rebalance waits for its release`;
  return `${who}: ${what} (herald rebalance ${pool})`;
}

function shown(ratio: number): string {
  return Number.isFinite(ratio) ? ratio.toFixed(2) : 'unknown';
}
