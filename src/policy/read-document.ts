// What every kind of file has in common: apiVersion, kind, one schema, and all problems at once.
import type { z } from 'zod';
import { nameHint } from '../core/nearest.ts';
import type { Problem } from './problem.ts';
import { problemAt, problemsOf } from './schema-problems.ts';
import type { Source } from './yaml-document.ts';

/** The only version so far. */
export const apiVersion = 'herald/v1';

/** The kinds of file. */
const kinds = ['Policy', 'Config', 'Agent'] as const;

export type Kind = (typeof kinds)[number];

/** A checked file: every section that is sound by itself, and everything that is wrong. */
export interface DocumentReading<T> {
  /** Undefined when anything is wrong. */
  readonly value: T | undefined;
  /** The sections that are sound, so that checks across sections can run beside other problems. */
  readonly sections: Partial<T>;
  readonly problems: readonly Problem[];
}

/** The kind that a file says it is; undefined when it says none of the known. */
export function kindOf(data: unknown): Kind | undefined {
  const kind = isMapping(data) ? data['kind'] : undefined;
  return kinds.find((known) => known === kind);
}

/** Checks a parsed file against the schema of its kind. */
export function readDocument<Shape extends z.ZodRawShape>(
  source: Source,
  kind: Kind,
  schema: z.ZodObject<Shape, z.core.$strict>,
): DocumentReading<z.output<z.ZodObject<Shape, z.core.$strict>>> {
  const header = headerProblems(source, kind);
  if (!isMapping(source.data) || header.isOther) {
    return { value: undefined, sections: {}, problems: header.problems };
  }
  const body: Record<string, unknown> = { ...source.data, apiVersion, kind };
  const result = schema.safeParse(body);
  if (result.success) {
    const value = header.problems.length === 0 ? result.data : undefined;
    return { value, sections: result.data, problems: header.problems };
  }
  const problems = [...header.problems, ...problemsOf(source, schema, result.error.issues)];
  return { value: undefined, sections: soundSections(schema, body), problems };
}

function soundSections<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape, z.core.$strict>,
  body: Record<string, unknown>,
): Partial<z.output<z.ZodObject<Shape, z.core.$strict>>> {
  const sound = Object.entries(schema.shape).flatMap(([key, section]) => {
    // Proof of the cast: the values of a zod shape are zod schemas.
    const result = (section as z.ZodType).safeParse(body[key]);
    return result.success ? [[key, result.data] as const] : [];
  });
  // Proof of the cast: each entry is the output of the schema that the shape has under this key.
  return Object.fromEntries(sound) as Partial<z.output<z.ZodObject<Shape, z.core.$strict>>>;
}

function headerProblems(source: Source, kind: Kind): { problems: Problem[]; isOther: boolean } {
  const { data } = source;
  const problems: Problem[] = [];
  if (!isMapping(data)) {
    const hint = `start with apiVersion: ${apiVersion} and kind: ${kind}`;
    return { problems: [problemAt(source, [], 'the file is not a mapping', hint)], isOther: true };
  }
  const { apiVersion: version, kind: written } = data;
  if (version === undefined)
    problems.push(problemAt(source, ['apiVersion'], 'is missing', `write apiVersion: ${apiVersion}`));
  else if (version !== apiVersion) {
    problems.push(problemAt(source, ['apiVersion'], 'unknown version', `this Herald reads ${apiVersion}`));
  }
  if (written === kind) return { problems, isOther: false };
  if (written === undefined) {
    problems.push(problemAt(source, ['kind'], 'is missing', `write kind: ${kind}`));
    return { problems, isOther: false };
  }
  const other = kindOf(data);
  const isKnown = other !== undefined;
  const message = isKnown ? `this is ${withArticle(other)}, expected ${withArticle(kind)}` : 'unknown kind';
  const near = typeof written === 'string' ? nameHint(written, kinds) : `write kind: ${kind}`;
  const hint = isKnown ? `write kind: ${kind}, or move the file` : near;
  problems.push(problemAt(source, ['kind'], message, hint));
  // A file of another kind would only produce a problem for each of its keys.
  return { problems, isOther: isKnown };
}

function withArticle(kind: Kind | undefined): string {
  return kind === 'Agent' ? 'an Agent' : `a ${kind}`;
}

/** True for what YAML calls a mapping. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
