// Runs a sidecar until it is told to stop, and takes a new agent.yaml over on SIGHUP.
import { reasonOf, Sidecar } from '../agent/sidecar/sidecar.ts';
import { createLogger, type Logger } from '../platform/logger.ts';
import { createSystemdNotifier, runProgram } from '../platform/systemd-notify.ts';
import { packageVersion } from '../platform/version.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import type { CliIo } from './io.ts';
import { readAgentConfig } from './read-agent-config.ts';
import { sidecarParts } from './sidecar-parts.ts';

/** Runs until `io.signal` aborts. Throws what is wrong with the configuration, and HERALD_LISTEN_FAILED. */
export async function runAgent(path: string, io: CliIo): Promise<ExitCode> {
  const { config, warnings } = await readAgentConfig(path, io);
  const log = createLogger(config.log);
  for (const warning of warnings) log.warn(warning);
  const notifier = createSystemdNotifier({
    environment: io.env,
    pid: process.pid,
    clock: io.clock,
    run: runProgram,
    onFailure: (reason) => log.warn({ reason }, 'systemd cannot be told'),
  });
  const sidecar = new Sidecar({
    ...sidecarParts(io, log),
    onReady: () => void notifier.ready(),
  });
  await sidecar.start(config);
  const reload = createReload({ path, io, log, sidecar });
  process.on('SIGHUP', reload);
  const facts = { node: sidecar.status?.node, pool: config.pool, measure: config.measure };
  log.info({ version: packageVersion(), config: path, pid: process.pid, ...facts }, 'agent started');
  await aborted(io.signal);
  process.off('SIGHUP', reload);
  log.info('stopping');
  await Promise.all([sidecar.stop(), notifier.stopping()]);
  log.info('stopped');
  return exitCodes.done;
}

/** Reads the file again; one reading at a time, and another after it when the signal came meanwhile. */
function createReload(run: { path: string; io: CliIo; log: Logger; sidecar: Sidecar }): () => void {
  const { path, io, log, sidecar } = run;
  let isReading = false;
  let isStale = false;

  async function reload(): Promise<void> {
    try {
      const { config, warnings } = await readAgentConfig(path, io);
      for (const warning of warnings) log.warn(warning);
      await sidecar.reload(config);
      log.info({ node: sidecar.status?.node, pool: config.pool }, 'configuration reloaded');
    } catch (error) {
      log.error({ problems: reasonOf(error) }, 'configuration refused: the old one goes on');
    }
  }

  async function reloadAll(): Promise<void> {
    isReading = true;
    while (isStale && !io.signal.aborted) {
      isStale = false;
      await reload();
    }
    isReading = false;
  }

  return () => {
    isStale = true;
    if (!isReading) void reloadAll();
  };
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
