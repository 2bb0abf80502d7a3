// Turns what a schema found into problems with a place and a hint.
import { z } from 'zod';
import { nameHint } from '../core/nearest.ts';
import { formatPath, type Path, type Problem } from './problem.ts';
import { showValue } from './quantity.ts';
import type { Source } from './yaml-document.ts';

/** A part of a JSON schema, as far as it is read here and by the reference pages. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  /** The default of an optional field, whose own default zod would delete. */
  readonly preset?: unknown;
  /** Examples, for the same reason. */
  readonly samples?: readonly unknown[];
  readonly unit?: string;
  /** Words that stand for the whole mapping. */
  readonly shorthand?: readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | SchemaNode;
  readonly items?: SchemaNode;
}

/** The JSON schema (draft 7, which editors know best) of what people write, with the `unit` of each field. */
export function inputSchema(schema: z.ZodType): SchemaNode {
  // Proof of the cast: SchemaNode names only keys that JSON Schema has with these types, and what meta() adds.
  return z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }) as SchemaNode;
}

/** The problems of `source` under `schema`; `base` is the path of the checked part in the file. */
export function problemsOf(
  source: Source,
  schema: z.ZodType,
  issues: readonly z.core.$ZodIssue[],
  base: Path = [],
): Problem[] {
  // Made only where a key is unknown: it costs some milliseconds.
  let shape: SchemaNode | undefined;
  const keysAt = (path: Path): string[] => {
    shape ??= inputSchema(schema);
    return Object.keys(shapeAt(shape, path)?.properties ?? {});
  };
  return issues.flatMap((issue) => describe(source, keysAt, issue, base));
}

/** One problem at `path`. */
export function problemAt(
  source: Source,
  path: Path,
  message: string,
  hint: string,
  part: 'key' | 'value' = 'value',
): Problem {
  return { ...source.locate(path, part), path: formatPath(path), message, hint };
}

function describe(
  source: Source,
  keysAt: (path: Path) => string[],
  issue: z.core.$ZodIssue,
  base: Path,
): Problem[] {
  const local = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  const path = [...base, ...local];
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysAt(local);
      return issue.keys.map((key) =>
        problemAt(source, [...path, key], 'unknown key', nameHint(key, known), 'key'),
      );
    }
    case 'invalid_key':
      return [problemAt(source, path, 'is not a name', 'letters, digits and . _ : -, at most 64', 'key')];
    case 'invalid_value':
      return [choiceProblem(source, path, issue.values.map(String))];
    case 'invalid_type':
      return [typeProblem(source, path, issue.expected)];
    case 'too_small':
    case 'too_big':
      return [boundProblem(source, path, issue)];
    case 'custom': {
      const hint: unknown = issue.params?.['hint'];
      return [problemAt(source, path, issue.message, typeof hint === 'string' ? hint : '')];
    }
    default:
      return [problemAt(source, path, issue.message, '')];
  }
}

function choiceProblem(source: Source, path: Path, choices: readonly string[]): Problem {
  const value = valueAt(source.data, path);
  if (value === undefined) return problemAt(source, path, 'is missing', `one of ${choices.join(', ')}`);
  const list = choices.length === 1 ? `only ${choices[0]}` : `one of ${choices.join(', ')}`;
  const hint = typeof value === 'string' ? nameHint(value, choices).replace(/^known: .*/, '') : '';
  return problemAt(source, path, `${showValue(value)} is not ${list}`, hint);
}

const kindsInWords: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

function typeProblem(source: Source, path: Path, expected: string): Problem {
  const value = valueAt(source.data, path);
  if (value === undefined) return problemAt(source, path, 'is missing', '');
  const hint = value === null ? 'leave the key out for its default' : '';
  return problemAt(
    source,
    path,
    `expected ${kindsInWords[expected] ?? expected}, got ${showValue(value)}`,
    hint,
  );
}

function boundProblem(
  source: Source,
  path: Path,
  issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig,
): Problem {
  const isSmall = issue.code === 'too_small';
  const bound = Number(isSmall ? issue.minimum : issue.maximum);
  const word = isSmall ? (issue.inclusive === false ? 'more than' : 'at least') : 'at most';
  const value = showValue(valueAt(source.data, path));
  return problemAt(source, path, `${value} is too ${isSmall ? 'small' : 'large'}`, `${word} ${bound}`);
}

/** The schema of the mapping at `path`, undefined when the schema does not lead there. */
function shapeAt(shape: SchemaNode, path: Path): SchemaNode | undefined {
  let node: SchemaNode | undefined = shape;
  for (const part of path) {
    if (node === undefined) return undefined;
    const extra = typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
    const known = node.properties;
    if (typeof part === 'number') node = node.items;
    else node = known !== undefined && Object.hasOwn(known, part) ? known[part] : extra;
  }
  return node;
}

function valueAt(data: unknown, path: Path): unknown {
  let value = data;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    // Proof of the cast: an object that owns `part` can be read at it; the value stays unknown.
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}
