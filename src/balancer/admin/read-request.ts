// Reading the query, the body and the reason of a request by its route's schemas: every problem at once, with a hint.
import type { z } from 'zod';
import { HeraldError, type ErrorCode } from '../../core/error.ts';
import { nearest } from '../../core/nearest.ts';
import type { HttpContext } from '../../platform/http-app.ts';
import { readJson } from '../../platform/http-body.ts';
import { isRecord, plainKey, shown, type Problem } from '../../protocol/field-checks.ts';
import type { RouteSpec } from './api/route-spec.ts';

/** The body limit of the admin API: room for a policy with every key. */
const maxAdminBytes = 64 * 1024;
const maxWhyLength = 200;
const maxProblems = 20;

/** The query by the route's schema; HERALD_QUERY_INVALID. A route without one takes none. */
export function readQuery({ req }: HttpContext, { query }: RouteSpec): unknown {
  const given = req.queries();
  const values = Object.fromEntries(
    Object.entries(given).map(([key, texts]) => {
      if (texts.length > 1)
        throw new HeraldError(
          'HERALD_QUERY_INVALID',
          `'${plainKey(key)}' is in the query ${texts.length} times`,
        );
      return [key, texts[0] ?? ''];
    }),
  );
  if (query !== undefined) return parseBy(query, values, { code: 'HERALD_QUERY_INVALID', what: 'the query' });
  const [key] = Object.keys(values);
  if (key === undefined) return undefined;
  throw new HeraldError('HERALD_QUERY_INVALID', `this path takes no query, '${plainKey(key)}' was sent`);
}

/** The body by the route's schema; HERALD_BODY_INVALID and what readJson throws. Without a schema nothing is read. */
export async function readBody(context: HttpContext, { body }: RouteSpec): Promise<unknown> {
  if (body === undefined) return undefined;
  const json = await readJson(context, { maxBytes: maxAdminBytes, invalid: 'HERALD_BODY_INVALID' });
  return parseBy(body, json, { code: 'HERALD_BODY_INVALID', what: 'the body' });
}

/** The reason in Herald-Why, '' without one; HERALD_QUERY_INVALID for what is no line of ASCII. */
export function readWhy({ req }: HttpContext): string {
  const why = req.header('herald-why') ?? '';
  if (why.length <= maxWhyLength && /^[\x20-\x7e]*$/.test(why)) return why;
  const message = `Herald-Why takes at most ${maxWhyLength} characters of ASCII; a body takes any text as "why"`;
  throw new HeraldError('HERALD_QUERY_INVALID', message);
}

function parseBy(
  schema: z.ZodType,
  value: unknown,
  { code, what }: { code: ErrorCode; what: string },
): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues
    .slice(0, maxProblems)
    .flatMap((issue) => describe(schema, value, issue));
  const sentences = problems.map(({ path, message, hint }) => {
    const start = path === '' ? message : `${path}: ${message}`;
    return hint === '' ? start : `${start} (${hint})`;
  });
  throw new HeraldError(code, `${what} is not what this path takes: ${sentences.join('; ')}`, { problems });
}

function describe(schema: z.ZodType, value: unknown, issue: z.core.$ZodIssue): Problem[] {
  const path = issue.path.map((part) => plainKey(String(part))).join('.');
  const at = valueAt(value, issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.slice(0, maxProblems).map((key) => ({
        path: [path, plainKey(key)].filter((part) => part !== '').join('.'),
        message: 'unknown key',
        hint: hintOf(key, keysOf(schema, issue.path)),
      }));
    case 'invalid_value': {
      const choices = issue.values.map(String);
      const near = typeof at === 'string' ? nearest(at, choices) : undefined;
      const hint = near === undefined ? '' : `did you mean ${near}?`;
      return [{ path, message: `must be ${choices.join(' or ')}, is ${shown(at)}`, hint }];
    }
    case 'invalid_type':
      return [{ path, message: `must be ${kindOf(issue.expected)}, is ${shown(at)}`, hint: '' }];
    default:
      return [{ path, message: lowerFirst(issue.message), hint: '' }];
  }
}

function hintOf(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  if (near !== undefined) return `did you mean ${near}?`;
  return known.length === 0 ? 'none is taken' : `known: ${known.join(', ')}`;
}

/** Keys of the outermost object: those below it are not strict anywhere. */
function keysOf(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  return path.length === 0 && 'shape' in schema && isRecord(schema.shape) ? Object.keys(schema.shape) : [];
}

function kindOf(expected: string): string {
  const words: Readonly<Record<string, string>> = {
    object: 'an object',
    record: 'an object',
    array: 'a list',
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
  };
  return words[expected] ?? expected;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value;
  for (const part of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, part)) return undefined;
    // Proof of the cast: an object that owns `part` can be read at it; the value stays unknown.
    found = (found as Record<PropertyKey, unknown>)[part];
  }
  return found;
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
