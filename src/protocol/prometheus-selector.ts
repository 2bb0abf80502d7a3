// Which series of a Prometheus page are meant: `queue_depth{shard="1",kind!~"test.*"}`, as PromQL writes it.
// Ranges, offsets and functions are no part of it: the page has one instant only.
import { HeraldError } from '../core/error.ts';
import type { PrometheusSelector } from '../policy/agent-config.ts';
import type { Reading } from '../policy/quantity.ts';
import { shown } from './field-checks.ts';
import { compilePattern } from './label-pattern.ts';

type Matcher = PrometheusSelector['labels'][number];

/** A selector that is ready to be asked. */
export interface SeriesMatcher {
  readonly name: string;
  /** True when all matchers hold; a label that the series does not have is the empty text, as in PromQL. */
  matches(labels: ReadonlyMap<string, string>): boolean;
}

const maxMatchers = 16;
const maxCharacters = 1024;
const example = 'write name or name{label="value",other=~"a|b"}';

const metricName = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const labelName = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const operators = /=~|!~|!=|=/y;
const blanks = /[ \t\n]*/y;
const quotedValue = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/y;
const escapes: Readonly<Record<string, string>> = { '\\': '\\', '"': '"', "'": "'", n: '\n', t: '\t' };

/** Reads a selector. Patterns of `=~` and `!~` are checked, too. */
export function parseSelector(text: string): Reading<PrometheusSelector> {
  if (text.length > maxCharacters)
    return { message: `a selector of ${text.length} characters`, hint: `at most ${maxCharacters}` };
  const cursor = new SelectorCursor(text.trim());
  const name = cursor.take(metricName);
  if (name === undefined)
    return { message: `the selector ${shown(text)} does not begin with a metric name`, hint: example };
  const labels = readMatchers(cursor);
  if ('message' in labels) return labels;
  if (!cursor.isAtEnd)
    return { message: `the selector ${shown(text)} goes on after its end`, hint: 'one name, one pair of {}' };
  return { value: { name, labels: labels.value } };
}

/** Makes a selector ready. Throws HERALD_CONFIG_INVALID for a pattern that `parseSelector` would have refused. */
export function compileSelector({ name, labels }: PrometheusSelector): SeriesMatcher {
  const tests = labels.map(({ label, operator, value }) => {
    const test = testOf(operator, value);
    return (found: ReadonlyMap<string, string>) => test(found.get(label) ?? '');
  });
  return { name, matches: (found) => tests.every((test) => test(found)) };
}

function testOf(operator: Matcher['operator'], value: string): (found: string) => boolean {
  if (operator === '=') return (found) => found === value;
  if (operator === '!=') return (found) => found !== value;
  const pattern = compilePattern(value);
  if ('message' in pattern)
    throw new HeraldError('HERALD_CONFIG_INVALID', `${pattern.message} (${pattern.hint})`);
  return operator === '=~' ? pattern.value : (found) => !pattern.value(found);
}

/** Takes texts one after another; blanks between them do not matter. */
class SelectorCursor {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  /** The text that the pattern (sticky) matches here; undefined: it does not, and the place stays. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) return undefined;
    blanks.lastIndex = this.#at + found.length;
    this.#at = blanks.lastIndex + (blanks.exec(this.#text)?.[0].length ?? 0);
    return found;
  }

  /** Where the reading stands, for a message. */
  get place(): string {
    return this.isAtEnd ? 'at the end' : `at ${shown(this.#text.slice(this.#at))}`;
  }
}

function readMatchers(cursor: SelectorCursor): Reading<Matcher[]> {
  const labels: Matcher[] = [];
  if (cursor.take(/\{/y) === undefined) return { value: labels };
  while (cursor.take(/\}/y) === undefined) {
    const matcher = readMatcher(cursor);
    if ('message' in matcher) return matcher;
    labels.push(matcher.value);
    if (cursor.take(/,/y) !== undefined) continue;
    if (cursor.take(/\}/y) !== undefined) break;
    return { message: `the selector has no , or } ${cursor.place}`, hint: example };
  }
  if (labels.length > maxMatchers)
    return { message: `a selector with ${labels.length} matchers`, hint: `at most ${maxMatchers}` };
  return { value: labels };
}

function readMatcher(cursor: SelectorCursor): Reading<Matcher> {
  const label = cursor.take(labelName);
  if (label === undefined)
    return { message: `the selector has no label name ${cursor.place}`, hint: example };
  const operator = cursor.take(operators);
  if (!isOperator(operator))
    return { message: `the selector has none of = != =~ !~ after ${shown(label)}`, hint: example };
  const quoted = cursor.take(quotedValue);
  if (quoted === undefined)
    return { message: `the selector has no quoted value ${cursor.place}`, hint: example };
  const value = unescaped(quoted.slice(1, -1));
  if (value === undefined)
    return {
      message: `${shown(quoted)} has an escape that is not known`,
      hint: 'known: \\\\ \\" \\\' \\n \\t; a backslash of a pattern is written \\\\',
    };
  const pattern = operator.endsWith('~') ? compilePattern(value) : undefined;
  if (pattern !== undefined && 'message' in pattern) return pattern;
  return { value: { label, operator, value } };
}

function isOperator(text: string | undefined): text is Matcher['operator'] {
  return text === '=' || text === '!=' || text === '=~' || text === '!~';
}

function unescaped(text: string): string | undefined {
  let isSound = true;
  const value = text.replaceAll(/\\(.)/g, (_, character: string) => {
    const plain = escapes[character];
    if (plain === undefined) isSound = false;
    return plain ?? '';
  });
  return isSound ? value : undefined;
}
