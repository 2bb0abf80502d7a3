// Tables of a page that a script writes: each stands between `<!-- table NAME -->` and `<!-- end of table -->`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import process from 'node:process';
import { HeraldError } from '../src/core/error.ts';

/** One table; the first row is its head. */
export interface MarkdownTable {
  /** As its marker says. */
  readonly name: string;
  readonly rows: readonly (readonly string[])[];
}

const docs = join(import.meta.dirname, '../docs');
const end = '<!-- end of table -->';

/** Puts the tables into a page of docs/, each in its place; HERALD_USAGE for a place that is not there, and nothing is written. */
export function writeTables(page: string, tables: readonly MarkdownTable[]): void {
  const path = join(docs, page);
  let text = readFileSync(path, 'utf8');
  for (const table of tables) text = withTable(text, table, page);
  writeFileSync(path, text);
  process.stdout.write(`wrote ${tables.length} tables of ${relative(process.cwd(), path)}\n`);
}

function withTable(text: string, table: MarkdownTable, page: string): string {
  const begin = `<!-- table ${table.name} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from === -1 || to === -1)
    throw new HeraldError('HERALD_USAGE', `docs/${page} has no place '${begin}' … '${end}' for a table`);
  return `${text.slice(0, from + begin.length)}\n\n${asMarkdown(table)}\n\n${text.slice(to)}`;
}

// In the formatter's own form, so that writing the same figures again changes nothing.
function asMarkdown({ rows }: MarkdownTable): string {
  const [head = []] = rows;
  const widths = head.map((_, column) => Math.max(3, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = line(widths.map((width) => '-'.repeat(width)));
  return [line(head), rule, ...rows.slice(1).map(line)].join('\n');
}
