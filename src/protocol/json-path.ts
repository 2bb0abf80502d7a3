// Where in a JSON document a number is: `queue.delayMs`, `workers[0].busy`, `["odd.name"].now`. No expressions.
import { formatPath } from '../policy/problem.ts';
import type { Reading } from '../policy/quantity.ts';
import { isRecord, shown } from './field-checks.ts';

/** Member names and array indexes from the root; empty: the root itself. */
export type JsonPath = readonly (string | number)[];

const maxParts = 32;
const maxCharacters = 512;
const forms = 'write queue.delayMs, workers[0].busy or ["odd.name"].now';

// One part at the place where it is tried: a name at the start or after a dot, or brackets.
const firstName = /[^.[\]"'\s\p{Cc}]+/uy;
const laterName = /\.[^.[\]"'\s\p{Cc}]+/uy;
const index = /\[(?:0|[1-9]\d{0,8})\]/y;
const quoted = /\["(?:[^"\\\p{Cc}]|\\[^\p{Cc}])*"\]/uy;

/** Reads a path; the empty text is the root. */
export function parseJsonPath(text: string): Reading<JsonPath> {
  if (text.length > maxCharacters)
    return { message: `a path of ${text.length} characters`, hint: `at most ${maxCharacters}` };
  if (/^\$(?:[.[]|$)/.test(text))
    return { message: `${shown(text)} begins with $`, hint: 'leave out $: a path begins at the root' };
  const path: (string | number)[] = [];
  for (let at = 0; at < text.length;) {
    const part = readPart(text, at);
    if (part === undefined)
      return { message: `${shown(text)} is not a path from character ${at + 1} on`, hint: forms };
    path.push(part.part);
    at = part.end;
  }
  if (path.length > maxParts)
    return { message: `a path of ${path.length} parts`, hint: `at most ${maxParts}` };
  return { value: path };
}

/** What is at the path, or what is there instead; the sentence begins with where. */
export function readAtPath(
  root: unknown,
  path: JsonPath,
): { readonly value: unknown } | { readonly missing: string } {
  let value = root;
  for (const [depth, part] of path.entries()) {
    const where = formatPath(path.slice(0, depth));
    const owner = where === '' ? 'the document' : where;
    if (typeof part === 'number') {
      if (!Array.isArray(value)) return { missing: `${owner} is ${kindOf(value)}, not an array` };
      if (part >= value.length) return { missing: `${owner} has ${value.length} elements, no [${part}]` };
      value = value[part];
      continue;
    }
    if (!isRecord(value)) return { missing: `${owner} is ${kindOf(value)}, not an object` };
    // Own members only: `constructor` is in every object.
    if (!Object.hasOwn(value, part)) return { missing: `${owner} has no member ${shown(part)}` };
    value = value[part];
  }
  return { value };
}

function readPart(
  text: string,
  at: number,
): { readonly part: string | number; readonly end: number } | undefined {
  const name = taken(at === 0 ? firstName : laterName, text, at);
  if (name !== undefined) return { part: name.replace(/^\./, ''), end: at + name.length };
  const brackets = taken(index, text, at) ?? taken(quoted, text, at);
  if (brackets === undefined) return undefined;
  const part = unquoted(brackets.slice(1, -1));
  return part === undefined ? undefined : { part, end: at + brackets.length };
}

function taken(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** What stands in brackets, a whole number or a JSON string; undefined for a string with a bad escape. */
function unquoted(text: string): string | number | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' || typeof value === 'number' ? value : undefined;
  } catch {
    return undefined;
  }
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : shown(value);
}
