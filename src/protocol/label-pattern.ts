// Regular expressions for label values, in time linear in the value: a hostile page must not stop the agent, and the
// language's own engine backtracks. The syntax is the part of RE2, which Prometheus uses, that selectors need.
import type { Reading } from '../policy/quantity.ts';
import { readClass, readEscape, type TestCode } from './label-pattern-class.ts';
import { shown } from './field-checks.ts';

/** True when the pattern matches the whole value. */
export type LabelPattern = (value: string) => boolean;

/** Each character is at most one state of the matcher, so this bounds the work for one character of a value. */
const maxCharacters = 200;

type Node =
  | { readonly kind: 'one'; readonly test: TestCode }
  | { readonly kind: 'sequence'; readonly parts: readonly Node[] }
  | { readonly kind: 'either'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly isOptional: boolean; readonly isMany: boolean };

/** A text being read, and how far. */
interface PatternCursor {
  readonly text: string;
  at: number;
}

/** Carries what is wrong out of the recursion; never leaves `compilePattern`. */
class PatternProblem extends Error {}

/** Compiles a pattern: literals, `.`, `[a-z]`, `\d \w \s`, `( )`, `(?: )`, `|`, `*`, `+`, `?`. Anchored at both ends. */
export function compilePattern(text: string): Reading<LabelPattern> {
  if (text.length > maxCharacters)
    return { message: `a pattern of ${text.length} characters`, hint: `at most ${maxCharacters}` };
  try {
    const cursor = { text, at: 0 };
    const tree = readEither(cursor);
    if (cursor.at < text.length) throw new PatternProblem('a ) that closes nothing');
    return { value: matcherOf(tree) };
  } catch (error) {
    if (!(error instanceof PatternProblem)) throw error;
    return {
      message: `the pattern ${shown(text)} has ${error.message}`,
      hint: 'patterns know . [a-z] [^x] \\d \\w \\s ( ) | * + ? and match the whole value',
    };
  }
}

function readEither(cursor: PatternCursor): Node {
  const parts = [readSequence(cursor)];
  while (cursor.text[cursor.at] === '|') {
    cursor.at += 1;
    parts.push(readSequence(cursor));
  }
  return { kind: 'either', parts };
}

function readSequence(cursor: PatternCursor): Node {
  const parts: Node[] = [];
  while (cursor.at < cursor.text.length && !'|)'.includes(cursor.text[cursor.at] ?? '')) {
    parts.push(readRepeated(cursor));
  }
  return { kind: 'sequence', parts };
}

function readRepeated(cursor: PatternCursor): Node {
  const part = readAtom(cursor);
  const sign = cursor.text[cursor.at] ?? '';
  if (sign === '{') throw new PatternProblem('a repeat count {}');
  if (sign === '' || !'*+?'.includes(sign)) return part;
  cursor.at += 1;
  // Lazy or greedy makes no difference to whether the whole value matches.
  if (cursor.text[cursor.at] === '?') cursor.at += 1;
  const next = cursor.text[cursor.at] ?? '';
  if (next !== '' && '*+?{'.includes(next)) throw new PatternProblem(`a second repetition ${next}`);
  return { kind: 'repeat', part, isOptional: sign !== '+', isMany: sign !== '?' };
}

function readAtom(cursor: PatternCursor): Node {
  const { text, at } = cursor;
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
  cursor.at += character.length;
  if (character === '(') return readGroup(cursor);
  if (character === '.') return { kind: 'one', test: () => true };
  if (character === '[') return { kind: 'one', test: orRefuse(readClass(cursor)) };
  if (character === '\\') return { kind: 'one', test: orRefuse(readEscape(cursor)) };
  // Habit puts these at the ends, where they change nothing.
  if ((character === '^' && at === 0) || (character === '$' && at === text.length - 1))
    return { kind: 'sequence', parts: [] };
  if ('^$'.includes(character)) throw new PatternProblem(`a ${character} inside`);
  if ('*+?{'.includes(character)) throw new PatternProblem(`a ${character} that repeats nothing`);
  const code = character.codePointAt(0);
  return { kind: 'one', test: (each) => each === code };
}

function readGroup(cursor: PatternCursor): Node {
  if (cursor.text.startsWith('?:', cursor.at)) cursor.at += 2;
  else if (cursor.text[cursor.at] === '?') throw new PatternProblem('a group that begins with (?');
  const group = readEither(cursor);
  if (cursor.text[cursor.at] !== ')') throw new PatternProblem('a ( that is not closed');
  cursor.at += 1;
  return group;
}

function orRefuse(read: TestCode | string): TestCode {
  if (typeof read === 'string') throw new PatternProblem(read);
  return read;
}

interface State {
  /** Undefined: goes on to `next` without a character. */
  readonly test: TestCode | undefined;
  readonly next: number[];
}

const accepting = 0;

/** Thompson's construction, from the end to the start (Thompson, "Regular Expression Search Algorithm", 1968). */
function matcherOf(tree: Node): LabelPattern {
  const states: State[] = [{ test: undefined, next: [] }];
  const add = (state: State) => states.push(state) - 1;
  function build(node: Node, next: number): number {
    if (node.kind === 'one') return add({ test: node.test, next: [next] });
    if (node.kind === 'sequence') return node.parts.reduceRight((after, part) => build(part, after), next);
    if (node.kind === 'either')
      return add({ test: undefined, next: node.parts.map((part) => build(part, next)) });
    const fork: State = { test: undefined, next: [next] };
    const forkAt = add(fork);
    const body = build(node.part, node.isMany ? forkAt : next);
    fork.next.push(body);
    return node.isOptional ? forkAt : body;
  }
  const start = build(tree, accepting);
  return (value) => accepts(states, start, value);
}

/** Follows all ways at once: each character visits each state at most once. */
function accepts(states: readonly State[], start: number, value: string): boolean {
  let current = new Set<number>();
  reach(states, start, current);
  for (const character of value) {
    const code = character.codePointAt(0) ?? 0;
    const following = new Set<number>();
    for (const at of current) {
      const state = states[at];
      if (state?.test?.(code) !== true) continue;
      for (const next of state.next) reach(states, next, following);
    }
    if (following.size === 0) return false;
    current = following;
  }
  return current.has(accepting);
}

function reach(states: readonly State[], at: number, reached: Set<number>): void {
  if (reached.has(at)) return;
  reached.add(at);
  const state = states[at];
  if (state === undefined || state.test !== undefined) return;
  for (const next of state.next) reach(states, next, reached);
}
