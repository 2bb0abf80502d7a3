// The problems that clients of the proxy hear of, as values. How each is told is decided in refuse.ts.
import type { Rng } from '../../core/rng.ts';
import type { Problem } from '../../protocol/problem.ts';
import type { DialFailure, Refusal } from '../state/ports.ts';
import { retryAfterMs } from './refuse.ts';

/**
 * Nothing was placed. Want of a node passes, so it carries a hint; an unknown pool does not. How many nodes are
 * down or draining is the operator's to know (`herald explain`), not every client's.
 */
export function refusalOf(refusal: Refusal, rng: Rng): Problem {
  const { code } = refusal;
  if (code === 'HERALD_POOL_UNKNOWN') return { code, message: 'this service is not here' };
  const message = refusalText[code];
  return { code, message, retryAfterMs: retryAfterMs(rng, refusal.retryAfterMs) };
}

const refusalText = {
  HERALD_NO_NODE: 'no node can take a connection now',
  HERALD_NOT_ADMITTED: 'more clients come than can be let in now',
} as const;

const failureText: Readonly<Record<DialFailure, string>> = {
  refused: 'refused the connection',
  timeout: 'did not answer in time',
  reset: 'reset the connection',
  tls: 'made no TLS with the balancer',
  handshake: 'sent no usable HTTP answer',
  status: 'answered with an error',
  local: 'was not reached: the balancer had no port, no descriptor or no whole request for it',
};

/** Every attempt failed; `last` is how the last one did, `attempts` how many there were, 1 or more. */
export function unreachable(last: DialFailure, attempts: number): Problem {
  const tried = attempts === 1 ? 'the node tried' : `the last of ${attempts} nodes tried`;
  const code = last === 'handshake' ? 'HERALD_HANDSHAKE_FAILED' : 'HERALD_DIAL_FAILED';
  return { code, message: `${tried} ${failureText[last]}` };
}

/** No route for the request. */
export function routeUnknown(hostName: string, path: string): Problem {
  return { code: 'HERALD_ROUTE_UNKNOWN', message: `no route for host ${hostName} and path ${path}` };
}

/** The request breaks a rule. */
export function requestInvalid(rule: string): Problem {
  return { code: 'HERALD_REQUEST_INVALID', message: rule };
}
