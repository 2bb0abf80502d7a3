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

type Key = string | undefined;

interface PoolTokens {
  readonly ids: readonly string[];
  readonly keys: readonly string[];
  readonly idByToken: ReadonlyMap<string, string>;
  readonly tokenByIdByKey: ReadonlyMap<Key, ReadonlyMap<string, string>>;
}

const noWish: AffinityWish = { affinityNode: '' };

/**
 * Affinity over nodes and keys. The tokens of a pool are listed again when one of the lists is another array, so a
 * caller that keeps its arrays while nothing changes pays nothing; only those of new nodes and keys are computed.
 */
export function createAffinity({ nodeIds, keys: currentKeys }: AffinityDeps): Affinity {
  const tokensByPool = new Map<string, PoolTokens>();

  function tokensOf(pool: string): PoolTokens {
    const ids = nodeIds(pool);
    const keys = currentKeys();
    const known = tokensByPool.get(pool);
    if (known !== undefined && known.ids === ids && known.keys === keys) return known;
    // The first key comes last: should two tokens ever be equal, what is signed now stands.
    const signers: readonly Key[] = keys.length === 0 ? [undefined] : keys.toReversed();
    const tokenByIdByKey = new Map(
      signers.map((key) => [key, tokensBy(pool, ids, key, known?.tokenByIdByKey.get(key))]),
    );
    const pairs = [...tokenByIdByKey.values()].flatMap((tokens) => [...tokens]);
    const fresh = { ids, keys, idByToken: new Map(pairs.map(([id, token]) => [token, id])), tokenByIdByKey };
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
      const [key] = currentKeys();
      const token = tokensOf(pool).tokenByIdByKey.get(key)?.get(nodeId) ?? affinityToken(pool, nodeId, key);
      if (cookieValue(head.fields, rule.name) === token) return '';
      return `${rule.name}=${token}; Path=/${attributesOf(rule, client)}`;
    },
  };
}

/** The token of each node, by its id; those that were known `before` are not computed again. */
function tokensBy(
  pool: string,
  ids: readonly string[],
  key: Key,
  before: ReadonlyMap<string, string> | undefined,
): ReadonlyMap<string, string> {
  return new Map(ids.map((id) => [id, before?.get(id) ?? affinityToken(pool, id, key)]));
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
