// What a sidecar on this machine is made of.
import { cpus, hostname, totalmem } from 'node:os';
import { openAgentCheckServer } from '../agent/agent-check-server.ts';
import { createHttpSender } from '../agent/sidecar/http-sender.ts';
import type { SidecarParts } from '../agent/sidecar/sidecar.ts';
import type { Logger } from '../platform/logger.ts';
import { createSystemRng } from '../platform/system-rng.ts';
import type { CliIo } from './io.ts';

/** The parts but for `onReady`. */
export function sidecarParts({ clock }: CliIo, log: Logger): Omit<SidecarParts, 'onReady'> {
  return {
    clock,
    log,
    rng: createSystemRng(),
    root: '/',
    hostname: hostname(),
    // Not the CPUs that this process may use: it measures others.
    machine: () => ({ cpus: Math.max(1, cpus().length), memoryBytes: totalmem() }),
    openSender: createHttpSender,
    openAgentCheckServer,
    async openSources(parts) {
      const { createSources } = await import('../agent/sources/sources.ts');
      return createSources(parts);
    },
  };
}
