// How a client hears that it gets no node. A WebSocket client cannot read an HTTP status, so it is let in and
// closed with 1013; an EventSource would stop for good at anything but 200; everything else gets problem+json.
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { Rng } from '../../core/rng.ts';
import type { Policy } from '../../policy/policy.ts';
import { problemResponse } from '../../protocol/http-error.ts';
import type { Problem } from '../../protocol/problem.ts';
import { fieldText, isToken, joinedValue, valuesOf, type HeadFields } from '../../protocol/http-head.ts';
import { goodbyeReason } from '../../protocol/goodbye-reason.ts';
import { encodeClose } from '../../protocol/websocket.ts';

const webSocketGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
// RFC 6455, section 7.4.1, as registered later: "Try Again Later".
const tryAgainLater = 1013;
const minRetryMs = 1_000;
const retrySpreadMs = 4_000;
// Each refused client has a moment of its own; a tenth either way keeps those of several balancers apart.
const retryJitter = 0.1;

/**
 * When a refused client may come back: 1,000 up to 5,000 ms, spread, so that they do not all come at once, behind
 * `expectedMs` (0 or more) that it would have had to wait, give or take a tenth.
 */
export function retryAfterMs(rng: Rng, expectedMs = 0): number {
  const waitMs = expectedMs === 0 ? 0 : expectedMs * (1 + retryJitter * (2 * rng.next() - 1));
  return Math.round(waitMs + minRetryMs + rng.next() * retrySpreadMs);
}

const passing: ReadonlySet<string> = new Set([
  'HERALD_NO_NODE',
  'HERALD_NOT_ADMITTED',
  'HERALD_POOL_FULL',
  'HERALD_ADDRESS_FULL',
]);

/** Want of a node, or of a place on one: what passes by waiting, and is told in the client's own terms. */
export function passesByWaiting({ code }: Problem): boolean {
  return passing.has(code);
}

/**
 * The bytes that refuse an upgrade. Only what passes by waiting is told inside WebSocket, and only where the policy
 * says `close`. `more` are fields for the head of the answer.
 */
export function upgradeRefusal(
  problem: Problem,
  fields: HeadFields,
  { form = 'close', more = [] }: { form?: Policy['admit']['refuse'] | undefined; more?: HeadFields } = {},
): Buffer {
  const key = valuesOf(fields, 'sec-websocket-key')[0];
  if (form === 'http' || !passesByWaiting(problem) || key === undefined)
    return Buffer.from(problemResponse(problem, more), 'utf8');
  const head =
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    `Sec-WebSocket-Accept: ${acceptOf(key)}\r\n${protocolLine(fields)}${fieldText(more)}\r\n`;
  const { code, retryAfterMs } = problem;
  const reason = retryAfterMs === undefined ? code : goodbyeReason(code, retryAfterMs);
  return Buffer.concat([Buffer.from(head, 'latin1'), encodeClose({ code: tryAgainLater, reason })]);
}

// A client that offers sub-protocols fails the handshake when none is chosen, and never sees the close.
function protocolLine(fields: HeadFields): string {
  const first = joinedValue(fields, 'sec-websocket-protocol').split(',')[0]?.trim() ?? '';
  return isToken(first) ? `Sec-WebSocket-Protocol: ${first}\r\n` : '';
}

function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key + webSocketGuid)
    .digest('base64');
}

/** Whether a refusal must be told as an event stream: the client is an EventSource. */
export function isEventSource(fields: HeadFields): boolean {
  return joinedValue(fields, 'accept').toLowerCase().includes('text/event-stream');
}

/** The whole body of such a stream: it sets the client's reconnection time, says why, and ends. */
export function eventStreamRefusal(problem: Problem): string {
  return `: ${problem.code}\nretry: ${problem.retryAfterMs ?? minRetryMs}\n\n`;
}
