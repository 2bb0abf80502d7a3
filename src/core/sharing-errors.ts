// The part of the catalogue of errors (error.ts) about balancers that share their state.

/** Entries by code. */
export const sharingErrors = {
  HERALD_STATE_REFUSED: {
    status: 500,
    meaning: 'What peers share cannot be used as configured: password, rights, TLS, or it is no Redis.',
    remedy:
      'Mend what the message names in `state` of herald.yaml or at the server; see docs/integrations/redis.md.',
  },
  HERALD_NO_LEADER: {
    status: 503,
    meaning: 'Balancers that share state have no leader now, and only the leader may rebalance.',
    remedy: 'Try again in some seconds; `herald status` shows who leads and how the link is.',
  },
} as const;
