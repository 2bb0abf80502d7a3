// A recommendation as lines for people. Pure.
import type { Scaling } from '../protocol/scaling.ts';
import { percent, renderTable, wrapText, type Column, type Paint } from './table.ts';

const titleWidth = 10;

/** Everything about it, in lines of at most `columns`: figures, the reason, and who would go. */
export function scaleDetail(
  scaling: Scaling,
  { paint, columns }: { readonly paint: Paint; readonly columns: number },
): string[] {
  const rows: readonly (readonly [string, string])[] = [
    ['nodes', nodesText(scaling)],
    ['load', loadText(scaling)],
    ...forecastRow(scaling),
    ['reason', scaling.reason],
    ...(scaling.isFrozen
      ? ([['frozen', 'automatic actions are stopped; nobody acts on this']] as const)
      : []),
  ];
  const indent = ' '.repeat(titleWidth);
  return [
    paint('bold', `pool ${scaling.pool}: ${verdict(scaling)}`),
    ...rows.flatMap(([title, text]) => wrapText(title.padEnd(titleWidth) + text, columns, indent)),
    ...victimLines(scaling, columns),
  ];
}

/** The gist in one line of some 80 columns: `scale out to 5 nodes · 2 serve, 1 starting · load 2.41 of 3`. */
export function scaleLine(scaling: Scaling): string {
  const { totalLoad, capacity, isFrozen } = scaling;
  return [
    verdict(scaling),
    countText(scaling),
    ...(totalLoad === null || capacity === null ? [] : [`load ${figure(totalLoad)} of ${figure(capacity)}`]),
    ...(isFrozen ? ['frozen'] : []),
  ].join(' · ');
}

/** What a change of is worth a line: not the loads, which change all the time. */
export function scaleKey(scaling: Scaling): string {
  const { state, action, desiredNodes, nodes, startingNodes, isFrozen, victims } = scaling;
  const going = victims.map(({ id }) => id).join();
  return [state, action, desiredNodes, nodes, startingNodes, isFrozen, going].join(' ');
}

function verdict({ state, action, desiredNodes }: Scaling): string {
  const count = `${desiredNodes} node${desiredNodes === 1 ? '' : 's'}`;
  if (action !== 'hold') return `scale ${action} to ${count}${state === 'unknown' ? ', load unknown' : ''}`;
  return state === 'unknown' ? `load unknown, keep ${count}` : `keep ${count}`;
}

function countText({ nodes, startingNodes }: Scaling): string {
  const serving = nodes - startingNodes;
  const serve = `${serving} serve${serving === 1 ? 's' : ''}`;
  return startingNodes === 0 ? serve : `${serve}, ${startingNodes} starting`;
}

function nodesText(scaling: Scaling): string {
  const { wantedNodes, desiredNodes, min, max } = scaling;
  const wanted =
    wantedNodes === null || wantedNodes === desiredNodes
      ? ''
      : `; ${wantedNodes} wanted without windows and steps`;
  return `${countText(scaling)}; ${desiredNodes} desired${wanted}; min ${min}, max ${max}`;
}

function loadText({ totalLoad, capacity, load, target, bottleneck }: Scaling): string {
  if (totalLoad === null || capacity === null) return 'not known';
  const by = bottleneck === '' ? '' : `, filled by ${bottleneck}`;
  return `${figure(totalLoad)} of ${figure(capacity)} nodes: ${percent(load)}, target ${percent(target)}${by}`;
}

function forecastRow({ forecastLoad }: Scaling): (readonly [string, string])[] {
  if (forecastLoad === null) return [];
  return [['forecast', `${figure(forecastLoad)} nodes when a node started now would serve`]];
}

function victimLines({ victims }: Scaling, columns: number): string[] {
  if (victims.length === 0) return [];
  const table = renderTable(victimColumns, victims);
  return ['', ...table.flatMap((line) => wrapText(line, columns, '  '))];
}

const victimColumns: readonly Column<Scaling['victims'][number]>[] = [
  { title: 'VICTIM', cell: ({ id }) => id },
  { title: 'ZONE', cell: ({ zone }) => (zone === '' ? '-' : zone) },
  { title: 'CONNS', cell: ({ connections }) => String(connections), align: 'right' },
  { title: 'WHY', cell: ({ reason }) => reason },
];

/** Two decimals at most: a hundredth of a node is below any noise. */
function figure(nodes: number): string {
  return String(Math.round(nodes * 100) / 100);
}
