// Which node a client is for: told by its cookie, so that Socket.IO's polls find their session, or by a hash. Whether it
// gets that node is placement's to decide. A cookie is no secret: it only moves a client among nodes that it may reach.
import { createHash, createHmac } from 'node:crypto';
import type { AffinityRule, CookieRule } from '../../policy/policy.ts';
import { cookieValue } from '../../protocol/cookie.ts';
import type { PlaceRequest } from '../state/ports.ts';
import { affinityKey } from './affinity-key.ts';
import type { Client } from './client.ts';
import type { RequestHead } from './request-head.ts';

/** What a request says about its node, for placement. */
export type AffinityWish = Pick<PlaceRequest, 'affinityNode' | 'affinityKey'>;

/** One request. */
export interface AffinityRequest {
  readonly pool: string;
  readonly head: RequestHead;
  readonly client: Client;
}

/** Reads what requests say, and writes affinity cookies. */
export interface Affinity {
  /** The node or the hash that the request names; neither when it names none that the pool knows. */
  wishOf(request: AffinityRequest, rule: AffinityRule): AffinityWish;
  /** The value of Set-Cookie for a client that is on `nodeId` now; '' when none is due. */
  setCookie(request: AffinityRequest, rule: AffinityRule, nodeId: string): string;
}

/** What affinity stands on. */
export interface AffinityDeps {
  /** Ids of the nodes of a pool; empty: unknown pool or no nodes. */
  readonly nodeIds: (pool: string) => readonly string[];
  /** Keys of cookies: the first signs, all are believed; empty: cookies are not signed. */
  readonly keys: () => readonly string[];
}

interface PoolTokens {
  readonly ids: readonly string[];
  readonly keys: readonly string[];
  readonly idByToken: ReadonlyMap<string, string>;
  /** As signed now. */
  readonly tokenById: ReadonlyMap<string, string>;
}

const noWish: AffinityWish = { affinityNode: '' };

/**
 * Affinity over nodes and keys. Tokens of a pool are computed again when one of the lists is another array, so a
 * caller that keeps its arrays while nothing changes pays nothing.
 */
export function createAffinity({ nodeIds, keys: currentKeys }: AffinityDeps): Affinity {
  const tokensByPool = new Map<string, PoolTokens>();

  function tokensOf(pool: string): PoolTokens {
    const ids = nodeIds(pool);
    const keys = currentKeys();
    const known = tokensByPool.get(pool);
    if (known !== undefined && known.ids === ids && known.keys === keys) return known;
    const tokensBy = (key: string | undefined) =>
      ids.map((id) => [id, affinityToken(pool, id, key)] as const);
    const signed = tokensBy(keys[0]);
    const earlier = keys.slice(1).flatMap(tokensBy);
    // What is signed now comes last: should two tokens ever be equal, it stands.
    const idByToken = new Map([...earlier, ...signed].map(([id, token]) => [token, id]));
    const fresh = { ids, keys, idByToken, tokenById: new Map(signed) };
    tokensByPool.set(pool, fresh);
    return fresh;
  }

  return {
    wishOf({ pool, head, client }, rule) {
      if (rule.kind === 'none') return noWish;
      if (rule.kind !== 'cookie')
        return { affinityNode: '', affinityKey: affinityKey(rule, head, client.address) };
      const token = cookieValue(head.fields, rule.name);
      return token === '' ? noWish : { affinityNode: tokensOf(pool).idByToken.get(token) ?? '' };
    },
    setCookie({ pool, head, client }, rule, nodeId) {
      if (rule.kind !== 'cookie') return '';
      // A node that has gone since it was placed on is in no list.
      const token = tokensOf(pool).tokenById.get(nodeId) ?? affinityToken(pool, nodeId, currentKeys()[0]);
      if (cookieValue(head.fields, rule.name) === token) return '';
      return `${rule.name}=${token}; Path=/${attributesOf(rule, client)}`;
    },
  };
}

const sameSiteWords = { lax: 'Lax', strict: 'Strict', none: 'None' } as const;

function attributesOf({ maxAgeMs, secure, httpOnly, sameSite }: CookieRule, { scheme }: Client): string {
  const isSecure = secure === 'always' || (secure === 'auto' && scheme === 'https');
  const age = maxAgeMs === undefined ? '' : `; Max-Age=${Math.floor(maxAgeMs / 1000)}`;
  return `${age}${isSecure ? '; Secure' : ''}${httpOnly ? '; HttpOnly' : ''}; SameSite=${sameSiteWords[sameSite]}`;
}

/**
 * The token of a node under a key; 16 characters, unsigned without one. 96 bits of SHA-256 make a clash among 5,000
 * nodes a matter of 2^-71, and a guess at another node's token one of 2^-96; the pool is part of it, so that two
 * pools under one cookie name do not mistake each other's.
 */
export function affinityToken(pool: string, nodeId: string, key?: string): string {
  const hash = key === undefined ? createHash('sha256') : createHmac('sha256', key);
  return hash.update(`${pool}\0${nodeId}`).digest().subarray(0, 12).toString('base64url');
}
