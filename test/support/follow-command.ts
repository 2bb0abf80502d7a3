// `herald operations ID --wait` while it waits.
import { startCommand, type RunningCommand } from './herald-command.ts';
import type { HeraldProcess } from './herald-process.ts';
import { until } from './until.ts';

/** Starts to follow an operation; resolves when the command has said that it is under way. */
export async function follow(herald: HeraldProcess, id: string): Promise<RunningCommand> {
  const command = startCommand(['operations', id, '--wait'], { env: { HERALD_SOCKET: herald.socketPath } });
  await until(
    () => command.stderr.includes('is under way'),
    () => command.stderr,
    20_000,
  );
  return command;
}
