// `herald rebalance POOL`: moves connections from the hottest nodes to the others, and stays until the pool is level.
import type { Command } from 'commander';
import type { RebalanceAnswer } from '../../protocol/operations.ts';
import type { AdminClient } from '../admin-client.ts';
import { withAdminClient, withAdminOptions } from '../admin-options.ts';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import type { CliIo } from '../io.ts';
import {
  concludeOperation,
  operationRequest,
  withOperationOptions,
  type OperationFlags,
} from '../operation-command.ts';
import { columnsOf, percent, renderTable } from '../table.ts';

/** Adds `herald rebalance`. */
export function registerRebalance(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  const command = withAdminOptions(program.command('rebalance'))
    .description('let connections of the hottest nodes of a pool go, so that they come back on cooler ones')
    .argument('<POOL>', 'name of the pool');
  withOperationOptions(command).action(async (pool: string, flags: OperationFlags) => {
    finish(await withAdminClient(flags, io, (client) => rebalance(client, { pool, flags, io })));
  });
}

async function rebalance(
  client: AdminClient,
  { pool, flags, io }: { pool: string; flags: OperationFlags; io: CliIo },
): Promise<ExitCode> {
  const path = `/v1/pools/${encodeURIComponent(pool)}/rebalance`;
  const answer = await client.send<RebalanceAnswer>('POST', path, { body: operationRequest(flags) });
  const { refusal } = answer;
  const instead = {
    lines: [
      answer.sentence,
      ...movesTable(answer, columnsOf(io.stdout, io.env)),
      ...(refusal === null ? [] : [`would be refused: ${refusal.message}`]),
      ...(flags.dryRun && refusal === null ? ['nothing was changed: this was a dry run'] : []),
    ],
    code: refusal === null ? exitCodes.done : exitCodes.refused,
  };
  return concludeOperation(client, answer, { flags, io, instead, sentence: answer.sentence });
}

function movesTable({ moves }: RebalanceAnswer, columns: number): string[] {
  if (moves.length === 0) return [];
  type Move = RebalanceAnswer['moves'][number];
  return renderTable<Move>(
    [
      { title: 'NODE', cell: ({ node }) => node },
      { title: 'WOULD MOVE', cell: ({ connections }) => String(connections), align: 'right' },
      // The part of the node's load that goes with them.
      { title: 'RELIEF', cell: ({ utilization }) => percent(utilization), align: 'right' },
    ],
    moves,
    columns,
  );
}
