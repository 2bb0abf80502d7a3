// Names of everything in Redis. One hash tag for all, so that every script runs on one slot of a Cluster.

/** The keys and channels of one fleet of balancers. */
export interface Keys {
  /** Channel of words. */
  readonly words: string;
  /** Channel of changes of registers and tokens. */
  readonly changes: string;
  /** Set of the ids of peers; some may be gone. */
  readonly peers: string;
  /** Number that grows with every change of any register. */
  readonly revision: string;
  /** Hash from scope to a number that grows with every change of its registers. */
  readonly revisions: string;
  /** What a peer says of itself; ends unless renewed. */
  peer(id: string): string;
  /** Hash of the registers of a scope. */
  registers(scope: string): string;
  /** Who holds a lease; ends unless renewed. */
  lease(name: string): string;
  /** The highest token given out for a lease. */
  token(name: string): string;
}

/**
 * Keys under `{prefix}:`. Peers with the same prefix in the same database share; the prefix has no braces. Channels
 * name the database, since Redis has them only once for all databases.
 */
export function createKeys(prefix: string, database: number): Keys {
  const under = (name: string) => `{${prefix}}:${name}`;
  const channel = (name: string) => under(database === 0 ? name : `${name}:${database}`);
  return {
    words: channel('words'),
    changes: channel('changes'),
    peers: under('peers'),
    revision: under('revision'),
    revisions: under('revisions'),
    peer: (id) => under(`peer:${id}`),
    registers: (scope) => under(`registers:${scope}`),
    lease: (name) => under(`lease:${name}`),
    token: (name) => under(`token:${name}`),
  };
}
