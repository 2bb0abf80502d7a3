// What `herald status -o wide` adds: what was learned of each node and of the pool.
import type { NodeDetail } from '../../protocol/admin-api.ts';
import type { LearnedFigure, PoolLearning } from '../../protocol/learned.ts';
import type { Column } from '../table.ts';

/** Columns to the right of the ordinary ones; about sixty characters. */
export const learnedColumns: readonly Column<NodeDetail>[] = [
  { title: 'COST/MSG', cell: ({ learned }) => small(learned.messageCost.value), align: 'right' },
  { title: '÷POOL', cell: ({ learned }) => timesPool(learned.messageCost), align: 'right' },
  { title: 'FULL', cell: ({ learned }) => messageRate(learned.messageCost.amountWhenFull), align: 'right' },
  { title: 'ADD/CONN', cell: ({ learned }) => small(learned.connectionSlope.value), align: 'right' },
  { title: 'PAIRS', cell: (node) => best(node).pairs.toFixed(0), align: 'right' },
  { title: 'FROM', cell: fromWord },
  { title: 'AUTO', cell: ({ learned }) => messageRate(learned.autoSaturation), align: 'right' },
];

/** The pool's own line: what a node of capacity 1 is taken to be. */
export function learnedLine(learned: PoolLearning): string {
  const { messageCost, idleByMessages, connectionSlope, idleByConnections } = learned;
  const parts = [
    ...(messageCost === null
      ? []
      : [`a message/s costs ${small(messageCost)} above ${small(idleByMessages)} idle`]),
    ...(connectionSlope === null
      ? []
      : [`a connection adds ${small(connectionSlope)} above ${small(idleByConnections)} idle`]),
  ];
  return parts.length === 0 ? 'nothing learned yet' : `learned: ${parts.join(' · ')}`;
}

/** The cost where there is one, since placement looks at it first; else the slope. */
function best({ learned }: NodeDetail): LearnedFigure {
  return learned.messageCost.from === 'none' ? learned.connectionSlope : learned.messageCost;
}

function fromWord(node: NodeDetail): string {
  const { from } = best(node);
  if (from === 'none') return '-';
  return node.learned.isRestored ? `${from}, saved` : from;
}

/** Own ÷ pool's: 2.0× costs twice as much as the pool would say. By the node's own pairs where it has them. */
function timesPool({ own, value, ofPool }: LearnedFigure): string {
  const ours = own ?? value;
  return ours === null || ofPool === null || ofPool <= 0 ? '-' : `${(ours / ofPool).toFixed(2)}×`;
}

/** A small fraction as per cent with two digits that count. */
function small(part: number | null): string {
  return part === null ? '-' : `${Number((part * 100).toPrecision(2))}%`;
}

function messageRate(perSecond: number | null): string {
  if (perSecond === null) return '-';
  return perSecond < 10_000 ? `${perSecond.toFixed(0)}/s` : `${(perSecond / 1000).toFixed(0)}k/s`;
}
