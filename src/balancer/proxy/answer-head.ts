// A node's answer to an upgrade: its head read strictly, and the heads that go to the client instead.
import { fieldText, parseFields, valuesOf, type HeadFields } from '../../protocol/http-head.ts';
import { bodyLengthOf, type BodyLength } from '../../protocol/body-end.ts';
import { switchesTo } from './protocol-switch.ts';
import { endToEndFields } from './hop-by-hop.ts';
import { isAnswered, requestIdFields, type Marks } from './marks.ts';

/** A node's answer, checked. */
export interface AnswerHead {
  readonly status: number;
  /** Reason phrase, may be ''. */
  readonly reason: string;
  readonly fields: HeadFields;
  /** How its body ends; `none` for a 101. */
  readonly body: BodyLength;
}

const statusLine = /^HTTP\/1\.[01] ([1-5]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/;

/** Reads the whole head of an answer to who asked for `protocol`; undefined when it is not one that can be passed on. */
export function parseAnswer(text: string, protocol: string): AnswerHead | undefined {
  const lineEnd = text.indexOf('\r\n');
  const match = statusLine.exec(text.slice(0, lineEnd));
  const fields = parseFields(text, lineEnd + 2);
  if (match === null || fields === undefined) return undefined;
  const status = Number(match[1]);
  const reason = match[2] ?? '';
  if (status === 101)
    return isSwitch(fields, protocol) ? { status, reason, fields, body: { kind: 'none' } } : undefined;
  const body = bodyLengthOf(status, fields);
  return body === undefined ? undefined : { status, reason, fields, body };
}

// A node that switches to something else, or to nothing it names, would leave client and node with two
// different ideas of what the next byte is. Sec-WebSocket-Accept is the client's to check: it passes untouched.
function isSwitch(fields: HeadFields, protocol: string): boolean {
  return switchesTo(protocol, fields) && valuesOf(fields, 'transfer-encoding').length === 0;
}

/** The 101 for the client, to the protocol that it asked for. `setCookie` is the value of a Set-Cookie field to add, '' for none. */
export function switchText(
  protocol: string,
  answer: AnswerHead,
  { setCookie, marks }: { readonly setCookie: string; readonly marks: Marks },
): string {
  const isDropped = (name: string) => isContentLength(name) || isAnswered(marks, name);
  const fields = fieldText(endToEndFields(answer.fields, isDropped));
  const cookie = setCookie === '' ? '' : `Set-Cookie: ${setCookie}\r\n`;
  const id = fieldText(requestIdFields(marks));
  return `HTTP/1.1 101 ${answer.reason}\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n${fields}${cookie}${id}\r\n`;
}

// A 101 has no content; some servers write `Content-Length: 0` all the same, and RFC 9110 forbids it.
function isContentLength(name: string): boolean {
  return name === 'content-length';
}

/** The head of any other answer for the client, whose connection closes after it. */
export function refusedSwitchText(answer: AnswerHead, marks: Marks): string {
  const coding = answer.body.kind === 'chunked' ? 'Transfer-Encoding: chunked\r\n' : '';
  const fields = fieldText(endToEndFields(answer.fields, (name) => isAnswered(marks, name)));
  const id = fieldText(requestIdFields(marks));
  return `HTTP/1.1 ${answer.status} ${answer.reason}\r\n${fields}${id}${coding}Connection: close\r\n\r\n`;
}
