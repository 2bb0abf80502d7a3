// The screen of `herald top` as lines, for any size of terminal.
import type { NodeDetail, PoolSummary } from '../../protocol/admin-api.ts';
import { connectionCount, loadBar, reportAge, stateCell } from '../node-cells.ts';
import { progressLine } from '../operation-lines.ts';
import { fitLine, percent, renderTable, type Column, type Paint } from '../table.ts';
import { sortedNodes, type Fleet, type SortName, type View } from './view.ts';

/** Where it is drawn. */
export interface ScreenSize {
  readonly columns: number;
  /** Infinity where nothing scrolls away: everything is shown. */
  readonly rows: number;
}

/** What is drawn. */
export interface Picture {
  readonly fleet: Fleet;
  readonly view: View;
  readonly size: ScreenSize;
  readonly paint: Paint;
  /** What went wrong at the last look; '' when nothing did. */
  readonly trouble: string;
}

const mostOperations = 4;
// What stands beside the bar at its narrowest: nine columns with two spaces between.
const besideBar = 52;
const shortestBar = 4;

/** Nodes that fit on one screen, 1 or more. */
export function pageLines({ fleet, size }: Pick<Picture, 'fleet' | 'size'>): number {
  const operations = Math.min(mostOperations, fleet.operations.length);
  // Two lines above, the titles, a line for the keys, and an empty one above the operations.
  const taken = 4 + (operations === 0 ? 0 : operations + 1);
  return Math.max(1, size.rows - taken);
}

/** Lines of the whole screen, as many as it has rows at most and none wider than it. */
export function renderTop(picture: Picture): string[] {
  const { fleet, view, size, paint, trouble } = picture;
  const pool = fleet.pools.find((each) => each.pool === view.pool);
  const nodes = sortedNodes(fleet.nodes, view);
  const shownLines = pageLines(picture);
  const from = Math.min(view.scroll, Math.max(0, nodes.length - shownLines));
  const shown = nodes.slice(from, from + shownLines);
  const isAll = size.rows === Infinity;
  const lines = [
    paint('bold', headline(pool, fleet)),
    trouble === '' ? secondLine(pool, fleet, paint) : paint('red', trouble),
    ...table(shown, picture),
    ...(nodes.length === 0 ? ['no nodes yet: none is configured and no agent has reported'] : []),
    ...operationLines(picture),
    ...(isAll ? [] : [keyLine(picture, { from, shown: shown.length, all: nodes.length })]),
  ];
  return lines.slice(0, size.rows).map((line) => fitLine(line, size.columns));
}

function headline(pool: PoolSummary | undefined, { pools }: Fleet): string {
  if (pool === undefined) return pools.length === 0 ? 'no pools' : 'this pool is gone';
  const { open, dialling, earlier } = pool.connections;
  const others = pools.length > 1 ? ` (${pools.indexOf(pool) + 1} of ${pools.length})` : '';
  const { eligible, total } = pool.nodes;
  const parts = [
    `pool ${pool.pool}${others}`,
    `${eligible} of ${total} nodes eligible`,
    `${open + dialling + earlier} connections`,
    `+${pool.arrivalsPerSecond.toFixed(1)}/s`,
  ];
  return parts.join(' · ');
}

function secondLine(pool: PoolSummary | undefined, { nodes, freeze }: Fleet, paint: Paint): string {
  const messages = nodes.reduce((sum, { messagesPerSecond }) => sum + messagesPerSecond, 0);
  const imbalance = pool?.imbalance ?? null;
  const parts = [
    // First: what stands at the end of a narrow screen is cut.
    ...(freeze?.frozen === true ? [paint('yellow', `frozen by ${freeze.by}`)] : []),
    `mean load ${percent(pool?.meanUtilization)}`,
    ...(imbalance === null ? [] : [`max ÷ mean ${imbalance.toFixed(2)}`]),
    `${messages.toFixed(0)} msg/s`,
    ...(pool === undefined ? [] : [`by ${pool.basis}${pool.panic ? ' (panic)' : ''}`]),
  ];
  return parts.join(' · ');
}

function table(nodes: readonly NodeDetail[], { fleet, view, size, paint }: Picture): string[] {
  // Widths by all nodes, not only those shown: columns that jump while one scrolls cannot be read.
  const longestId = Math.max(4, ...fleet.nodes.map(({ id }) => id.length));
  const idWidth = Math.min(longestId, Math.max(8, size.columns - besideBar - shortestBar));
  const barWidth = Math.max(shortestBar, Math.min(40, size.columns - besideBar - idWidth));
  const title = (text: string, sort: SortName) =>
    view.sort === sort ? `${text}${view.isReversed ? '▲' : '▼'}` : text;
  const columns: readonly Column<NodeDetail>[] = [
    { title: title('NODE', 'node').padEnd(idWidth), cell: ({ id }) => fitLine(id, idWidth) },
    { title: title('STATE', 'state').padEnd(9), cell: (node) => stateCell(node, paint) },
    { title: title('LOAD', 'load'), cell: ({ score }) => loadBar(score, barWidth, paint) },
    { title: '', cell: ({ score }) => percent(score).padStart(4), align: 'right' },
    { title: title('CONNS', 'conns').padStart(6), cell: connectionCount, align: 'right' },
    {
      title: title('MSG/S', 'msg').padStart(6),
      cell: (node) => node.messagesPerSecond.toFixed(0),
      align: 'right',
    },
    { title: title('SHARE', 'share').padStart(6), cell: ({ share }) => percent(share), align: 'right' },
    { title: 'REPORT', cell: ({ reportAgeMs }) => reportAge(reportAgeMs), align: 'right' },
  ];
  const [titles = '', ...rows] = renderTable(columns, nodes);
  return [paint('inverse', titles.padEnd(Math.min(size.columns, 200))), ...rows];
}

function operationLines({ fleet: { operations }, size, paint }: Picture): string[] {
  if (operations.length === 0) return [];
  const shown = operations.slice(0, mostOperations);
  const more = operations.length - shown.length;
  return [
    more > 0 ? `${operations.length} operations, ${more} not shown` : '',
    ...shown.map((operation) => progressLine(operation, { paint, columns: size.columns })),
  ];
}

function keyLine(
  { view, paint }: Picture,
  { from, shown, all }: { from: number; shown: number; all: number },
): string {
  const place = all > shown ? `${from + 1}-${from + shown} of ${all} · ` : '';
  return paint('dim', `${place}q quit · s sort (${view.sort}) · r reverse · p next pool · ↑↓ scroll`);
}
