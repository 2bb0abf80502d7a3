// What `GET /v1/peers` answers: this balancer among the others.

/** One other balancer. */
export interface PeerDetail {
  readonly id: string;
  /** Since it was last heard, ms. */
  readonly ageMs: number;
  /** Connections that it says it carries, over all pools. */
  readonly connections: number;
  readonly isLeader: boolean;
}

/** Who shares what with this balancer, and how the link to what they share is. */
export interface PeersAnswer {
  /** This balancer's name among its peers; '' where nothing is shared. */
  readonly self: string;
  /** It acts for all: automatic rebalances, scaling drivers, webhooks about scaling. True where nothing is shared. */
  readonly isLeader: boolean;
  readonly link: {
    readonly state: 'alone' | 'connecting' | 'connected' | 'degraded';
    /** '' when nothing is wrong. */
    readonly reason: string;
    /** How long it has been so, ms. */
    readonly ageMs: number;
    /** A word's way there and back, ms; null before the first. */
    readonly lagMs: number | null;
    readonly droppedWordsTotal: number;
  };
  /** Wishes of operators that the others have not heard of yet, 0 or more. */
  readonly unsaidWishes: number;
  readonly peers: readonly PeerDetail[];
}

/** Of a balancer that shares nothing. */
export const aloneAnswer: PeersAnswer = {
  self: '',
  isLeader: true,
  link: { state: 'alone', reason: '', ageMs: 0, lagMs: null, droppedWordsTotal: 0 },
  unsaidWishes: 0,
  peers: [],
};
