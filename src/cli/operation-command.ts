// What commands that begin an operation have in common: their flags, and what they do with the balancer's answer.
import { Option, type Command } from 'commander';
import type { Operation } from '../protocol/operations.ts';
import type { AdminClient } from './admin-client.ts';
import { formatAnswer, type AdminFlags } from './admin-options.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { rateFlag, whyFlag } from './flag-values.ts';
import { exitCodeOf, followOperation, followToEnd } from './follow-operation.ts';
import type { CliIo } from './io.ts';
import { columnsOf, foldLines } from './table.ts';

/** Flags of `withOperationOptions`, and those that say where the balancer is. */
export interface OperationFlags extends AdminFlags {
  /** Connections per second; undefined: the policy's. */
  readonly rate?: number;
  readonly dryRun: boolean;
  readonly detach: boolean;
  readonly why?: string;
}

/** Adds the flags that every such command takes. */
export function withOperationOptions(command: Command): Command {
  return command
    .option('-r, --rate <rate>', "connections per second, such as 20/s (default: the policy's)", rateFlag)
    .option('-n, --dry-run', 'say what would happen and change nothing', false)
    .addOption(new Option('--wait', 'stay until it is over (the default)').conflicts('detach'))
    .option('--detach', 'print the id of the operation and leave it to itself', false)
    .option('--why <text>', 'reason for the audit event', whyFlag);
}

/** The part of a request that these flags say. */
export function operationRequest({ rate, dryRun, why }: OperationFlags): {
  ratePerSecond?: number;
  dryRun?: true;
  why?: string;
} {
  return {
    ...(rate !== undefined && { ratePerSecond: rate }),
    ...(dryRun && { dryRun: true }),
    ...(why !== undefined && { why }),
  };
}

/** What a command has to say beside the operation. */
export interface Told {
  readonly flags: OperationFlags;
  readonly io: CliIo;
  /** Where no operation was begun: what to print, and how to end. */
  readonly instead: { readonly lines: readonly string[]; readonly code: ExitCode };
  /** Said before it is followed; '' for nothing. */
  readonly sentence: string;
}

/** Prints the answer, and stays with the operation in it unless told to leave it; the command's exit code. */
export async function concludeOperation(
  client: AdminClient,
  answer: { readonly operation: Operation | null },
  { flags: { output, detach }, io, instead, sentence }: Told,
): Promise<ExitCode> {
  const { operation } = answer;
  if (output !== 'table') {
    const isLeft = operation === null || detach;
    const last = isLeft ? operation : await followOperation(client, operation, { io, isQuiet: true });
    io.stdout.write(formatAnswer({ ...answer, operation: last }, output));
    return last === null ? instead.code : exitCodeOf(last);
  }
  if (operation === null) {
    io.stdout.write(`${foldLines(instead.lines, columnsOf(io.stdout, io.env)).join('\n')}\n`);
    return instead.code;
  }
  if (sentence !== '') io.stderr.write(`${sentence}\n`);
  if (!detach) return followToEnd(client, operation, io);
  io.stdout.write(`${operation.id}\n`);
  const follow = `\`herald operations ${operation.id} --wait\` follows it`;
  io.stderr.write(`the ${operation.kind} goes on by itself; ${follow}\n`);
  return exitCodes.done;
}
