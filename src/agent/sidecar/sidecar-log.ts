// What a sidecar writes to its log: one line for each change of state.
import type { Logger } from '../../platform/logger.ts';
import type { AgentEvent } from '../event.ts';

/** One line for an event of the agent. */
export function logEvent(log: Logger, event: AgentEvent): void {
  switch (event.type) {
    case 'reporting':
      log.info({ balancer: event.balancer }, 'reporting');
      return;
    case 'failing':
      log.warn(
        { balancer: event.balancer, code: event.failure.code, reason: event.failure.message },
        'reports are not taken',
      );
      return;
    case 'signalLeftOut':
      log.warn({ signal: event.signal, reason: event.reason }, 'signal left out');
      return;
    case 'adminState':
      log.info({ adminState: event.adminState }, 'admin state changed');
      return;
    case 'agentCheckOpen':
      log.info({ address: event.address }, 'agent-check open');
      return;
    case 'agentCheckFailing':
      log.warn({ code: event.failure.code, reason: event.failure.message }, 'agent-check not open');
  }
}

/** One line for a signal that is missing, or there again. */
export function logMissing(log: Logger, signal: string, reason: string | undefined): void {
  if (reason === undefined) log.info({ signal }, 'signal measured again');
  else log.warn({ signal, reason }, 'signal missing');
}

/** One line for where pressure is read. */
export function logPressure(log: Logger, where: string | undefined): void {
  if (where === undefined) log.info('no pressure signals: this kernel tells none');
  else log.debug({ where }, 'pressure signals');
}
