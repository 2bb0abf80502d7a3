import { describe, expect, it } from 'vitest';
import {
  endLine,
  nodesOf,
  operationDetail,
  operationTable,
  partDone,
  progressLine,
  shortDuration,
} from '../../../src/cli/operation-lines.ts';
import { widthOf } from '../../../src/cli/table.ts';
import { anOperation, aProgress } from '../../support/an-operation.ts';

const paint = (_: unknown, text: string) => text;

const aRebalance = anOperation({
  id: 'rebalance-1',
  kind: 'rebalance',
  nodes: ['a', 'b'],
  deadlineAt: null,
  etaMs: 61_000,
  progress: aProgress({ total: 30, leaving: 2, closed: 28, returned: 25 }),
  imbalance: { before: 1.5, now: 1.31, predicted: 1.1 },
});

describe('the progress line', () => {
  it('of a drain tells how far it is, who is left, who came back and when it will be over', () => {
    expect(progressLine(anOperation(), { paint, columns: 80 })).toBe(
      'drain a  ██████████░░░░░░ 60%  40 of 100 left  50 back  5/s  ETA 8s',
    );
  });

  it('of a rebalance tells what moved and how level the pool is and will be', () => {
    expect(progressLine(aRebalance, { paint, columns: 140 })).toBe(
      'rebalance chat  28 moved  25 returned  max ÷ mean 1.31 → 1.10  5/s  ETA 1m 1s',
    );
  });

  it('is never wider than the terminal, however many nodes are drained', () => {
    const nodes = Array.from({ length: 40 }, (_, i) => `a-rather-long-name-of-a-node-${i}`);
    for (const columns of [10, 40, 80, 140]) {
      const line = progressLine(anOperation({ nodes }), { paint, columns });
      expect(widthOf(line)).toBeLessThanOrEqual(columns);
    }
  });

  it('names the deadline where nobody can tell how long it takes', () => {
    expect(progressLine(anOperation({ etaMs: null }), { paint, columns: 80 })).toMatch(/until 12:10:00 UTC$/);
    expect(progressLine({ ...aRebalance, etaMs: null }, { paint, columns: 140 })).toMatch(/5\/s$/);
  });
});

describe('the last line', () => {
  it('leaves out what did not happen', () => {
    const progress = aProgress({ total: 10, closed: 10, returned: 9 });
    expect(endLine(anOperation({ state: 'done', progress }))).toBe(
      'drain of a done: 10 said goodbye, 9 back elsewhere (drain-1)',
    );
  });

  it('gives the figures of a drain once', () => {
    const reason = '10 of 10 connections left when asked, 0 by themselves';
    expect(endLine(anOperation({ state: 'done', reason, progress: aProgress({ returned: 9 }) }))).toBe(
      `drain of a done: ${reason}, 9 back elsewhere (drain-1)`,
    );
  });

  it('tells every part of a drain that did not go well', () => {
    const progress = aProgress({ total: 10, closed: 4, cut: 3, refusedByPeer: 2, leftByThemselves: 1 });
    const told = endLine(anOperation({ state: 'cancelled', progress, reason: 'cancelled by ann' }));
    expect(told).toBe(
      'drain of a cancelled: 4 said goodbye, 0 back elsewhere, 3 cut at the deadline, ' +
        '2 ended after they ignored the goodbye, 1 left by themselves. cancelled by ann (drain-1)',
    );
  });

  it('of a rebalance is its reason, which has the figures, and who is not back', () => {
    const reason = 'the pool is level; max ÷ mean 1.04, was 1.50, 28 connections moved';
    expect(endLine({ ...aRebalance, state: 'done', reason })).toBe(
      `rebalance of chat done: ${reason}, 25 back elsewhere, 2 still open (rebalance-1)`,
    );
  });
});

describe('the table of operations', () => {
  it('fits 80 columns', () => {
    const lines = operationTable([anOperation({ id: 'drain-mb2k1x9c-4f7q' }), aRebalance]);
    expect(lines).toHaveLength(3);
    expect(lines[1]).toBe('drain-mb2k1x9c-4f7q  chat  a      running   60%    40     8s  local');
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(80);
  });

  it('names who runs them where there are several balancers', () => {
    const lines = operationTable([anOperation({ owner: 'lb-2' }), anOperation({ id: 'drain-2' })]);
    expect(lines.map((line) => line.split(/ +/).at(-1))).toEqual(['OWNER', 'lb-2', '-']);
    expect(operationTable([anOperation()]).join()).not.toContain('OWNER');
  });

  it('says so when there is none', () => {
    expect(operationTable([])).toEqual(['no operations']);
  });
});

describe('one operation', () => {
  it('is told in full', () => {
    const lines = operationDetail(anOperation({ why: 'kernel', nodes: ['a', 'b', 'c', 'd', 'e'] }), {
      paint,
      columns: Infinity,
    });
    expect(lines[0]).toBe('drain drain-1');
    expect(lines).toContain('nodes     a, b, c, d, e');
    expect(lines).toContain('begun     2026-01-31T12:00:00.000Z by local (kernel)');
    expect(lines).toContain(
      'outcome   58 said goodbye, 50 back elsewhere, 2 left by themselves, 40 still open',
    );
  });
});

describe('small words', () => {
  it('shorten lists of nodes and durations', () => {
    expect(nodesOf({ nodes: [] })).toBe('-');
    expect(nodesOf({ nodes: ['a', 'b', 'c'] })).toBe('a, b, c');
    expect(nodesOf({ nodes: ['a', 'b', 'c', 'd'] })).toBe('a, b and 2 more');
    expect([null, 0, 999, 61_000, 3_720_000].map(shortDuration)).toEqual(['-', '0s', '1s', '1m 1s', '1h 2m']);
  });

  it('call an operation about nothing done', () => {
    expect(partDone(aProgress())).toBe(1);
  });
});
