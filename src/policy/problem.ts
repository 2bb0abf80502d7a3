// What is wrong with a file and where. Finding problems is the readers' work, printing them the CLI's.
import { HeraldError } from '../core/error.ts';

/** A path into a document: keys of mappings and indexes of lists; empty for the document itself. */
export type Path = readonly (string | number)[];

/** A place in a file. */
export interface Location {
  /** Path of the file as it was given, or the name of an environment variable. */
  readonly file: string;
  /** From 1; 0 when the problem concerns the file as a whole. */
  readonly line: number;
  /** From 1; 0 when `line` is 0. */
  readonly column: number;
}

/** One problem of one file. */
export interface Problem extends Location {
  /** `signals.cpu.saturation`, `listeners[0].bind`; '' when the problem concerns the file as a whole. */
  readonly path: string;
  readonly message: string;
  /** What to write instead; '' when the message says it all. */
  readonly hint: string;
}

// A file of a megabyte can hold a hundred thousand unknown keys; nobody reads past the first screens.
const maxProblemsShown = 100;

/** `file:line:col path: message (hint)`; what is absent is left out. One line, without its end. */
export function formatProblem(problem: Problem): string {
  const { file, line, column, path, message, hint } = problem;
  const place = line > 0 ? `${file}:${line}:${column}` : file;
  return `${place}${path === '' ? '' : ` ${path}`}: ${message}${hint === '' ? '' : ` (${hint})`}`;
}

/** `signals.cpu`, `listeners[0].bind`, `pools["eu/1"]`; '' for the empty path. */
export function formatPath(path: Path): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      if (!/^[\w-]{1,64}$/.test(part)) return `[${JSON.stringify(part.slice(0, 64))}]`;
      return index === 0 ? part : `.${part}`;
    })
    .join('');
}

/** By file, then by place: the order in which a person mends them. Returns a new list. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  return problems.toSorted(
    (a, b) => (a.file < b.file ? -1 : Number(a.file > b.file)) || a.line - b.line || a.column - b.column,
  );
}

/** The one error for any number of problems (at least one): `details.problems` has them all. */
export function invalidConfig(problems: readonly Problem[]): HeraldError {
  const sorted = sortProblems(problems);
  const lines = sorted.slice(0, maxProblemsShown).map(formatProblem);
  if (sorted.length > maxProblemsShown) lines.push(`… and ${sorted.length - maxProblemsShown} more`);
  return new HeraldError('HERALD_CONFIG_INVALID', lines.join('\n'), { problems: sorted });
}
