// A drain or a rebalance in words: one line while it runs, one sentence when it is over, a few lines to look at it.
import type { Operation, OperationProgress, OperationState } from '../protocol/operations.ts';
import { bar, fitLine, percent, renderTable, wrapText, type Column, type Paint } from './table.ts';

const barWidth = 16;

/** How far an operation is, 0..1; one about nothing is done. */
export function partDone({ total, waiting, leaving }: OperationProgress): number {
  return total === 0 ? 1 : (total - waiting - leaving) / total;
}

/** The line that is drawn again and again, at most `columns` wide. */
export function progressLine(
  operation: Operation,
  { paint, columns }: { paint: Paint; columns: number },
): string {
  const { kind, progress } = operation;
  const head = `${kind} ${kind === 'drain' ? nodesOf(operation) : operation.pool}`;
  const part = partDone(progress);
  const meter = kind === 'drain' ? [`${paint('green', bar(part, barWidth))} ${percent(part)}`] : [];
  return fitLine([head, ...meter, ...figures(operation), ...timeLeft(operation)].join('  '), columns);
}

const endWord = {
  running: 'is running',
  done: 'done',
  cancelled: 'cancelled',
  deadline: 'reached its deadline',
  stopped: 'stopped',
} as const satisfies Record<OperationState, string>;

/** One sentence when it is over: what was done, then why it ended. */
export function endLine(operation: Operation): string {
  const { id, kind, state, pool } = operation;
  const what = kind === 'drain' ? `drain of ${nodesOf(operation)}` : `rebalance of ${pool}`;
  return `${what} ${endWord[state]}: ${toldOf(operation)} (${id})`;
}

/** A rebalance, and a drain that came to its end, give their figures as the reason: once is enough. */
function toldOf(operation: Operation): string {
  const { kind, state, reason, progress } = operation;
  const returned = `${progress.returned} back elsewhere`;
  if (reason === '') return outcomes(operation).join(', ');
  if (kind === 'rebalance') return [reason, returned, ...mishaps(operation)].join(', ');
  const hasCome = state === 'done' || state === 'deadline';
  return hasCome ? `${reason}, ${returned}` : `${outcomes(operation).join(', ')}. ${reason}`;
}

/** Lines of `herald operations ID`, broken at spaces where they are longer than `columns`. */
export function operationDetail(
  operation: Operation,
  { paint, columns }: { paint: Paint; columns: number },
): string[] {
  const { id, kind, pool, state, reason, by, why, startedAt, endedAt, deadlineAt, owner } = operation;
  const rows: [string, string][] = [
    ['state', `${state}${reason === '' ? '' : `: ${reason}`}`],
    ['pool', pool],
    ['nodes', operation.nodes.length === 0 ? '-' : operation.nodes.join(', ')],
    ['begun', `${startedAt} by ${by}${why === '' ? '' : ` (${why})`}`],
    ...(owner === undefined ? [] : [['run by', `balancer ${owner}`] satisfies [string, string]]),
    ...(endedAt === null ? [] : [['ended', endedAt] satisfies [string, string]]),
    ...(deadlineAt === null ? [] : [['deadline', deadlineAt] satisfies [string, string]]),
    [
      'progress',
      [percent(partDone(operation.progress)), ...figures(operation), ...timeLeft(operation)].join(', '),
    ],
    ['outcome', outcomes(operation).join(', ')],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const indent = ' '.repeat(width + 2);
  return [
    paint('bold', `${kind} ${id}`),
    ...rows.flatMap(([name, text]) => {
      const [first = '', ...rest] = wrapText(text, columns - indent.length);
      return [`${name.padEnd(width)}  ${first}`, ...rest.map((line) => indent + line)];
    }),
  ];
}

/** Only where there are several balancers. */
const ownerColumn: Column<Operation> = {
  title: 'OWNER',
  cell: ({ owner = '-' }) => owner,
  whenNarrow: 'drop',
};

/** The table of `herald operations`, in `width` columns: who began them goes first, then the end of long lists of nodes. */
export function operationTable(operations: readonly Operation[], width = Infinity): string[] {
  const columns: readonly Column<Operation>[] = [
    { title: 'ID', cell: ({ id }) => id },
    { title: 'POOL', cell: ({ pool }) => pool },
    { title: 'NODES', cell: nodesOf, whenNarrow: 8 },
    { title: 'STATE', cell: ({ state }) => state },
    { title: 'DONE', cell: ({ progress }) => percent(partDone(progress)), align: 'right' },
    { title: 'LEFT', cell: ({ progress }) => String(progress.waiting + progress.leaving), align: 'right' },
    { title: 'ETA', cell: ({ etaMs }) => shortDuration(etaMs), align: 'right' },
    { title: 'BY', cell: ({ by }) => by, whenNarrow: 'drop' },
    ...(operations.some(({ owner }) => owner !== undefined) ? [ownerColumn] : []),
  ];
  return operations.length === 0 ? ['no operations'] : renderTable(columns, operations, width);
}

/** `a, b` or `a, b and 3 more`; `-` for none. */
export function nodesOf({ nodes }: Pick<Operation, 'nodes'>): string {
  if (nodes.length === 0) return '-';
  return nodes.length <= 3
    ? nodes.join(', ')
    : `${nodes.slice(0, 2).join(', ')} and ${nodes.length - 2} more`;
}

/** `1h 5m`, `2m 10s`, `8s`; `-` when it is not known. */
export function shortDuration(ms: number | null): string {
  if (ms === null) return '-';
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes}m ${seconds % 60}s` : `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}

function figures({ kind, progress, imbalance, ratePerSecond }: Operation): string[] {
  const rate = `${Number(ratePerSecond.toPrecision(3))}/s`;
  const { total, waiting, leaving, closed, returned } = progress;
  if (kind === 'drain') return [`${waiting + leaving} of ${total} left`, `${returned} back`, rate];
  const level = [imbalance.now, imbalance.predicted].map(ratio).join(' → ');
  return [`${closed} moved`, `${returned} returned`, `max ÷ mean ${level}`, rate];
}

function timeLeft({ etaMs, deadlineAt, state }: Operation): string[] {
  if (state !== 'running') return [];
  if (etaMs !== null) return [`ETA ${shortDuration(etaMs)}`];
  return deadlineAt === null ? [] : [`until ${deadlineAt.slice(11, 19)} UTC`];
}

/** What became of the connections, without the parts that are none. */
function outcomes(operation: Operation): string[] {
  const { kind, progress, imbalance } = operation;
  return [
    `${progress.closed} ${kind === 'drain' ? 'said goodbye' : 'moved'}`,
    `${progress.returned} back elsewhere`,
    ...mishaps(operation),
    ...(kind === 'rebalance' ? [`max ÷ mean ${ratio(imbalance.before)} → ${ratio(imbalance.now)}`] : []),
  ];
}

/** Those that did not leave when they were asked. */
function mishaps({ progress }: Operation): string[] {
  const { cut, refusedByPeer, leftByThemselves, waiting, leaving } = progress;
  const parts: [number, string][] = [
    [cut, 'cut at the deadline'],
    [refusedByPeer, 'ended after they ignored the goodbye'],
    [leftByThemselves, 'left by themselves'],
    [waiting + leaving, 'still open'],
  ];
  return parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
}

/** `1.42`, `-` when it is not known. */
export function ratio(value: number | null): string {
  return value === null ? '-' : value.toFixed(2);
}
