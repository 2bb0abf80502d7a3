// `herald serve`: runs a balancer until it is told to stop, and takes new configurations over while it runs.
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { Balancer } from '../../balancer/balancer.ts';
import { HeraldError } from '../../core/error.ts';
import { findConfigPath, loadConfig, type LoadedConfig } from '../../platform/config.ts';
import { createLogger, type Logger } from '../../platform/logger.ts';
import { createSystemRng } from '../../platform/system-rng.ts';
import { packageVersion } from '../../platform/version.ts';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import { ConfigFollower } from '../follow-config.ts';
import type { CliIo } from '../io.ts';

interface Flags {
  readonly config?: string;
  readonly grace: number;
}

/** Adds `herald serve`. */
export function registerServe(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  program
    .command('serve')
    .description('run the balancer')
    .option('-c, --config <file>', 'configuration file')
    .option('--grace <seconds>', 'how long open connections have to leave after SIGTERM', seconds, 30)
    .action(async ({ config, grace }: Flags) => {
      const path = findConfigPath(config, io.env, existsSync);
      const loaded = await loadConfig(path, io.env);
      const log = createLogger(loaded.config.log);
      for (const warning of loaded.warnings) log.warn(warning);
      finish(await serve({ path, loaded, log, io, graceMs: grace * 1000 }));
    });
}

function seconds(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 86_400) return value;
  throw new HeraldError('HERALD_USAGE', `--grace takes whole seconds from 0 to 86400, not '${text}'`);
}

async function serve(run: {
  path: string;
  loaded: LoadedConfig;
  log: Logger;
  io: CliIo;
  graceMs: number;
}): Promise<ExitCode> {
  const { path, loaded, log, io, graceMs } = run;
  const { clock } = io;
  const version = packageVersion();
  const balancer = new Balancer({
    loaded,
    clock,
    rng: createSystemRng(),
    log,
    version,
  });
  await balancer.start();
  const follower = new ConfigFollower({ balancer, path, env: io.env, loaded, log, clock });
  const reload = () => void follower.reload();
  process.on('SIGHUP', reload);
  await follower.start();
  log.info({ version, config: path, pid: process.pid }, 'serving');
  await aborted(io.signal);
  process.off('SIGHUP', reload);
  follower.close();
  // A second signal does not wait: the first one's listener is gone, so the default ends the process.
  log.info({ open: balancer.openCount, graceMs }, 'stopping');
  const report = await balancer.stop(graceMs);
  log.info(report, 'stopped');
  return exitCodes.done;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
