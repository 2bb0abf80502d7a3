// What the data plane tells metrics and the log. Nothing here runs for a message.
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { ListenerParts } from './listeners.ts';
import type { Counts } from './metrics/metrics.ts';
import { localCodeOf } from './proxy/failure.ts';
import type { RelayEnd, RelayTotals } from './proxy/relay.ts';

// Without descriptors every connection fails: one line in ten seconds says as much as many.
const acceptLogMs = 10_000;

/** Events of listeners as counters and log lines. */
export function proxyEvents(metrics: Counts, log: Logger, clock: Clock): ListenerParts['events'] {
  const unaccepted = { count: 0, toldMs: -Infinity };
  return {
    refused: (pool, code) => {
      metrics.countRefusal(pool, code);
      log.debug({ pool, code }, 'refused');
    },
    // Not warn: a node that is down fails as often as clients come; ejection and checks tell it once.
    nodeFailed: (pool, node, reason, error) => {
      const ours = localCodeOf(error);
      if (ours !== '') metrics.countLocalDialFailure(ours);
      log.debug({ pool, node, reason, err: error }, 'node failed');
    },
    acceptFailed: (code) => {
      metrics.countAcceptFailure(code);
      unaccepted.count += 1;
      const nowMs = clock.nowMs();
      if (nowMs - unaccepted.toldMs < acceptLogMs) return;
      log.warn({ code, times: unaccepted.count }, 'connections are not accepted: no descriptor is left');
      unaccepted.count = 0;
      unaccepted.toldMs = nowMs;
    },
    clientStalled: (pool) => {
      metrics.countStalledAnswer(pool);
      log.debug({ pool }, 'client stalled');
    },
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
