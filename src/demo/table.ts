// The demo's live table: one line a node, drawn once a second.
import type { Assessment } from '../core/assess.ts';
import { bar, percent, renderTable, type Column, type Paint } from '../cli/table.ts';
import { imbalanceOf, type NodeSecond } from './imbalance.ts';

/** What is known of the nodes in one second. */
export interface NodesInput {
  /** Whether connections follow the shares: under least connections they would mislead. */
  readonly showShare: boolean;
  readonly assessment: Assessment;
  readonly measured: ReadonlyMap<string, NodeSecond & { delayMs: number }>;
  readonly notes: ReadonlyMap<string, string>;
}

/** What is known of one second. */
export interface TableInput extends NodesInput {
  readonly title: string;
  readonly average: number;
  readonly isWarm: boolean;
}

interface Line {
  readonly id: string;
  readonly state: string;
  readonly utilization: number;
  readonly connections: number;
  readonly share: number;
  readonly delayMs: number;
  readonly note: string;
}

const barWidth = 20;
const shareColumn: Column<Line> = {
  title: 'SHARE',
  cell: ({ share }) => percent(share),
  align: 'right',
};

/** Lines of the table, at most 80 columns wide. */
export function renderDemo(input: TableInput, paint: Paint): string[] {
  const ratio = imbalanceOf([...input.measured.values()]);
  const average = input.isWarm ? `, ${input.average.toFixed(2)} on average` : ' (warming up)';
  return [
    paint('bold', input.title),
    '',
    ...renderNodes(input, paint),
    '',
    `max ÷ mean load: ${ratio === undefined ? '-' : ratio.toFixed(2)} now${average}`,
  ];
}

/** One line a node, under titles. */
export function renderNodes(input: NodesInput, paint: Paint): string[] {
  return renderTable<Line>(
    [
      { title: 'NODE', cell: ({ id }) => id },
      { title: 'STATE', cell: ({ state }) => state },
      { title: 'LOAD', cell: ({ utilization }) => paintLoad(utilization, paint) },
      { title: '', cell: ({ utilization }) => percent(utilization), align: 'right' },
      { title: 'CONNS', cell: ({ connections }) => String(connections), align: 'right' },
      ...(input.showShare ? [shareColumn] : []),
      { title: 'LAG', cell: ({ delayMs }) => `${Math.round(delayMs)} ms`, align: 'right' },
      { title: '', cell: ({ note }) => paint('dim', note) },
    ],
    linesOf(input),
  );
}

function linesOf({ assessment, measured, notes }: NodesInput): Line[] {
  const lines = assessment.snapshot.nodes.map((node, index): Line => {
    const seen = measured.get(node.id);
    const state = assessment.states[index] === 'valid' ? 'ready' : (assessment.states[index] ?? '');
    return {
      id: node.id,
      state: assessment.ineligible[index] ?? state,
      utilization: seen?.utilization ?? 0,
      connections: seen?.connections ?? 0,
      share: assessment.share[index] ?? 0,
      delayMs: seen?.delayMs ?? 0,
      note: notes.get(node.id) ?? '',
    };
  });
  // Nodes register in whatever order they start: lines that stay where they are can be watched.
  return lines.toSorted((a, b) => a.id.localeCompare(b.id));
}

function paintLoad(utilization: number, paint: Paint): string {
  const colour = utilization > 0.95 ? 'red' : utilization > 0.75 ? 'yellow' : 'green';
  return paint(colour, bar(utilization, barWidth));
}
