// Tables for terminals: aligned columns, colour only where somebody looks.
import { stripVTControlCharacters, styleText } from 'node:util';

/** One column of a table of `Row`. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** Numbers align right; left is the default. */
  readonly align?: 'left' | 'right';
  /** Where the table is too wide: left out, or cut to no less than this. Undefined: it stays as it is. */
  readonly whenNarrow?: 'drop' | number;
}

const gap = 2;

/**
 * Lines of a table: the titles, then a line a row. Without rows, only the titles. What is wider than `limit` gives up
 * its columns that may be dropped, from the right, and cuts those that may be cut.
 */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  limit = Infinity,
): string[] {
  const { kept, widths } = fitColumns(
    columns.map((column) => measured(column, rows)),
    limit,
  );
  const cells = [kept.map(({ title }) => title), ...rows.map((row) => kept.map(({ cell }) => cell(row)))];
  return cells.map((line) =>
    line
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        return pad(fitLine(cell, width), width, kept[index]?.align ?? 'left');
      })
      .join(' '.repeat(gap))
      .trimEnd(),
  );
}

/** Columns that a table takes on a terminal. */
export function tableWidth<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): number {
  return widthWithGaps(columns.map((column) => measured(column, rows)));
}

interface Measured<Row> {
  readonly column: Column<Row>;
  readonly width: number;
}

function measured<Row>(column: Column<Row>, rows: readonly Row[]): Measured<Row> {
  const widths = rows.map((row) => widthOf(column.cell(row)));
  return { column, width: Math.max(widthOf(column.title), ...widths) };
}

function widthWithGaps(columns: readonly { readonly width: number }[]): number {
  return columns.reduce((sum, { width }) => sum + width, 0) + gap * Math.max(0, columns.length - 1);
}

function fitColumns<Row>(
  all: readonly Measured<Row>[],
  limit: number,
): { kept: readonly Column<Row>[]; widths: readonly number[] } {
  let left = all;
  for (const each of all.toReversed())
    if (each.column.whenNarrow === 'drop' && widthWithGaps(left) > limit)
      left = left.filter((other) => other !== each);
  let excess = Math.max(0, widthWithGaps(left) - limit);
  const widths = left.map(({ column: { whenNarrow }, width }) => {
    if (typeof whenNarrow !== 'number' || excess === 0) return width;
    const narrower = Math.min(width, Math.max(whenNarrow, width - excess));
    excess -= width - narrower;
    return narrower;
  });
  return { kept: left.map(({ column }) => column), widths };
}

/** Columns that a line may take: the terminal's, else those of COLUMNS, else any number: into a pipe nothing is cut. */
export function columnsOf(
  stream: { isTTY?: boolean; columns?: number },
  env: Readonly<Record<string, string | undefined>>,
): number {
  // Some terminals, such as that of `script`, do not know their size and say 0.
  if (stream.isTTY === true) return stream.columns || 80;
  const wished = Number(env['COLUMNS'] ?? NaN);
  return Number.isInteger(wished) && wished > 0 ? wished : Infinity;
}

/** Columns that a text takes on a terminal: colour codes take none. */
export function widthOf(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** Text in lines of at most `width` columns, broken at spaces; every line but the first begins with `indent`. */
export function wrapText(text: string, width: number, indent = ''): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || widthOf(longer) <= width) {
      line = longer;
      continue;
    }
    lines.push(line);
    line = indent + word;
  }
  return [...lines, line];
}

/** Sentences in lines of at most `columns`: what fits stays as it is, the rest is broken at spaces. */
export function foldLines(lines: readonly string[], columns: number): string[] {
  return lines.flatMap((line) => (widthOf(line) <= columns ? [line] : wrapText(line, columns, '  ')));
}

/** The text cut to `columns`, with `…` where something is missing; colour codes take no room and are never cut. */
export function fitLine(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let left = Math.max(0, columns - 1);
  const kept = text.split(/(\u001b\[[0-9;]*m)/).map((part, index) => {
    if (index % 2 === 1) return part;
    const characters = [...part].slice(0, left);
    left -= characters.length;
    return characters.join('');
  });
  return `${kept.join('')}${columns > 0 ? '…' : ''}`;
}

function pad(cell: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(cell)));
  return align === 'right' ? space + cell : cell + space;
}

/** Colours a text, or leaves it as it is. */
export type Paint = (format: Parameters<typeof styleText>[0], text: string) => string;

/** Colour for a stream that is a terminal, unless NO_COLOR is set; FORCE_COLOR asks for it anyway. */
export function paintFor(
  stream: { isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Paint {
  const isForced = env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0';
  const isOn = isForced || (stream.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb');
  // The stream was looked at above: styleText would look at the process's own stdout instead.
  return isOn ? (format, text) => styleText(format, text, { validateStream: false }) : (_, text) => text;
}

/** A bar of `width` characters, filled to `part` (0..1; more is full, NaN is empty). */
export function bar(part: number, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, part || 0)) * width);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}

/** A fraction as whole per cent; `-` when it is not known. */
export function percent(part: number | null | undefined): string {
  return part === null || part === undefined || Number.isNaN(part) ? '-' : `${Math.round(part * 100)}%`;
}
