// Cookie affinity: an opaque token tells which node a client was on, so that Socket.IO's polls find their session.
// The token is no secret and grants nothing: it only moves a client among nodes that it may reach anyway.
import { createHash } from 'node:crypto';
import type { Policy } from '../../policy/policy.ts';
import { cookieValue } from '../../protocol/cookie.ts';
import type { HeadFields } from '../../protocol/http-head.ts';

/** Reads and writes affinity cookies. */
export interface Affinity {
  /** The node that the request's cookie names, '' when it names none that the pool knows. */
  nodeOf(pool: string, rule: Policy['affinity'], fields: HeadFields): string;
  /** The value of Set-Cookie for a client that came with `fields` and is on `nodeId` now; '' when none is due. */
  setCookie(placed: { pool: string; nodeId: string }, rule: Policy['affinity'], fields: HeadFields): string;
}

interface PoolTokens {
  readonly ids: readonly string[];
  readonly idByToken: ReadonlyMap<string, string>;
}

/**
 * Affinity over the nodes that `nodeIds` tells of a pool (empty: unknown pool or no nodes). Tokens of a pool
 * are computed again when the list is another array, so a caller that keeps its array while nothing changes
 * pays nothing.
 */
export function createAffinity(nodeIds: (pool: string) => readonly string[]): Affinity {
  const tokensByPool = new Map<string, PoolTokens>();

  function tokensOf(pool: string): PoolTokens {
    const ids = nodeIds(pool);
    const known = tokensByPool.get(pool);
    if (known !== undefined && known.ids === ids) return known;
    const fresh = { ids, idByToken: new Map(ids.map((id) => [affinityToken(pool, id), id])) };
    tokensByPool.set(pool, fresh);
    return fresh;
  }

  return {
    nodeOf(pool, rule, fields) {
      if (rule.kind === 'none') return '';
      const token = cookieValue(fields, rule.name);
      return token === '' ? '' : (tokensOf(pool).idByToken.get(token) ?? '');
    },
    setCookie({ pool, nodeId }, rule, fields) {
      if (rule.kind === 'none') return '';
      const token = affinityToken(pool, nodeId);
      if (cookieValue(fields, rule.name) === token) return '';
      return `${rule.name}=${token}; Path=/; HttpOnly; SameSite=Lax`;
    },
  };
}

/**
 * The token of a node: 16 characters. 96 bits of SHA-256 make a clash among 5,000 nodes a matter of 2^-71;
 * the pool is part of it, so that two pools under one cookie name do not mistake each other's.
 */
export function affinityToken(pool: string, nodeId: string): string {
  return createHash('sha256').update(`${pool}\0${nodeId}`).digest().subarray(0, 12).toString('base64url');
}
