// Looks at a text before the YAML parser does: what it would misread, and what would take the process down with it.
import { Lexer } from 'yaml';
import type { Problem } from './problem.ts';

/** A problem of the text; after a fatal one it must not be parsed. */
export interface Hazard extends Problem {
  readonly isFatal: boolean;
}

/** Largest file read, in bytes. */
export const maxFileBytes = 1024 * 1024;

// Composing recurses. At some thousand levels the process does not throw but dies: V8 cannot compile a regular
// expression on a stack that is nearly full (seen with 20,000 brackets). No file of ours needs ten levels; these
// bounds add up to a few hundred. The lexer counts, since it does not recurse and knows brackets from text.
const maxFlowDepth = 64;
const maxIndent = 128;
const maxIndicatorsOnLine = 32;

// Control characters but tab, the line ends and NEL, and what YAML 1.2 (section 5.1) forbids beside them.
const controlCharacter = /[^\P{Cc}\t\n\r\u0085]|[\uFFFE\uFFFF]/u;

/** All hazards of a text. */
export function findHazards(file: string, text: string): Hazard[] {
  const hazard = (line: number, column: number, message: string, hint: string, isFatal: boolean): Hazard => {
    return { file, line, column, path: '', message, hint, isFatal };
  };
  if (text.length > maxFileBytes) {
    return [hazard(0, 0, 'the file is larger than 1 MiB', 'a policy needs a few KiB', true)];
  }
  const control = text.search(controlCharacter);
  if (control >= 0) {
    const before = text.slice(0, control).split('\n');
    const code = text.charCodeAt(control).toString(16).padStart(4, '0').toUpperCase();
    const column = (before.at(-1) ?? '').length + 1;
    return [hazard(before.length, column, `control character U+${code}`, 'remove it', true)];
  }
  const deepLine = findDeepLine(text);
  if (deepLine > 0) {
    return [hazard(deepLine, 1, 'nested too deeply', 'no key needs more than ten levels', true)];
  }
  if (!text.startsWith('\uFEFF')) return [];
  return [hazard(1, 1, 'the file starts with a byte order mark', 'save it as UTF-8 without BOM', false)];
}

/** The first line whose nesting passes the bounds, from 1; 0 when none does. */
function findDeepLine(text: string): number {
  let line = 1;
  let flowDepth = 0;
  let indicators = 0;
  let isLineStart = true;
  for (const token of new Lexer().lex(text)) {
    if (token === '[' || token === '{') flowDepth++;
    else if (token === ']' || token === '}') flowDepth--;
    else if (flowDepth === 0 && (token === '-' || token === '?' || token === ':')) indicators++;
    const isIndent = isLineStart && token.startsWith(' ');
    if (
      flowDepth > maxFlowDepth ||
      indicators > maxIndicatorsOnLine ||
      (isIndent && token.length > maxIndent)
    )
      return line;
    const newlines = token.split('\n').length - 1;
    line += newlines;
    if (newlines > 0) indicators = 0;
    isLineStart = newlines > 0;
  }
  return 0;
}
