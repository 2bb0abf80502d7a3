// What an error of a dial, a handshake or an HTTP exchange says about the node.
import { localErrorCodes } from '../../core/local-error.ts';
import { nodeTlsErrorCode } from '../../platform/node-links.ts';
import type { DialFailure } from '../state/ports.ts';

const timeoutCodes = new Set([
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);
const refusedCodes = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENOTFOUND']);
const resetCodes = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'UND_ERR_SOCKET']);

// undici's complaints about a request, and its words for connections that we have closed ourselves. A client
// must not be able to eject nodes by sending what undici refuses.
const ownCodes = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_ABORTED',
  'UND_ERR_DESTROYED',
  'UND_ERR_CLOSED',
]);

/** The reason for the lease. An unknown error counts as `handshake`: the node was reached and went wrong. */
export function failureOf(error: unknown): DialFailure {
  const code = codeOf(error);
  if (localErrorCodes.has(code) || ownCodes.has(code)) return 'local';
  if (code === nodeTlsErrorCode) return 'tls';
  if (timeoutCodes.has(code)) return 'timeout';
  if (refusedCodes.has(code)) return 'refused';
  return resetCodes.has(code) ? 'reset' : 'handshake';
}

/** The code of an error for which this machine has no port, descriptor or memory; '' for any other. */
export function localCodeOf(error: unknown): string {
  const code = codeOf(error);
  return localErrorCodes.has(code) ? code : '';
}

// RFC 9110, section 9.2.2. Only these may reach a second node after the first may have seen them.
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

/** Whether doing a request by `method` twice is harmless. */
export function isIdempotent(method: string): boolean {
  return idempotent.has(method);
}

const neverSentCodes = new Set(['UND_ERR_CONNECT_TIMEOUT', nodeTlsErrorCode]);

/**
 * Whether a request whose body has not been begun may go to another node after `error`; `resets` is how often a
 * node has broken it off, this time included. One that no node has seen always may. One that was sent may, once,
 * when doing it twice is harmless and the node broke off: a node that closes an idle connection just as a request
 * comes does so, but one that is merely slow may still be doing it. See docs/decisions/0014.
 */
export function isRepeatable(method: string, error: unknown, resets: number): boolean {
  const code = codeOf(error);
  if (refusedCodes.has(code) || localErrorCodes.has(code) || neverSentCodes.has(code)) return true;
  return resetCodes.has(code) && isIdempotent(method) && resets <= 1;
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  // Several addresses tried at once fail as one AggregateError; its first member tells as much as any.
  if (error instanceof AggregateError && !('code' in error)) return codeOf(error.errors[0]);
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
