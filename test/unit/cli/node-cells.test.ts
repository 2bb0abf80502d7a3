// Single cells of the tables of nodes.
import { describe, expect, it } from 'vitest';
import { connectionCount, loadBar, reportAge, stateCell, stateWord } from '../../../src/cli/node-cells.ts';
import { aNodeDetail } from '../../support/an-operation.ts';

const paint = (format: unknown, text: string) => `<${String(format)}>${text}`;

describe('the age of a report', () => {
  it.each([
    [null, '-'],
    [0, '0.0 s'],
    [99_899, '99.9 s'],
    [99_960, '100 s'],
    [599_000, '599 s'],
    [600_000, '10 min'],
    [35_999_000, '599 min'],
    [36_000_000, '10 h'],
    [3_599_999_000, '999 h'],
    [3_600_000_000, '41 d'],
  ])('of %j ms is %s', (ms, told) => {
    expect(reportAge(ms)).toBe(told);
    expect(told.length).toBeLessThanOrEqual(7);
  });
});

describe('a node', () => {
  it('is why it takes nothing, else how well its load is known', () => {
    const node = aNodeDetail({ id: 'a' });
    expect(stateCell(node, paint)).toBe('<green>ready');
    expect(stateCell({ ...node, loadState: 'none' }, paint)).toBe('<yellow>no report');
    expect(stateWord({ ...node, loadState: 'expired' })).toBe('expired');
    expect(stateCell({ ...node, loadState: 'none', ineligible: 'drain' }, paint)).toBe('<red>drain');
  });

  it('has the connections that are being opened, too', () => {
    const connections = { open: 7, dialling: 2, earlier: 0, reported: null };
    expect(connectionCount(aNodeDetail({ id: 'a', connections }))).toBe('9');
  });

  it('is coloured by its load, and empty when that is not known', () => {
    expect([loadBar(0.5, 4, paint), loadBar(0.8, 4, paint), loadBar(1.2, 4, paint)]).toEqual([
      '<green>██░░',
      '<yellow>███░',
      '<red>████',
    ]);
    expect(loadBar(null, 4, paint)).toBe('░░░░');
  });
});
