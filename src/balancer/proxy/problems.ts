// The problems that clients of the proxy hear of, as values. How each is told is decided in refuse.ts.
import type { ErrorCode } from '../../core/error.ts';
import type { Rng } from '../../core/rng.ts';
import type { Problem } from '../../protocol/problem.ts';
import type { DialFailure, Refusal } from '../state/ports.ts';
import type { CensusLimit } from './census.ts';
import { localCodeOf } from './failure.ts';
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
  HERALD_POOL_FULL: 'this service has all the connections that it takes',
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

/** How the last attempt failed, and how many there were, 1 or more. */
export interface LastFailure {
  readonly reason: DialFailure;
  readonly error: unknown;
  readonly attempts: number;
}

/** Every attempt failed. What we have run out of ourselves is told as such: no other node would help. */
export function unreachable({ reason, error, attempts }: LastFailure, rng: Rng): Problem {
  const tried = attempts === 1 ? 'the node tried' : `the last of ${attempts} nodes tried`;
  return {
    code: codeOfFailure(reason, error),
    message: `${tried} ${failureText[reason]}`,
    retryAfterMs: retryAfterMs(rng),
  };
}

function codeOfFailure(reason: DialFailure, error: unknown): Problem['code'] {
  if (localCodeOf(error) !== '') return 'HERALD_DIAL_EXHAUSTED';
  return reason === 'handshake' ? 'HERALD_HANDSHAKE_FAILED' : 'HERALD_DIAL_FAILED';
}

/** A limit of the listener is reached. */
export function tooMany(limit: CensusLimit, rng: Rng): Problem {
  return { ...limitProblems[limit], retryAfterMs: retryAfterMs(rng) };
}

const limitProblems = {
  listenerFull: { code: 'HERALD_LISTENER_FULL', message: 'there are as many connections as may be' },
  addressFull: {
    code: 'HERALD_ADDRESS_FULL',
    message: 'this address has as many connections as it may have',
  },
  descriptorsShort: {
    code: 'HERALD_DESCRIPTORS_SHORT',
    message: 'the balancer has nothing left to serve another connection with',
  },
} as const satisfies Record<CensusLimit, Problem>;

/** The code of a limit of the listener. */
export function limitCode(limit: CensusLimit): ErrorCode {
  return limitProblems[limit].code;
}

/** The body is longer than `limitBytes`. */
export function bodyTooLarge(limitBytes: number): Problem {
  return { code: 'HERALD_BODY_TOO_LARGE', message: `a request body may have ${limitBytes} bytes` };
}

/** No route for the request. */
export function routeUnknown(hostName: string, path: string): Problem {
  return { code: 'HERALD_ROUTE_UNKNOWN', message: `no route for host ${hostName} and path ${path}` };
}

/** The request breaks a rule. */
export function requestInvalid(rule: string): Problem {
  return { code: 'HERALD_REQUEST_INVALID', message: rule };
}
