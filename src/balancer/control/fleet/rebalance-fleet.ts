// What rebalances ask of the other balancers.
import type { OthersView } from '../../../core/rebalance/others.ts';
import type { Operation, RebalanceRequest } from '../../../protocol/operations.ts';
import type { PoolState } from '../../state/pool-state.ts';
import type { Asker } from '../ports.ts';
import type { OrderLedger } from './order-ledger.ts';

/** The other balancers, to rebalances. */
export interface RebalanceFleet {
  /** Whether this balancer runs what is run for all. */
  readonly leads: boolean;
  /** Whether anybody does. */
  readonly hasLeader: boolean;
  /** The orders of a run that begins. */
  openLedger(pool: string, operation: string): OrderLedger;
  closeLedger(operation: string): void;
  /** What others carry of each node and may be told to shed. */
  sharesIn(pool: PoolState, nowMs: number): OthersView['sharesOf'];
  /** Nodes from which a rebalance of another balancer sheds. */
  sheddingIn(pool: string): readonly string[];
  /** The rebalance of this pool that another balancer runs, or has been asked to run. */
  runningElsewhere(pool: string): string | undefined;
  /** Asks the leader for one. */
  ask(pool: string, request: RebalanceRequest, asker: Asker): Operation;
}
