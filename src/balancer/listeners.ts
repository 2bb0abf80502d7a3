// The public listeners of a configuration, wired to placement, relays and counters.
import type { Clock } from '../core/clock.ts';
import type { Rng } from '../core/rng.ts';
import { tcpKey, type ListeningSockets } from '../platform/listening-sockets.ts';
import { matchesAnyCidr } from '../policy/cidr.ts';
import type { ListenerConfig } from '../policy/config.ts';
import type { AccessLog } from './access-log.ts';
import { createHttpListener, type HttpListener } from './proxy/listener.ts';
import type { MarkRule } from './proxy/marks.ts';
import { wireOverSocket } from './proxy/plain-wire.ts';
import type { ProxyEvents, StartRelay } from './proxy/ports.ts';
import type { RelayEnd, RelayTotals } from './proxy/relay.ts';
import type { Relays } from './proxy/relays.ts';
import type { Transport } from './proxy/wire.ts';
import type { Placement } from './state/ports.ts';
import type { Registry } from './state/registry.ts';

/** What the listeners share. */
export interface ListenerParts {
  readonly transport: Transport;
  readonly relays: Relays;
  readonly registry: Registry;
  readonly placement: Placement;
  /** The pool for a host and path, by the newest configuration. */
  readonly route: (host: string, path: string) => string | undefined;
  /** Keys of affinity cookies, by the newest configuration. */
  readonly affinityKeys: () => readonly string[];
  readonly access: Pick<AccessLog, 'begin'>;
  /** How requests are marked, by the newest configuration. */
  readonly marks: () => MarkRule;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly events: ProxyEvents;
  readonly sockets: ListeningSockets;
  readonly onRelayEnd: (pool: string, reason: RelayEnd, totals: RelayTotals) => void;
}

const noNodes: readonly string[] = [];
// A WebSocket endpoint that has ended its half has said Close before: the other follows within a moment.
const halfClosedTimeoutMs = 60_000;

/** A listener of the configuration, not yet listening. */
export function createConfiguredListener(config: ListenerConfig, parts: ListenerParts): HttpListener {
  const { transport, registry, placement, route, clock, rng, events } = parts;
  return createHttpListener({
    transport,
    wireOf: wireOverSocket,
    bind: { ...config.bind, slot: parts.sockets.slot(tcpKey(config.bind, config.name)) },
    route,
    placement,
    nodeIds: (pool) => registry.pools.get(pool)?.nodeIds ?? noNodes,
    affinityKeys: parts.affinityKeys,
    marks: parts.marks,
    access: (start) => parts.access.begin(config.name, start),
    startRelay: relayStarter(parts),
    trusted: (address) => config.trusted.length > 0 && matchesAnyCidr(config.trusted, address),
    timeouts: config.timeouts,
    clock,
    rng,
    events,
  });
}

function relayStarter({ relays, onRelayEnd }: ListenerParts): StartRelay {
  return ({ pool, idleTimeoutMs, onEnd, ...start }) =>
    relays.open({
      ...start,
      idleTimeoutMs: idleTimeoutMs > 0 ? idleTimeoutMs : Infinity,
      halfClosedTimeoutMs,
      onEnd: (reason, totals) => {
        onRelayEnd(pool, reason, totals);
        onEnd(reason, totals);
      },
    });
}
