// `herald freeze [POOL]`: stops every automatic action at once, or lets them go on.
import type { Command } from 'commander';
import type { FreezeState } from '../../protocol/operations.ts';
import { formatAnswer, withAdminClient, withAdminOptions, type AdminFlags } from '../admin-options.ts';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import { whyFlag } from '../flag-values.ts';
import type { CliIo } from '../io.ts';
import { columnsOf, foldLines } from '../table.ts';

interface Flags extends AdminFlags {
  readonly release: boolean;
  readonly dryRun: boolean;
  readonly why?: string;
}

/** Adds `herald freeze`. */
export function registerFreeze(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  withAdminOptions(program.command('freeze'))
    .description('stop every automatic action of a pool, or of all, until released; drains go on')
    .argument('[POOL]', 'only this pool')
    .option('--release', 'let automatic actions go on', false)
    .option('-n, --dry-run', 'say how it stands and change nothing', false)
    .option('--why <text>', 'reason for the audit event', whyFlag)
    .action(async (pool: string | undefined, flags: Flags) => {
      const { release, dryRun, output, why = '' } = flags;
      const path = pool === undefined ? '/v1/freeze' : `/v1/pools/${encodeURIComponent(pool)}/freeze`;
      const answer = await withAdminClient(flags, io, async (client) => {
        const before = await client.get<FreezeState>(path);
        if (dryRun) return { before, after: before };
        const after = await client.send<FreezeState>('PUT', path, { body: { frozen: !release, why } });
        return { before, after };
      });
      const lines = foldLines([sentence(pool, answer)], columnsOf(io.stdout, io.env));
      io.stdout.write(output === 'table' ? `${lines.join('\n')}\n` : formatAnswer(answer.after, output));
      if (!release || dryRun || !answer.after.frozen) return;
      io.stderr.write('every pool is frozen together: `herald freeze --release` lets them go on\n');
      finish(exitCodes.failed);
    });
}

function sentence(
  pool: string | undefined,
  { before, after }: { before: FreezeState; after: FreezeState },
): string {
  const what = pool === undefined ? 'every pool' : `pool ${pool}`;
  const { by, why, since } = after.frozen ? after : before;
  const whose = `since ${since} by ${by}${why === '' ? '' : `: ${why}`}`;
  if (!after.frozen) return before.frozen ? `${what}: released (was frozen ${whose})` : `${what}: not frozen`;
  // Releasing one pool leaves a freeze of all in place.
  return `${what}: ${before.frozen ? 'frozen,' : 'frozen now,'} ${whose}`;
}
