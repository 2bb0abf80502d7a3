// YAML text becomes a plain value that knows the place of each of its parts. What the parts mean is the schemas' work.
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  visit,
  type Document,
  type Node,
} from 'yaml';
import type { Location, Path, Problem } from './problem.ts';
import { findHazards } from './yaml-hazards.ts';

/** A parsed file: plain data, and where each part of it stands. */
export interface Source {
  readonly file: string;
  /** Mappings, lists, text, numbers, booleans and null; keys are always text. */
  readonly data: unknown;
  /** The place of a value, or of its key; of the nearest part around it when the path leads nowhere. */
  locate(path: Path, part: 'key' | 'value'): Location;
}

/** What came of a text: `source` is undefined when it cannot be understood; problems may exist either way. */
export interface ParsedText {
  readonly source: Source | undefined;
  readonly problems: readonly Problem[];
}

// Enough for a few shared blocks, far below what an alias bomb needs to grow.
const maxAliasCount = 100;

/** Parses one file. Never throws: whatever is wrong with the text is a problem. */
export function parseYaml(file: string, text: string): ParsedText {
  const hazards = findHazards(file, text);
  if (hazards.some((hazard) => hazard.isFatal)) return { source: undefined, problems: hazards };
  const lines = new LineCounter();
  const whole = (offset: number): Location => placeOf(file, lines, offset);
  const clean = text.replace(/^\uFEFF/, '');
  const documents = parseAllDocuments(clean, { prettyErrors: false, lineCounter: lines, logLevel: 'error' });
  const [first, second] = documents;
  if (first === undefined || !('range' in first) || first.contents === null || isEmpty(first)) {
    return { source: undefined, problems: [...hazards, emptyFile(file)] };
  }
  const problems: Problem[] = [
    ...hazards,
    ...documents.flatMap((document) => syntaxProblems(document, clean, whole)),
  ];
  if (second !== undefined) {
    const hint = 'put each into a file of its own';
    problems.push({ ...whole(first.range[2]), path: '', message: 'a second document starts here', hint });
  }
  const data = toPlain(first);
  if ('message' in data) {
    return { source: undefined, problems: [...problems, { ...whole(badAliasOf(first)), path: '', ...data }] };
  }
  const broken = first.errors.some((error) => error.code !== 'DUPLICATE_KEY');
  if (broken) return { source: undefined, problems };
  const locate: Source['locate'] = (path, part) => whole(offsetOf(first, path, part));
  return { source: { file, data: data.value, locate }, problems };
}

function placeOf(file: string, lines: LineCounter, offset: number): Location {
  const { line, col } = lines.linePos(offset);
  // A text without any line end leaves the counter empty: everything is on line 1.
  return line === 0 ? { file, line: 1, column: offset + 1 } : { file, line, column: col };
}

function isEmpty(document: Document.Parsed): boolean {
  return isScalar(document.contents) && document.contents.value === null && document.errors.length === 0;
}

function emptyFile(file: string): Problem {
  return {
    file,
    line: 1,
    column: 1,
    path: '',
    message: 'the file is empty',
    hint: 'it needs apiVersion, kind and the rest',
  };
}

const advice: Readonly<Record<string, readonly [message: string, hint: string]>> = {
  DUPLICATE_KEY: ['this key is here twice', 'keep one of them'],
  TAB_AS_INDENT: ['a tab cannot indent YAML', 'use spaces'],
  BAD_ALIAS: ['an alias needs a name', 'quote text that starts with *'],
  BAD_SCALAR_START: ['text cannot start with this character', 'put it in quotes'],
  UNEXPECTED_TOKEN: ['this does not belong here', 'put text with [ ] { } : or # in quotes'],
  BLOCK_AS_IMPLICIT_KEY: ['a second key on one line', 'put it on a line of its own, or in { }'],
  TAG_RESOLVE_FAILED: ['unknown tag', 'write plain values'],
  BAD_INDENT: ['wrong indentation or an unclosed bracket', 'compare with the line above'],
};

function syntaxProblems(document: Document, text: string, whole: (offset: number) => Location): Problem[] {
  return [...document.errors, ...document.warnings].map((error) => {
    const [message, hint] = advice[error.code] ?? [lowerFirst(error.message), ''];
    const key =
      error.code === 'DUPLICATE_KEY' ? (/^[^\s:,{}]{1,64}/.exec(text.slice(error.pos[0]))?.[0] ?? '') : '';
    const { file, line, column } = whole(error.pos[0]);
    return { file, line, column, path: key, message, hint };
  });
}

function lowerFirst(text: string): string {
  const line = text.split('\n')[0] ?? '';
  return line.slice(0, 1).toLowerCase() + line.slice(1);
}

/** The document as plain values, or why it has none. */
function toPlain(document: Document): { value: unknown } | { message: string; hint: string } {
  try {
    return { value: document.toJS({ maxAliasCount }) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : '';
    if (reason.startsWith('Excessive alias count')) {
      return {
        message: 'aliases repeat too much of this file',
        hint: `at most ${maxAliasCount} values by alias`,
      };
    }
    return { message: lowerFirst(reason), hint: 'quote text that starts with *' };
  }
}

/** Where the first alias without an anchor stands; 0 when every alias has one. */
function badAliasOf(document: Document): number {
  let offset = 0;
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return undefined;
      offset = startOf(alias) ?? 0;
      return visit.BREAK;
    },
  });
  return offset;
}

function offsetOf(document: Document.Parsed, path: Path, part: 'key' | 'value'): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, segment] of path.entries()) {
    const step = stepInto(resolveAlias(document, node), segment);
    if (step === undefined) return offset;
    const isLast = index === path.length - 1;
    // A key without a value (`name:`) has a value node of no width behind the colon: the key says more.
    const isVoid = isScalar(step.value) && step.value.value === null && step.value.source === '';
    offset =
      (isLast && part === 'key') || isVoid ? (startOf(step.key) ?? offset) : (startOf(step.value) ?? offset);
    node = step.value;
  }
  return offset;
}

function stepInto(node: unknown, segment: string | number): { key: unknown; value: unknown } | undefined {
  if (isSeq(node) && typeof segment === 'number') {
    const item = node.items[segment];
    return item === undefined ? undefined : { key: item, value: item };
  }
  if (!isMap(node)) return undefined;
  return node.items.find((pair) => isScalar(pair.key) && String(pair.key.value ?? '') === String(segment));
}

function resolveAlias(document: Document, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
