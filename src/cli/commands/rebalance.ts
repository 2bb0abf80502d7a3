// `herald rebalance POOL`: moves connections from the hottest nodes to the others, and stays until the pool is level.
import type { Command } from 'commander';
import type { RebalanceAnswer, RebalanceRequest } from '../../protocol/operations.ts';
import type { AdminClient } from '../admin-client.ts';
import { formatAnswer, withAdminClient, withAdminOptions, type AdminFlags } from '../admin-options.ts';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import { rateFlag, whyFlag } from '../flag-values.ts';
import { exitCodeOf, followOperation, followToEnd } from '../follow-operation.ts';
import type { CliIo } from '../io.ts';
import { ratio } from '../operation-lines.ts';
import { percent, renderTable } from '../table.ts';

interface Flags extends AdminFlags {
  readonly rate?: number;
  readonly dryRun: boolean;
  readonly detach: boolean;
  readonly why?: string;
}

/** Adds `herald rebalance`. */
export function registerRebalance(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  withAdminOptions(program.command('rebalance'))
    .description('let connections of the hottest nodes of a pool go, so that they come back on cooler ones')
    .argument('<POOL>', 'name of the pool')
    .option('-r, --rate <rate>', "connections per second, such as 20/s (default: the policy's)", rateFlag)
    .option('-n, --dry-run', 'say what would move and change nothing', false)
    .option('--wait', 'stay until it is over (the default)')
    .option('--detach', 'print the id of the operation and leave it to itself', false)
    .option('--why <text>', 'reason for the audit event', whyFlag)
    .action(async (pool: string, flags: Flags) => {
      finish(await withAdminClient(flags, io, (client) => rebalance(client, { pool, flags, io })));
    });
}

async function rebalance(
  client: AdminClient,
  { pool, flags, io }: { pool: string; flags: Flags; io: CliIo },
): Promise<ExitCode> {
  const { output, detach } = flags;
  const path = `/v1/pools/${encodeURIComponent(pool)}/rebalance`;
  const answer = await client.send<RebalanceAnswer>('POST', path, { body: requestOf(flags) });
  const { operation } = answer;
  if (output !== 'table') {
    const last =
      operation === null || detach
        ? operation
        : await followOperation(client, operation, { io, isQuiet: true });
    io.stdout.write(formatAnswer({ ...answer, operation: last }, output));
    return last === null ? exitCodes.done : exitCodeOf(last);
  }
  if (operation === null) {
    io.stdout.write(`${planLines(answer, flags).join('\n')}\n`);
    return exitCodes.done;
  }
  io.stderr.write(`${answer.sentence}\n`);
  if (!detach) return followToEnd(client, operation, io);
  io.stdout.write(`${operation.id}\n`);
  io.stderr.write(`it goes on by itself; \`herald operations ${operation.id} --wait\` follows it\n`);
  return exitCodes.done;
}

function requestOf({ rate, dryRun, why }: Flags): RebalanceRequest {
  return {
    ...(rate !== undefined && { ratePerSecond: rate }),
    ...(dryRun && { dryRun }),
    ...(why !== undefined && { why }),
  };
}

function planLines({ sentence, moves, imbalance }: RebalanceAnswer, { dryRun }: Flags): string[] {
  const table = renderTable(
    [
      { title: 'NODE', cell: ({ node }: RebalanceAnswer['moves'][number]) => node },
      { title: 'LOAD', cell: ({ utilization }) => percent(utilization), align: 'right' },
      { title: 'WOULD MOVE', cell: ({ connections }) => String(connections), align: 'right' },
    ],
    moves,
  );
  return [
    sentence,
    ...(moves.length === 0 ? [] : table),
    ...(imbalance.now === null
      ? []
      : [`max ÷ mean ${ratio(imbalance.now)} now, ${ratio(imbalance.predicted)} predicted`]),
    ...(dryRun ? ['nothing was changed: this was a dry run'] : []),
  ];
}
