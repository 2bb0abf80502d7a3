// Tables for terminals: aligned columns, colour only where somebody looks.
import { stripVTControlCharacters, styleText } from 'node:util';

/** One column of a table of `Row`. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** Numbers align right; left is the default. */
  readonly align?: 'left' | 'right';
}

/** Lines of a table: the titles, then a line a row. Without rows, only the titles. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ cell }) => cell(row))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => widthOf(line[index] ?? ''))));
  return cells.map((line) =>
    line
      .map((cell, index) => pad(cell, widths[index] ?? 0, columns[index]?.align ?? 'left'))
      .join('  ')
      .trimEnd(),
  );
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
