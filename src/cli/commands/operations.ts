// `herald operations [ID]`: lists drains and rebalances, shows one, waits for it or ends it.
import type { Command } from 'commander';
import type { Operation, OperationList } from '../../protocol/operations.ts';
import type { AdminClient } from '../admin-client.ts';
import { formatAnswer, withAdminClient, withAdminOptions, type AdminFlags } from '../admin-options.ts';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import { usageError, whyFlag } from '../flag-values.ts';
import { exitCodeOf, followOperation, followToEnd } from '../follow-operation.ts';
import type { CliIo } from '../io.ts';
import { operationDetail, operationTable } from '../operation-lines.ts';
import { columnsOf, paintFor } from '../table.ts';

interface Flags extends AdminFlags {
  readonly cancel: boolean;
  readonly wait: boolean;
  readonly pool?: string;
  readonly why?: string;
}

interface Run {
  readonly id: string | undefined;
  readonly flags: Flags;
  readonly io: CliIo;
}

/** Adds `herald operations`. */
export function registerOperations(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  withAdminOptions(program.command('operations'))
    .description('list drains and rebalances, running ones first; with ID show, follow or end one')
    .argument('[ID]', 'id of an operation')
    .option('--cancel', 'end it; nodes of a cancelled drain stay in drain', false)
    .option('--wait', 'stay until it is over', false)
    .option('--pool <pool>', 'only operations of this pool')
    .option('--why <text>', 'reason for the audit event, with --cancel', whyFlag)
    .action(async (id: string | undefined, flags: Flags) => {
      refuseCombinations(id, flags);
      finish(await withAdminClient(flags, io, (client) => operations(client, { id, flags, io })));
    });
}

function refuseCombinations(id: string | undefined, { cancel, wait, pool, why }: Flags): void {
  if (id === undefined && (cancel || wait))
    throw usageError(
      `--${cancel ? 'cancel' : 'wait'} needs the id of an operation, see \`herald operations\``,
    );
  if (cancel && wait) throw usageError('--cancel and --wait exclude each other');
  if (id !== undefined && pool !== undefined) throw usageError('--pool goes with the list, not with one ID');
  if (why !== undefined && !cancel) throw usageError('--why goes with --cancel');
  if (why !== undefined && !/^[\x20-\x7e]*$/.test(why)) throw usageError('--why takes ASCII here');
}

async function operations(client: AdminClient, { id, flags, io }: Run): Promise<ExitCode> {
  if (id === undefined) return list(client, flags, io);
  const { output, cancel, wait, why } = flags;
  const path = `/v1/operations/${encodeURIComponent(id)}`;
  const found = await client.get<Operation>(path);
  if (wait && output === 'table') return followToEnd(client, found, io);
  const operation = cancel
    ? await client.send<Operation>('DELETE', path, why === undefined ? {} : { why })
    : wait
      ? await followOperation(client, found, { io, isQuiet: true })
      : found;
  if (output !== 'table') io.stdout.write(formatAnswer(operation, output));
  else {
    const lines = operationDetail(operation, {
      paint: paintFor(io.stdout, io.env),
      columns: columnsOf(io.stdout, io.env),
    });
    // An operation that was over stays as it was: say so before somebody believes to have ended it.
    if (cancel && found.state !== 'running') lines.push(`it was over already: ${found.state}`);
    io.stdout.write(`${lines.join('\n')}\n`);
  }
  return wait ? exitCodeOf(operation) : exitCodes.done;
}

async function list(client: AdminClient, { output, pool }: Flags, io: CliIo): Promise<ExitCode> {
  const query = pool === undefined ? '' : `?pool=${encodeURIComponent(pool)}`;
  const answer = await client.get<OperationList>(`/v1/operations${query}`);
  io.stdout.write(
    output === 'table'
      ? `${operationTable(answer.operations, columnsOf(io.stdout, io.env)).join('\n')}\n`
      : formatAnswer(answer, output),
  );
  return exitCodes.done;
}
