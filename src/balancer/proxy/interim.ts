// Interim answers of a node (102, 103 and what comes after them) on their way to the client.
import { Buffer } from 'node:buffer';
import type { ServerResponse } from 'node:http';
import { fieldText } from '../../protocol/http-head.ts';
import { answerFields, type RawFields } from './forwarded-answer.ts';
import type { Marks } from './marks.ts';

/** One of them. */
export interface InterimAnswer {
  readonly status: number;
  readonly reason: string;
  readonly raw: RawFields;
  readonly marks: Marks;
}

/**
 * Passes it on (RFC 9110, section 15.2), unless the client cannot read it: HTTP/1.0 knows none, and a pipelined
 * request whose turn has not come has no way to the client yet. 100 is answered by ourselves, 101 is no interim one.
 * Through the socket, because node:http writes 102 and 103 only, and those not as they came.
 */
export function passInterim(response: ServerResponse, { status, reason, raw, marks }: InterimAnswer): void {
  const { socket, req } = response;
  if (status <= 101 || socket === null || response.headersSent || req.httpVersion !== '1.1') return;
  const head = `HTTP/1.1 ${status} ${reason}\r\n${fieldText(answerFields({ status, raw, setCookie: '' }, marks))}\r\n`;
  socket.write(Buffer.from(head, 'latin1'));
}
