// Finds series on a page in Prometheus' text format 0.0.4 or OpenMetrics 1.0. It reads the lines of one name only:
// the rest of a large page costs a search. What a selector is, is in prometheus-selector.ts.
import { readDecimal } from './decimal.ts';
import type { SeriesMatcher } from './prometheus-selector.ts';

export { parseSelector } from './prometheus-selector.ts';

/** What a page has for a selector. */
export interface FoundSeries {
  /** Values of the series that match, by their labels as the page writes them. May hold NaN and infinities. */
  readonly values: ReadonlyMap<string, number>;
  /** Series that have the name, matching or not. */
  readonly named: number;
}

/** Why a page cannot be read: a sentence that names the line. */
export interface PageProblem {
  readonly problem: string;
}

/** More series than this are no signal of one node but a mistake in the selector. */
export const maxSeries = 10_000;

const quote = 0x22;
const backslash = 0x5c;

interface Sample {
  readonly key: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/**
 * The series that match. Timestamps and exemplars are skipped; a series that comes twice counts once, the last.
 * A line of the name that cannot be read spoils the page, since a sum without it would be too small.
 */
export function findSeries(page: string, matcher: SeriesMatcher): FoundSeries | PageProblem {
  const values = new Map<string, number>();
  const { name } = matcher;
  let named = 0;
  let at = page.indexOf(name);
  while (at !== -1) {
    const nameEnd = at + name.length;
    if (!beginsLine(page, at) || !endsName(page, nameEnd)) {
      at = page.indexOf(name, nameEnd);
      continue;
    }
    const lineEnd = endOfLine(page, nameEnd);
    const sample = readSample(page.slice(nameEnd, lineEnd));
    if (sample === undefined) return { problem: `line ${lineNumber(page, at)} cannot be read` };
    named += 1;
    if (matcher.matches(sample.labels)) values.set(sample.key, sample.value);
    if (values.size > maxSeries) return { problem: `more than ${maxSeries} series match` };
    at = page.indexOf(name, lineEnd);
  }
  return { values, named };
}

/** Only blanks since the last line feed: `# HELP name` and `other{path="name"}` do not begin with the name. */
function beginsLine(page: string, at: number): boolean {
  let before = at - 1;
  while (page[before] === ' ' || page[before] === '\t') before -= 1;
  return before < 0 || page[before] === '\n';
}

/** `queue` is not `queue_depth`. A name with nothing after it is a broken line, so it counts. */
function endsName(page: string, at: number): boolean {
  const next = page[at];
  return next === undefined || '{ \t\r\n'.includes(next);
}

function endOfLine(page: string, from: number): number {
  const end = page.indexOf('\n', from);
  return end === -1 ? page.length : end;
}

function lineNumber(page: string, at: number): number {
  let lines = 1;
  for (let feed = page.indexOf('\n'); feed !== -1 && feed < at; feed = page.indexOf('\n', feed + 1))
    lines += 1;
  return lines;
}

/** Reads what follows the name: `{labels} value [timestamp] [# exemplar]`. */
function readSample(rest: string): Sample | undefined {
  const text = rest.trim();
  const found = text.startsWith('{') ? readLabels(text) : { labels: new Map<string, string>(), end: 0 };
  if (found === undefined) return undefined;
  const [written = '', next] = text
    .slice(found.end)
    .trim()
    .split(/[ \t]+/, 2);
  const value = readValue(written);
  const isWhole = next === undefined || next.startsWith('#') || /^-?\d{1,20}(?:\.\d{1,20})?$/.test(next);
  if (value === undefined || !isWhole) return undefined;
  return { key: text.slice(0, found.end), labels: found.labels, value };
}

/** Labels from `{` to `}`, and where they end; by hand, since a page may be one line of a megabyte. */
function readLabels(
  text: string,
): { readonly labels: ReadonlyMap<string, string>; readonly end: number } | undefined {
  const labels = new Map<string, string>();
  let at = skipBlanks(text, 1);
  while (text[at] !== '}') {
    const equals = text.indexOf('=', at);
    if (equals === -1) return undefined;
    const label = text.slice(at, equals).trim();
    const open = skipBlanks(text, equals + 1);
    const close = closingQuote(text, open);
    if (close === -1 || !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label)) return undefined;
    labels.set(label, unescaped(text.slice(open + 1, close)));
    at = skipBlanks(text, close + 1);
    if (text[at] === ',') at = skipBlanks(text, at + 1);
    else if (text[at] !== '}') return undefined;
  }
  return { labels, end: at + 1 };
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at += 1;
  return at;
}

/** Where the text that opens at `open` closes; -1 when it does not open or close. */
function closingQuote(text: string, open: number): number {
  if (text.charCodeAt(open) !== quote) return -1;
  for (let at = open + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) return at;
    if (code === backslash) at += 1;
  }
  return -1;
}

/** `\\`, `\"` and `\n`; another escape stands for itself, as Prometheus reads it. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replaceAll(/\\([\\"n])/g, (_, character: string) => (character === 'n' ? '\n' : character));
}

function readValue(text: string): number | undefined {
  if (/^nan$/i.test(text)) return Number.NaN;
  const infinity = /^([+-]?)inf(?:inity)?$/i.exec(text);
  if (infinity === null) return readDecimal(text);
  return infinity[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
