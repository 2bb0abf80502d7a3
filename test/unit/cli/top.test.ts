import { describe, expect, it } from 'vitest';
import { widthOf } from '../../../src/cli/table.ts';
import { createKeyReader } from '../../../src/cli/top/keys.ts';
import { pageLines, renderTop, type Picture } from '../../../src/cli/top/render.ts';
import { firstView, pressed, sortedNodes, type Fleet, type View } from '../../../src/cli/top/view.ts';
import { aNodeDetail, anOperation, aPoolSummary } from '../../support/an-operation.ts';

const paint = (_: unknown, text: string) => text;

const four = [
  aNodeDetail({ id: 'node-1', score: 0.4, connections: { open: 90, dialling: 1, earlier: 0, reported: 90 } }),
  aNodeDetail({ id: 'node-2', score: 0.97, share: 0, messagesPerSecond: 12_345 }),
  aNodeDetail({ id: 'node-10', score: null, loadState: 'none', reportAgeMs: null }),
  aNodeDetail({ id: 'node-3', score: 0.6, ineligible: 'drain', adminState: 'drain', share: 0 }),
];

function aFleet(changes: Partial<Fleet> = {}): Fleet {
  const pools = [aPoolSummary(), aPoolSummary({ pool: 'games' })];
  return { pools, nodes: four, operations: [], freeze: undefined, ...changes };
}

function aPicture(changes: Partial<Picture> = {}): Picture {
  const size = { columns: 80, rows: 24 };
  return { fleet: aFleet(), view: firstView('chat'), size, paint, trouble: '', ...changes };
}

describe('the screen of top', () => {
  it('at 80 columns has the hottest node first and each column below its title', () => {
    const lines = renderTop(
      aPicture({ fleet: aFleet({ operations: [anOperation({ nodes: ['node-3'] })] }) }),
    );
    expect(lines.map((line) => line.trimEnd())).toEqual([
      'pool chat (1 of 2) · 4 of 4 nodes eligible · 400 connections · +3.3/s',
      'mean load 50% · max ÷ mean 1.23 · 13545 msg/s · by load',
      'NODE     STATE      LOAD▼                         CONNS   MSG/S   SHARE  REPORT',
      'node-2   ready      ████████████████████░   97%     100   12345      0%   0.3 s',
      'node-3   drain      █████████████░░░░░░░░   60%     100     400      0%   0.3 s',
      'node-1   ready      ████████░░░░░░░░░░░░░   40%      91     400     25%   0.3 s',
      'node-10  no report  ░░░░░░░░░░░░░░░░░░░░░     -     100     400     25%       -',
      '',
      'drain node-3  ██████████░░░░░░ 60%  40 of 100 left  50 back  5/s  ETA 8s',
      'q quit · s sort (load) · r reverse · p next pool · ↑↓ scroll',
    ]);
  });

  it.each([
    [20, 5],
    [40, 10],
    [80, 24],
    [140, 50],
    [300, 8],
  ])('fits %i columns and %i rows, whatever the names are', (columns, rows) => {
    const nodes = Array.from({ length: 60 }, (_, i) =>
      aNodeDetail({ id: `a-very-long-name-of-a-node-in-eu-west-1-${i}` }),
    );
    const operations = Array.from({ length: 9 }, (_, i) => anOperation({ id: `drain-${i}` }));
    const lines = renderTop(aPicture({ fleet: aFleet({ nodes, operations }), size: { columns, rows } }));
    expect(lines.length).toBeLessThanOrEqual(rows);
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns);
  });

  it('of more nodes than lines says which ones it shows, and never scrolls past the end', () => {
    const nodes = Array.from({ length: 30 }, (_, i) => aNodeDetail({ id: `n${i}`, score: 1 - i / 100 }));
    const picture = aPicture({ fleet: aFleet({ nodes }), size: { columns: 80, rows: 14 } });
    expect(pageLines(picture)).toBe(10);
    const view: View = { ...picture.view, scroll: 99 };
    const lines = renderTop({ ...picture, view });
    expect(lines[3]).toMatch(/^n20 /);
    expect(lines.at(-1)).toMatch(/^21-30 of 30 · /);
  });

  it('says what is wrong above the last picture, and who froze the pool', () => {
    const freeze = { frozen: true, by: 'ann', why: '', since: '2026-01-31T12:00:00.000Z' };
    expect(renderTop(aPicture({ fleet: aFleet({ freeze }) }))[1]).toContain('frozen by ann');
    expect(renderTop(aPicture({ trouble: 'no answer [HERALD_UNREACHABLE]' }))[1]).toBe(
      'no answer [HERALD_UNREACHABLE]',
    );
  });

  it('has words for an empty pool, a pool that is gone and no pool at all', () => {
    expect(renderTop(aPicture({ fleet: aFleet({ nodes: [] }) })).join()).toContain('no nodes yet');
    expect(renderTop(aPicture({ view: firstView('old') }))[0]).toBe('this pool is gone');
    const none = { pools: [], nodes: [], operations: [], freeze: undefined };
    expect(renderTop(aPicture({ fleet: none, view: firstView('') }))[0]).toBe('no pools');
  });
});

