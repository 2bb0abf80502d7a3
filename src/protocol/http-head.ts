// Heads of HTTP/1.1 messages as text: the strict reading of field lines, and small questions about fields.
// What a request or an answer must be lives with whoever reads it. Text is latin1: one character, one byte.

/** Names and values in turn, as they were sent: `[name, value, name, value, …]`; the form of node's rawHeaders. */
export type HeadFields = readonly string[];

/** Longest head accepted from either side, with its final empty line. HAProxy and node:http stand at 16 KiB, too. */
export const maxHeadBytes = 16 * 1024;

/** What ends a head. */
export const headEnd = '\r\n\r\n';

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// Horizontal tab, visible ASCII, space and obs-text (RFC 9110, section 5.5); no other control character.
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Whether `text` is a token of RFC 9110: a field name, a method, a cookie name. The empty text is none. */
export function isToken(text: string): boolean {
  return token.test(text);
}

/**
 * Reads the field lines of `text` from `from` up to and with the empty line that ends the head. Undefined
 * when a line breaks a rule: a name that is no token (also a space before the colon), a folded line, a lone CR
 * or LF, a control character, or no empty line at the end. Values come without the white space around them.
 */
export function parseFields(text: string, from: number): string[] | undefined {
  const fields: string[] = [];
  let at = from;
  for (;;) {
    const end = text.indexOf('\r\n', at);
    if (end === -1) return undefined;
    if (end === at) return end + 2 === text.length ? fields : undefined;
    const colon = text.indexOf(':', at);
    if (colon === -1 || colon > end) return undefined;
    const name = text.slice(at, colon);
    const value = trimBlank(text, colon + 1, end);
    if (!token.test(name) || !fieldValue.test(value)) return undefined;
    fields.push(name, value);
    at = end + 2;
  }
}

// Not trim(): that takes more than space and tab, and U+00A0 is a legal byte of a value.
function trimBlank(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Values of all fields called `name` (lower case), in order; empty when there is none. */
export function valuesOf(fields: HeadFields, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const candidate = fields[i] ?? '';
    if (candidate.length === name.length && candidate.toLowerCase() === name)
      values.push(fields[i + 1] ?? '');
  }
  return values;
}

/** The values of `name` as one list, joined as RFC 9110 says; '' when there is none. */
export function joinedValue(fields: HeadFields, name: string): string {
  return valuesOf(fields, name).join(', ');
}

/** Whether the comma-separated `list` holds `member` (lower case), whatever the case of the list. */
export function listHas(list: string, member: string): boolean {
  if (list.length === member.length) return list.toLowerCase() === member;
  return list.split(',').some((part) => part.trim().toLowerCase() === member);
}

/** Field lines as text, without the empty line at the end. Names and values must have passed `parseFields`. */
export function fieldText(fields: HeadFields): string {
  let text = '';
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return text;
}
