// What the data plane tells metrics and the log. Nothing here runs for a message.
import type { Logger } from '../platform/logger.ts';
import type { Counts } from './metrics/metrics.ts';
import type { ListenerParts } from './listeners.ts';
import type { RelayEnd, RelayTotals } from './proxy/relay.ts';

/** Events of listeners as counters and log lines. */
export function proxyEvents(metrics: Counts, log: Logger): ListenerParts['events'] {
  return {
    refused: (pool, code) => {
      metrics.countRefusal(pool, code);
      log.debug({ pool, code }, 'refused');
    },
    // Not warn: a node that is down fails as often as clients come; ejection and checks tell it once.
    nodeFailed: (pool, node, reason, error) => log.debug({ pool, node, reason, err: error }, 'node failed'),
    turnedAway: (listener, reason) => {
      metrics.countTurnedAway(listener, reason);
      log.debug({ listener, reason }, 'turned away');
    },
  };
}

/** Ends of relays as counters and log lines. */
export function relayEndSink(
  metrics: Counts,
  log: Logger,
): (pool: string, reason: RelayEnd, totals: RelayTotals) => void {
  return (pool, reason, totals) => {
    metrics.countRelayEnd(reason);
    log.trace({ pool, reason, ...totals }, 'relay ended');
  };
}
