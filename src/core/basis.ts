// What a pool is placed by, and when that is panic: the ladder from load down to plain rotation.
import type { NodeView, PoolSnapshot } from './snapshot.ts';

/** What scores are made of; each rung needs less than the one before. */
export type Basis = 'load' | 'relay' | 'connections' | 'rotation';

/** What a node's reports are worth now. `none`: it has never reported. */
export type LoadState = 'valid' | 'blackout' | 'expired' | 'none';

/** How long data is not yet, and no longer, believed. */
export interface ValidityRule {
  readonly blackoutMs: number;
  readonly expiryMs: number;
}

/** What this node's reports are worth at `nowMs`. A report without any additive signal is worth nothing. */
export function loadStateOf(node: NodeView, nowMs: number, rule: ValidityRule): LoadState {
  const load = node.load;
  if (load === undefined) return 'none';
  if (nowMs - load.sampledAtMs > rule.expiryMs || Number.isNaN(load.utilization)) return 'expired';
  // A node that was here before the balancer needs no trial: it has long shown what it is.
  const isNewcomer = node.joinedAtMs !== -Infinity;
  return isNewcomer && nowMs - load.firstAtMs < rule.blackoutMs ? 'blackout' : 'valid';
}

/** The rung of the ladder that a pool stands on. */
export interface Footing {
  readonly basis: Basis;
  /** True when load data was there and most of it is gone: placing goes on without it. */
  readonly panic: boolean;
}

/**
 * Load when at least half of the nodes past their blackout have valid data; else what the relay counts, else
 * connections, else rotation. `states` belongs to `snapshot.nodes`; only nodes in `eligible` are asked.
 */
export function footingOf(
  snapshot: PoolSnapshot,
  states: readonly LoadState[],
  eligible: readonly boolean[],
): Footing {
  const count = (state: LoadState) =>
    states.filter((each, i) => eligible[i] === true && each === state).length;
  const valid = count('valid');
  const expired = count('expired');
  const lacking = expired + count('none');
  if (valid > 0 && valid >= lacking) return { basis: 'load', panic: false };
  const panic = expired > 0 && lacking > valid;
  const relayed = snapshot.nodes.some((node) => node.counters.expectedMessagesPerSecond > 0);
  if (snapshot.visibility.countsMessages && relayed) return { basis: 'relay', panic };
  return { basis: snapshot.visibility.countsConnections ? 'connections' : 'rotation', panic };
}
