// The public listeners of a configuration, wired to placement, relays and counters.
import type { Clock } from '../core/clock.ts';
import type { Rng } from '../core/rng.ts';
import type { NodeLinks } from '../platform/node-links.ts';
import { tcpKey, unixKey, type ListeningSockets } from '../platform/listening-sockets.ts';
import { randomTicketKeys, ticketKeys } from '../platform/ticket-keys.ts';
import { matchesAnyCidr } from '../policy/cidr.ts';
import type { ListenerConfig } from '../policy/config.ts';
import type { AccessLog } from './access-log.ts';
import type { ClientCounts } from './proxy/client-counts.ts';
import { createHttpListener, type HttpListener } from './proxy/listener.ts';
import type { FrontOptions } from './proxy/front.ts';
import type { ProxyDeps, ProxyEvents, StartRelay, TurnedAway } from './proxy/ports.ts';
import type { MarkRule } from './proxy/marks.ts';
import type { RelayEnd, RelayTotals } from './proxy/relay.ts';
import type { Relays } from './proxy/relays.ts';
import { createTcpListener } from './proxy/tcp-listener.ts';
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
  readonly events: Omit<ProxyEvents, 'turnedAway'> & {
    turnedAway(listener: string, reason: TurnedAway): void;
  };
  readonly sockets: ListeningSockets;
  readonly roomBehind: NonNullable<ProxyDeps['roomBehind']>;
  readonly linkOf: NodeLinks['linkOf'];
  /** Where a listener counts what it shares with other processes; undefined where it shares nothing. */
  readonly clientCounts: (listener: string) => ClientCounts | undefined;
  readonly onRelayEnd: (pool: string, reason: RelayEnd, totals: RelayTotals) => void;
}

const noNodes: readonly string[] = [];
// A WebSocket endpoint that has ended its half has said Close before: the other follows within a moment.
const halfClosedTimeoutMs = 60_000;

/** A listener of the configuration, not yet listening. */
export function createConfiguredListener(config: ListenerConfig, parts: ListenerParts): HttpListener {
  const { transport, registry, placement, route, clock, rng, events, linkOf } = parts;
  const counts = parts.clientCounts(config.name);
  const shared = {
    transport,
    bind: { ...config.bind, slot: parts.sockets.slot(listenerKey(config)) },
    placement,
    startRelay: relayStarter(parts),
    linkOf,
    front: frontOf(config, parts),
    timeouts: config.timeouts,
    limits: { ...config.limits, ...(counts && { counts }) },
    sourceAddresses: config.sourceAddresses,
    roomBehind: parts.roomBehind,
    clock,
    rng,
    events: {
      ...events,
      turnedAway: (reason: TurnedAway) => events.turnedAway(config.name, reason),
    },
  };
  if (config.protocol === 'tcp') return createTcpListener({ ...shared, pool: config.pool });
  return createHttpListener({
    ...shared,
    route,
    nodeIds: (pool) => registry.pools.get(pool)?.order.ids ?? noNodes,
    trusted: trustOf(config),
    affinityKeys: parts.affinityKeys,
    marks: parts.marks,
    access: (start) => parts.access.begin(config.name, start),
  });
}

/** Where the listening socket of a listener is kept. */
export function listenerKey({ bind, name }: ListenerConfig): string {
  return 'path' in bind ? unixKey(bind.path) : tcpKey(bind, name);
}

/** Whoever may open a UNIX socket is trusted by its mode: there is no address to tell him by. */
function trustOf({ bind, trusted }: ListenerConfig): (address: string) => boolean {
  const isUnix = 'path' in bind;
  return (address) => (address === '' ? isUnix : trusted.length > 0 && matchesAnyCidr(trusted, address));
}

function frontOf(config: ListenerConfig, { clock }: ListenerParts): FrontOptions {
  const { tls, name, takesProxyHeader } = config;
  const secretPath = tls?.ticketSecretPath;
  return {
    takesProxyHeader: takesProxyHeader ? trustOf(config) : undefined,
    tls: tls && {
      config: tls,
      name,
      protocol: config.protocol === 'http' ? 'http/1.1' : undefined,
      ticketKeys: () =>
        secretPath === undefined ? randomTicketKeys() : ticketKeys(secretPath, name, clock.wallMs()),
    },
  };
}

function relayStarter({ relays, onRelayEnd }: ListenerParts): StartRelay {
  return (start) => {
    const { pool, downstream, upstream, fromClient, fromNode, lease, isFramed, idleTimeoutMs, onEnd } = start;
    return relays.open({
      downstream,
      upstream,
      fromClient,
      fromNode,
      lease,
      isFramed,
      idleTimeoutMs: idleTimeoutMs > 0 ? idleTimeoutMs : Infinity,
      stallTimeoutMs: start.stallTimeoutMs,
      halfClosedTimeoutMs,
      onEnd: (reason, totals) => {
        onRelayEnd(pool, reason, totals);
        onEnd(reason, totals);
      },
    });
  };
}
