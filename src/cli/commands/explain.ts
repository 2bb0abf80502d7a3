// `herald explain POOL`: why the next connection goes where.
import type { Command } from 'commander';
import type { NodeExplanation, PoolExplanation } from '../../protocol/admin-api.ts';
import { formatAnswer, withAdminClient, withAdminOptions, type AdminFlags } from '../admin-options.ts';
import type { CliIo } from '../io.ts';
import { columnsOf, paintFor, percent, renderTable, wrapText, type Paint } from '../table.ts';

/** Adds `herald explain`. */
export function registerExplain(program: Command, io: CliIo): void {
  withAdminOptions(program.command('explain'))
    .description('say why the next connection of a pool goes where')
    .argument('<POOL>', 'name of the pool')
    .action(async (pool: string, flags: AdminFlags) => {
      const path = `/v1/pools/${encodeURIComponent(pool)}/explain`;
      const answer = await withAdminClient(flags, io, (client) => client.get<PoolExplanation>(path));
      const { output } = flags;
      const text =
        output === 'table'
          ? `${renderExplanation(answer, paintFor(io.stdout, io.env), columnsOf(io.stdout, io.env)).join('\n')}\n`
          : formatAnswer(answer, output);
      io.stdout.write(text);
    });
}

/** Lines of at most `columns`: the answer first, then the figures, then a sentence for each node. */
function renderExplanation(answer: PoolExplanation, paint: Paint, columns: number): string[] {
  // Paragraphs are for reading, in a pipe as well; beyond a hundred characters a line is hard to follow.
  const width = Number.isFinite(columns) ? columns : 80;
  const paragraph = (text: string) => wrapText(text, width, '  ');
  return [
    ...paragraph(answer.summary).map((line) => paint('bold', line)),
    ...[answer.basisReason, arithmetic(answer), answer.learnedReason, ...answer.notes].flatMap(paragraph),
    '',
    ...renderTable<NodeExplanation>(
      [
        { title: 'NODE', cell: ({ id }) => id, whenNarrow: 12 },
        { title: 'SCORE', cell: ({ score }) => percent(score), align: 'right' },
        { title: 'REPORTED', cell: ({ reported }) => percent(reported), align: 'right' },
        { title: 'SINCE', cell: ({ added }) => signed(added), align: 'right' },
        { title: 'SLOPE', cell: ({ slope }) => perConnection(slope), align: 'right' },
        { title: 'BOUND', cell: ({ bound }) => (bound === null ? '-' : bound.toFixed(1)), align: 'right' },
        { title: 'SHARE', cell: ({ share }) => percent(share), align: 'right' },
      ],
      answer.nodes,
      columns,
    ),
    '',
    ...answer.nodes.flatMap((node) =>
      paragraph(`${paint('bold', node.id)}: ${node.scoreReason} ${node.shareReason} ${node.learnedReason}`),
    ),
  ];
}

function arithmetic(answer: PoolExplanation): string {
  const level = answer.level === null ? 'there is no room' : `fills the nodes up to ${percent(answer.level)}`;
  const horizon = `${(answer.horizonMs / 1000).toFixed(1)} s`;
  const rate = answer.arrivalsPerSecond.toFixed(1);
  return `${rate} connections/s arrive; what is shared out at once (${answer.arrivals.toFixed(1)}, horizon ${horizon}) ${level}.`;
}

function signed(part: number | null): string {
  if (part === null) return '-';
  return `${part < 0 ? '−' : '+'}${Math.abs(part * 100).toFixed(1)}%`;
}

function perConnection(slope: number | null): string {
  return slope === null ? '-' : `${(slope * 100).toPrecision(2)}%`;
}