describe('sorting', () => {
  const ids = (view: Partial<View>) =>
    sortedNodes(four, { ...firstView('chat'), ...view }).map(({ id }) => id);

  it('puts the highest numbers and the first names on top, and can be reversed', () => {
    expect(ids({ sort: 'load' })).toEqual(['node-2', 'node-3', 'node-1', 'node-10']);
    expect(ids({ sort: 'node' })).toEqual(['node-1', 'node-2', 'node-3', 'node-10']);
    expect(ids({ sort: 'node', isReversed: true })).toEqual(['node-10', 'node-3', 'node-2', 'node-1']);
    expect(ids({ sort: 'state' })[0]).toBe('node-3');
    expect(ids({ sort: 'msg' })[0]).toBe('node-2');
    expect(ids({ sort: 'conns' }).at(-1)).toBe('node-1');
    expect(ids({ sort: 'share' })[0]).toBe('node-1');
  });
});

describe('keys', () => {
  const around = { pools: ['chat', 'games'], nodeCount: 30, pageLines: 10 };

  it('change the column, the pool and the place', () => {
    const view = firstView('chat');
    expect(pressed(view, 'sort', around)).toMatchObject({ sort: 'conns' });
    expect(pressed({ ...view, sort: 'share' }, 'sort', around)).toMatchObject({ sort: 'node' });
    expect(pressed(view, 'reverse', around)).toMatchObject({ isReversed: true });
    expect(pressed({ ...view, scroll: 3 }, 'pool', around)).toMatchObject({ pool: 'games', scroll: 0 });
    expect(pressed({ ...view, pool: 'games' }, 'pool', around)).toMatchObject({ pool: 'chat' });
    expect(pressed(view, 'pool', { ...around, pools: [] })).toMatchObject({ pool: 'chat' });
    const places = (['up', 'down', 'pageUp', 'pageDown', 'home', 'end'] as const).map(
      (key) => pressed({ ...view, scroll: 5 }, key, around).scroll,
    );
    expect(places).toEqual([4, 6, 0, 15, 0, 20]);
  });

  it('are read however an escape sequence is cut', () => {
    const all = 'sq\u001b[A\u001bOB\u001b[5~\u001b[1;5Cx\u0003';
    const whole = createKeyReader()(all);
    expect(whole).toEqual(['sort', 'quit', 'up', 'down', 'pageUp', 'quit']);
    const read = createKeyReader();
    expect([...all].flatMap((char) => read(char))).toEqual(whole);
  });

  it('that mean nothing are passed over, a lone escape too', () => {
    const read = createKeyReader();
    expect(read('\u001b')).toEqual([]);
    expect(read('z')).toEqual([]);
    expect(read('\u001b\u001bq')).toEqual(['quit']);
    expect(read(`\u001b[${'1'.repeat(100)}`)).toEqual([]);
    expect(read('q')).toEqual(['quit']);
  });
});
