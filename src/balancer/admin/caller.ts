// Who asks the admin API, and what that one may: a role and a scope of pools.
import { HeraldError } from '../../core/error.ts';
import { createTokenFinder } from '../../platform/http-token.ts';
import type { RouteRole } from './api/route-spec.ts';

/** A token of the admin API, as the configuration has it. */
export interface AdminToken {
  readonly name: string;
  /** `report` sees nothing here. */
  readonly role: 'report' | 'read' | 'operate';
  readonly pools: 'all' | readonly string[];
  /** Never logged, never answered. */
  readonly secret: string;
}

/** Somebody who asks. */
export interface Caller {
  /** For audit events: a token's name, `local` for the UNIX socket. */
  readonly by: string;
  readonly role: 'report' | 'read' | 'operate';
  readonly pools: 'all' | readonly string[];
}

/** Finds out who asks. Throws HERALD_TOKEN_INVALID. */
export type Identify = (authorization: string | undefined) => Caller;

/** Whoever can open the UNIX socket is the balancer's own user. */
export const localCaller: Caller = { by: 'local', role: 'operate', pools: 'all' };

/** Callers over TCP: a token each. */
export function identifyByToken(tokens: readonly AdminToken[]): Identify {
  const find = createTokenFinder(tokens);
  return (authorization) => {
    if (authorization === undefined)
      throw new HeraldError('HERALD_TOKEN_INVALID', 'the admin API needs a token of admin.tokens');
    const found = find(authorization);
    if (found === undefined) throw new HeraldError('HERALD_TOKEN_INVALID', 'this token is not known here');
    return { by: found.name, role: found.role, pools: found.pools };
  };
}

/** Throws HERALD_NOT_ALLOWED when the caller's role is not enough. */
export function refuseRole({ by, role }: Caller, needed: RouteRole): void {
  if (needed === 'open' || role === 'operate' || role === needed) return;
  const message = `token '${by}' has the role '${role}', this needs '${needed}'`;
  throw new HeraldError('HERALD_NOT_ALLOWED', message, { role, needed });
}

/** Throws HERALD_NOT_ALLOWED unless the caller's scope is every pool; `what` begins the sentence. */
export function refuseUnlessAllPools({ by, pools }: Caller, what: string): void {
  if (pools === 'all') return;
  throw new HeraldError('HERALD_NOT_ALLOWED', `${what} concerns every pool, token '${by}' is good for some`);
}
