// `herald scale POOL`: how many nodes the work needs, and which ones would go.
import type { Command } from 'commander';
import type { Scaling } from '../../protocol/scaling.ts';
import type { AdminClient } from '../admin-client.ts';
import { formatAnswer, withAdminClient, withAdminOptions, type AdminFlags } from '../admin-options.ts';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import { usageError } from '../flag-values.ts';
import type { CliIo } from '../io.ts';
import { LiveScreen } from '../live-screen.ts';
import { pause } from '../pause.ts';
import { readScaling } from '../read-scaling.ts';
import { scaleDetail, scaleKey, scaleLine } from '../scale-lines.ts';
import { paintFor } from '../table.ts';

interface Flags extends AdminFlags {
  readonly watch: boolean;
}

// A recommendation is computed every five seconds.
const watchEveryMs = 1000;
const plainColumns = 80;

/** Adds `herald scale`. */
export function registerScale(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  withAdminOptions(program.command('scale'))
    .description('show how many nodes a pool needs, why, and which would go; changes nothing')
    .argument('<POOL>', 'name of the pool')
    .option('-w, --watch', 'draw again on a terminal, else a line for each change, until interrupted', false)
    .action(async (pool: string, flags: Flags) => {
      if (flags.watch && flags.output !== 'table')
        throw usageError('--watch is for people: leave -o out, or use `herald events --follow -o json`');
      finish(await withAdminClient(flags, io, (client) => showScaling(client, { pool, flags, io })));
    });
}

async function showScaling(
  client: AdminClient,
  { pool, flags, io }: { readonly pool: string; readonly flags: Flags; readonly io: CliIo },
): Promise<ExitCode> {
  const { output } = flags;
  if (flags.watch) return watch(client, pool, io);
  const scaling = await readScaling(client, pool);
  if (output === 'table') io.stdout.write(`${detail(scaling, io).join('\n')}\n`);
  else io.stdout.write(formatAnswer(scaling, output));
  return exitCodeOf(scaling);
}

/** Scripts that act on the answer must not take an unknown load for a calm one. */
function exitCodeOf({ state }: Scaling): ExitCode {
  return state === 'known' ? exitCodes.done : exitCodes.failed;
}

async function watch(client: AdminClient, pool: string, io: CliIo): Promise<ExitCode> {
  const screen = new LiveScreen(io.stdout);
  let shown = '';
  let last = await readScaling(client, pool);
  while (!io.signal.aborted) {
    screen.draw(detail(last, io));
    const key = scaleKey(last);
    if (io.stdout.isTTY !== true && key !== shown) io.stdout.write(`${last.at}  ${scaleLine(last)}\n`);
    shown = key;
    await pause(io, watchEveryMs);
    if (!io.signal.aborted) last = await readScaling(client, pool);
  }
  return exitCodes.done;
}

function detail(scaling: Scaling, { stdout, env }: CliIo): string[] {
  return scaleDetail(scaling, { paint: paintFor(stdout, env), columns: stdout.columns ?? plainColumns });
}
