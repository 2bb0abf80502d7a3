import { describe, expect, it } from 'vitest';
import { bar, paintFor, percent, renderTable, widthOf, wrapText } from '../../../src/cli/table.ts';

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
