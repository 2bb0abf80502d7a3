import { describe, expect, it } from 'vitest';
import {
  bar,
  columnsOf,
  foldLines,
  paintFor,
  percent,
  renderTable,
  widthOf,
  wrapText,
  type Column,
} from '../../../src/cli/table.ts';

describe('table', () => {
  it('aligns columns and leaves no space at line ends', () => {
    const lines = renderTable(
      [
        { title: 'NODE', cell: (row: { id: string; n: number }) => row.id },
        { title: 'CONNS', cell: ({ n }) => String(n), align: 'right' },
        { title: 'NOTE', cell: () => '' },
      ],
      [
        { id: 'a', n: 1000 },
        { id: 'longer', n: 2 },
      ],
    );
    expect(lines).toEqual(['NODE    CONNS  NOTE', 'a        1000', 'longer      2']);
  });

  it('does not count colour codes as width', () => {
    expect(widthOf('\u001b[32mok\u001b[39m')).toBe(2);
  });

  it('paints on terminals only, and not when NO_COLOR is set', () => {
    expect(paintFor({ isTTY: false }, {})('red', 'x')).toBe('x');
    expect(paintFor({ isTTY: true }, { NO_COLOR: '1' })('red', 'x')).toBe('x');
    expect(paintFor({ isTTY: true }, { TERM: 'dumb' })('red', 'x')).toBe('x');
    expect(paintFor({}, { FORCE_COLOR: '1' })('red', 'x')).not.toBe('x');
  });

  it('draws bars from empty to full', () => {
    expect(bar(0.5, 4)).toBe('██░░');
    expect(bar(7, 4)).toBe('████');
    expect(bar(NaN, 4)).toBe('░░░░');
  });

  it('shows what is not known as a dash', () => {
    expect([percent(0.123), percent(null), percent(undefined), percent(NaN)]).toEqual(['12%', '-', '-', '-']);
  });

  it('breaks text at spaces, indents what follows, and leaves words whole', () => {
    expect(wrapText('one two three four', 9, '  ')).toEqual(['one two', '  three', '  four']);
    expect(wrapText('incomprehensibilities are long', 10)).toEqual(['incomprehensibilities', 'are long']);
    expect(wrapText('', 10)).toEqual(['']);
  });
});

describe('a table that is too wide', () => {
  const cut: Column<string> = { title: 'NODES', cell: (row) => row, whenNarrow: 6 };
  const figure: Column<string> = { title: 'LEFT', cell: () => '12', align: 'right' };
  const optional: Column<string> = { title: 'BY', cell: () => 'somebody', whenNarrow: 'drop' };
  const columns = [cut, figure, optional];

  it('drops what may be dropped, then cuts what may be cut, and no further', () => {
    const at = (limit: number) => renderTable(columns, ['node-1, node-2'], limit)[1];
    expect(at(Infinity)).toBe('node-1, node-2    12  somebody');
    expect(at(30)).toBe('node-1, node-2    12  somebody');
    expect(at(29)).toBe('node-1, node-2    12');
    expect(at(18)).toBe('node-1, nod…    12');
    expect(at(5)).toBe('node-…    12');
  });

  it('keeps the whole of what may not be cut', () => {
    expect(renderTable([figure], ['a'], 1)).toEqual(['LEFT', '  12']);
  });
});

describe('the width of lines', () => {
  it('is that of the terminal, else of COLUMNS; a pipe has none', () => {
    expect(columnsOf({ isTTY: true, columns: 100 }, { COLUMNS: '60' })).toBe(100);
    for (const size of [{}, { columns: 0 }]) expect(columnsOf({ isTTY: true, ...size }, {})).toBe(80);
    expect(columnsOf({}, { COLUMNS: '60' })).toBe(60);
    for (const odd of ['', '0', '-3', 'wide', '8.5']) expect(columnsOf({}, { COLUMNS: odd })).toBe(Infinity);
    expect(columnsOf({}, {})).toBe(Infinity);
  });

  it('breaks only the lines that are longer', () => {
    expect(foldLines(['NODE  LOAD', 'one two three four'], 10)).toEqual([
      'NODE  LOAD',
      'one two',
      '  three',
      '  four',
    ]);
  });
});
