// What other balancers carry, as one balancer counts it: sums over live peers, and the part of a rate that is left to it.
import type { Policy } from '../policy/policy.ts';

/** What live peers have on one node, summed over them. */
export interface PeerCounts {
  /** Open or being dialled, 0 or more. */
  readonly connections: number;
  /** Messages per second to be expected of these, 0 or more. */
  readonly messagesPerSecond: number;
  /** Opened by peers since this balancer first heard of each; never falls, also when one is gone. */
  readonly openedTotal: number;
}

/** Of a node that no peer carries anything of, or of a balancer without peers. */
export const noPeerCounts: PeerCounts = Object.freeze({
  connections: 0,
  messagesPerSecond: 0,
  openedTotal: 0,
});

/** What live peers do in one pool, summed over them. */
export interface PoolPeers {
  /** Balancers that share it, this one among them, 1 or more. */
  readonly balancers: number;
  /** Placements per second of the others lately, 0 or more. */
  readonly arrivalsPerSecond: number;
}

/** Of a balancer that has no peers. */
export const noPeers: PoolPeers = Object.freeze({ balancers: 1, arrivalsPerSecond: 0 });

/**
 * A policy whose limits in time are the part of one of so many balancers, 1 or more: by equal parts they hold without
 * a word between them. The policy itself for one.
 */
export function partOfRates(policy: Policy, balancers: number): Policy {
  if (balancers <= 1) return policy;
  const { place, admit } = policy;
  const { ratePerSecond } = admit;
  return {
    ...policy,
    place: { ...place, connectRatePerSecond: place.connectRatePerSecond / balancers },
    admit: { ...admit, ratePerSecond: ratePerSecond === 'off' ? 'off' : ratePerSecond / balancers },
  };
}
