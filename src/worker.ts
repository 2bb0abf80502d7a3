// The entry of a worker's process: started by the main process, which tells it everything; nobody starts it by hand.
import { RelayWorker } from './balancer/relay-worker.ts';
import { tuneForRelaying } from './platform/engine.ts';
import { createLogger } from './platform/logger.ts';
import { createSystemClock } from './platform/system-clock.ts';
import { createSystemRng } from './platform/system-rng.ts';
import { createUseMeter, readWorkerPlace, type WorkerPlace } from './platform/worker-process.ts';

const place = readWorkerPlace();
if (place === undefined) {
  process.stderr.write('herald: this file is started by `herald serve` where `workers` says so\n');
  process.exitCode = 2;
} else await work(place);

/** Works until the main process says stop, or is gone. */
async function work({ worker, ...place }: WorkerPlace): Promise<void> {
  process.title = `herald worker ${worker}`;
  tuneForRelaying();
  const relay = new RelayWorker({
    place: { worker, ...place },
    clock: createSystemClock(),
    rng: createSystemRng(),
    logOf: ({ config }) => createLogger(config.log, { worker }),
    use: createUseMeter(),
  });
  // Signals to the whole group, as by Ctrl-C or a service manager, are the main process's to answer. The second one
  // ends that at once: this process, too.
  for (const signal of ['SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => {});
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      relay.hurry();
      process.once(signal, () => process.exit(1));
    });
  await relay.run();
  place.channel.close();
}
