// What an error of a dial, a handshake or an HTTP exchange says about the node.
import type { DialFailure } from '../state/ports.ts';

// Our own side ran out: descriptors, local ports, memory, the resolver. Blaming the node would eject a healthy
// fleet because this machine is busy.
const localCodes = new Set([
  'EADDRNOTAVAIL',
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EAI_AGAIN',
  'EACCES',
  'EPERM',
]);
const timeoutCodes = new Set([
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);
const refusedCodes = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENOTFOUND']);
const resetCodes = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'UND_ERR_SOCKET']);

/** The reason for the lease. An unknown error counts as `handshake`: the node was reached and went wrong. */
export function failureOf(error: unknown): DialFailure {
  const code = codeOf(error);
  if (localCodes.has(code)) return 'local';
  if (timeoutCodes.has(code)) return 'timeout';
  if (refusedCodes.has(code)) return 'refused';
  return resetCodes.has(code) ? 'reset' : 'handshake';
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  // Several addresses tried at once fail as one AggregateError; its first member tells as much as any.
  if (error instanceof AggregateError && !('code' in error)) return codeOf(error.errors[0]);
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Whether the request cannot have reached the node: no connection came about. */
export function wasNeverSent(error: unknown): boolean {
  const code = codeOf(error);
  return refusedCodes.has(code) || localCodes.has(code) || code === 'UND_ERR_CONNECT_TIMEOUT';
}
