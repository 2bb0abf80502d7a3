// What the data plane tells metrics and the log. Nothing here runs for a message.
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { ListenerParts } from './listeners.ts';
import type { Counts } from './metrics/metrics.ts';
import { localCodeOf } from './proxy/failure.ts';
import type { RelayEnd, RelayTotals } from './proxy/relay.ts';

// Without descriptors every connection fails: one line in ten seconds says as much as many.
const descriptorLogMs = 10_000;

/** Events of listeners as counters and log lines. */
export function proxyEvents(metrics: Counts, log: Logger, clock: Clock): ListenerParts['events'] {
  const unaccepted = new RareWarning(log, clock, 'connections are not accepted: no descriptor is left');
  const refused = new RareWarning(log, clock, 'connections are refused: descriptors run short');
  return {
    refused: (pool, code) => {
      metrics.countRefusal(pool, code);
      if (code === 'HERALD_DESCRIPTORS_SHORT') refused.happened(code);
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
      unaccepted.happened(code);
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

/** Something that happens to every connection, or to none. */
class RareWarning {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #text: string;
  #count = 0;
  #toldMs = -Infinity;

  constructor(log: Logger, clock: Clock, text: string) {
    this.#log = log;
    this.#clock = clock;
    this.#text = text;
  }

  happened(code: string): void {
    this.#count += 1;
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#toldMs < descriptorLogMs) return;
    this.#log.warn({ code, times: this.#count }, this.#text);
    this.#count = 0;
    this.#toldMs = nowMs;
  }
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
