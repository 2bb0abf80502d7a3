// `herald serve`: runs the balancer until it is told to stop or has been replaced, and takes new configurations over while
// it runs.
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { Balancer } from '../../balancer/balancer.ts';
import type { WorkersOption } from '../../balancer/client-side.ts';
import { maxWorkers } from '../../balancer/workers/worker-data-plane.ts';
import { HeraldError } from '../../core/error.ts';
import { findConfigPath, loadConfig, type LoadedConfig } from '../../platform/config.ts';
import { tuneForRelaying } from '../../platform/engine.ts';
import { createLogger, type Logger } from '../../platform/logger.ts';
import { createSystemRng } from '../../platform/system-rng.ts';
import { createSystemdNotifier, runProgram, type SystemdNotifier } from '../../platform/systemd-notify.ts';
import { readInheritance, spawnSuccessor, type Inheritance } from '../../platform/takeover-process.ts';
import { packageVersion } from '../../platform/version.ts';
import { automaticWorkers, spawnWorker } from '../../platform/worker-process.ts';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import { ConfigFollower } from '../follow-config.ts';
import type { CliIo } from '../io.ts';
import { askTakeover } from '../take-over.ts';

interface Flags {
  readonly config?: string;
  readonly grace: number;
  readonly takeover: boolean;
  readonly socket?: string;
}

/** Adds `herald serve`. */
export function registerServe(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  program
    .command('serve')
    .description('run the balancer')
    .option('-c, --config <file>', 'configuration file')
    .option('--grace <seconds>', 'how long open connections have to leave after SIGTERM', seconds, 30)
    .option('--takeover', 'have the running balancer replaced by a new process that drops no client', false)
    .option('-s, --socket <path>', 'with --takeover: the admin socket of the running balancer')
    .action(async ({ takeover, grace, ...flags }: Flags) => {
      if (takeover) return askTakeover(flags, io);
      if (flags.socket !== undefined)
        throw new HeraldError(
          'HERALD_USAGE',
          '--socket goes with --takeover: `admin.socket` says where it listens',
        );
      // A signal that comes before everything listens must not end the process: it would be asked for too early.
      process.on('SIGUSR2', ignore);
      const inheritance = readInheritance();
      try {
        finish(await start({ config: flags.config, inheritance, io, graceMs: grace * 1000 }));
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        inheritance.channel?.send({ type: 'failed', reason });
        inheritance.channel?.close();
        throw error;
      }
    });
}

function ignore(): void {}

function seconds(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 86_400) return value;
  throw new HeraldError('HERALD_USAGE', `--grace takes whole seconds from 0 to 86400, not '${text}'`);
}

interface Start {
  readonly inheritance: Inheritance;
  readonly io: CliIo;
  readonly graceMs: number;
}

async function start({ config, ...how }: Start & { config: string | undefined }): Promise<ExitCode> {
  const { env } = how.io;
  const path = findConfigPath(config, env, existsSync);
  const loaded = await loadConfig(path, env);
  const log = createLogger(loaded.config.log);
  for (const warning of loaded.warnings) log.warn(warning);
  return serve({ ...how, path, loaded, log });
}

async function serve(run: Start & { path: string; loaded: LoadedConfig; log: Logger }): Promise<ExitCode> {
  const { path, loaded, log, io, graceMs, inheritance } = run;
  const { clock, env } = io;
  const { pid } = process;
  const version = packageVersion();
  tuneForRelaying();
  const balancer = new Balancer({
    loaded,
    clock,
    rng: createSystemRng(),
    log,
    version,
    heritage: { inheritance, spawn: spawnSuccessor, pid },
    workers: workersOf(loaded.config),
  });
  const systemd = createSystemdNotifier({
    environment: env,
    pid,
    clock,
    run: runProgram,
    onFailure: (reason) => log.warn({ reason }, 'systemd cannot be told'),
  });
  await balancer.start();
  const follower = new ConfigFollower({ balancer, path, env, loaded, log, clock });
  const ends = listenToSignals(balancer, { follower, log });
  await follower.start();
  const { generation } = balancer.takeovers;
  log.info({ version, config: path, pid, generation }, 'serving');
  // By its process id the manager knows that this is the service now, and not the process before.
  await systemd.ready();
  balancer.takeovers.settled();
  void letGoWhenReplaced(balancer, { systemd, follower });
  await Promise.race([aborted(io.signal), balancer.takeovers.retired]);
  ends();
  follower.close();
  // A second signal does not wait: the first one's listener is gone, so the default ends the process.
  log.info({ open: balancer.openCount, graceMs, generation }, 'stopping');
  const telling = systemd.stopping();
  const report = await balancer.stop(graceMs);
  await telling;
  log.info({ ...report, generation }, 'stopped');
  return exitCodes.done;
}

/** Undefined where this process relays itself. */
function workersOf({ workers }: LoadedConfig['config']): WorkersOption | undefined {
  const count = workers === 'auto' ? automaticWorkers() : workers;
  return count === 0 ? undefined : { workers: Math.min(count, maxWorkers), spawn: spawnWorker };
}

/** From then on the files, and the service, are the new process's. */
async function letGoWhenReplaced(
  { takeovers }: Balancer,
  { systemd, follower }: { systemd: SystemdNotifier; follower: ConfigFollower },
): Promise<void> {
  await takeovers.released;
  systemd.letGo();
  follower.close();
}

/** SIGHUP reloads, SIGUSR2 replaces the process; the answer ends that. */
function listenToSignals(
  { takeovers }: Balancer,
  { follower, log }: { follower: ConfigFollower; log: Logger },
): () => void {
  const reload = () => void follower.reload();
  const takeOver = () => {
    // What came of it is logged; what is told here is that it could not even begin.
    takeovers.begin('SIGUSR2').catch((error: unknown) => log.warn({ reason: String(error) }, 'no takeover'));
  };
  process.on('SIGHUP', reload);
  process.on('SIGUSR2', takeOver);
  return () => {
    process.off('SIGHUP', reload);
    process.off('SIGUSR2', takeOver);
  };
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
