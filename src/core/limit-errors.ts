// The part of the catalogue of errors (error.ts) about what a balancer takes at most, and what it has run out of itself.

/** Entries by code. */
export const limitErrors = {
  HERALD_LISTENER_FULL: {
    status: 503,
    meaning: 'A listener has as many client connections as `limits.connections` lets it have.',
    remedy:
      'Come back after `Retry-After`; raise the limit if memory and descriptors allow it, or add balancers.',
  },
  HERALD_DESCRIPTORS_SHORT: {
    status: 503,
    meaning:
      'The process that accepted the connection has nearly as many open files as it may have, and keeps the rest for those it serves.',
    remedy:
      'Come back after `Retry-After`; raise the limit of open files (`LimitNOFILE=`, `ulimit -n`), or add balancers. See docs/limits.md.',
  },
  HERALD_ADDRESS_FULL: {
    status: 429,
    meaning: 'A client address has as many connections as `limits.connectionsPerAddress` lets it have.',
    remedy: 'Close some; where many people share one address, raise the limit. See docs/limits.md.',
  },
  HERALD_POOL_FULL: {
    status: 503,
    meaning: 'A pool has as many connections as `admit.maxConnections` of its policy lets it have.',
    remedy: 'Come back after `Retry-After`; raise the limit if the nodes can carry more.',
  },
  HERALD_DIAL_EXHAUSTED: {
    status: 503,
    meaning:
      'The balancer itself had no local port, descriptor or memory to dial a node with. No node is to blame.',
    remedy:
      'Name more `sourceAddresses`, raise the limit of open files, or add balancers. See docs/limits.md.',
  },
} as const;
