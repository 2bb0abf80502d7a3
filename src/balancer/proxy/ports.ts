// What the HTTP side of the proxy is given by whoever wires it up. Types only.
import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import type { ErrorCode } from '../../core/error.ts';
import type { DescriptorRoom } from '../../platform/descriptors.ts';
import type { NodeLink } from '../../platform/node-links.ts';
import type { Rng } from '../../core/rng.ts';
import type { DialFailure, Placement } from '../state/ports.ts';
import type { AccessStart, AccessStory } from './access.ts';
import type { Affinity } from './affinity.ts';
import type { CensusLimits, ClientCensus } from './census.ts';
import type { MarkRule } from './marks.ts';
import type { Open } from './open.ts';
import type { RelayOptions } from './relay.ts';
import type { HostResolver } from './resolve.ts';
import type { SourceAddresses } from './source-addresses.ts';
import type { Transport, Wire, WireOrigin } from './wire.ts';

/** How long each stage may last. */
interface ProxyTimeouts {
  /** From the first byte of a request head (for the first one: from the connection) to its last. */
  readonly headMs: number;
  /** From the start of a dial, name lookup included, to the connection. */
  readonly dialMs: number;
  /** From the upgrade request sent to the node to the end of its answer's head. */
  readonly handshakeMs: number;
  /** A tunnel in which no byte moves ends after this. */
  readonly tunnelIdleMs: number;
  /** The same for HTTP exchanges: an answer that does not start, or a body that stands still. */
  readonly requestIdleMs: number;
  /** A client's connection between two requests ends after this. */
  readonly keepAliveMs: number;
  /** A client that takes nothing of what waits for it for this long is reset; Infinity: never. */
  readonly stallMs: number;
}

/** What one listener takes at most; Infinity is off. */
interface ProxyLimits extends CensusLimits {
  readonly headBytes: number;
  readonly bodyBytes: number;
}

/** What happens, for counters and logs. Every call is made at once and must not throw. */
export interface ProxyEvents {
  /** Herald answered in place of a node. `pool` is '' when no route matched. */
  refused(pool: string, code: ErrorCode): void;
  /** A node did not take a connection or an exchange. `error` is the origin where there is one. */
  nodeFailed(pool: string, nodeId: string, reason: DialFailure, error: unknown): void;
  /** A connection was closed before anything could be asked of it, or answered. */
  turnedAway(reason: TurnedAway): void;
  /** A connection was not accepted, by the system's code, such as EMFILE. */
  acceptFailed(code: string): void;
  /** A client was cut off within an answer of which it took nothing. */
  clientStalled(pool: string): void;
}

/**
 * Why. `tlsHandshake`: it failed or was broken off, a missing certificate of the client's included; `tlsTimeout`: it
 * took too long; `tlsPlain`: the client spoke HTTP where TLS is spoken; `clientCertificate`: the one shown is not
 * believed. `proxyHeader`: none, or a wrong one; `proxyTimeout`: it took too long; `proxySource`: from a source that
 * is not trusted.
 */
export type TurnedAway =
  | 'tlsHandshake'
  | 'tlsTimeout'
  | 'tlsPlain'
  | 'clientCertificate'
  | 'proxyHeader'
  | 'proxyTimeout'
  | 'proxySource';

/** One tunnel to start: both handshakes are over. */
export interface RelayStart extends Omit<RelayOptions, 'halfClosedTimeoutMs' | 'onEnd'> {
  readonly pool: string;
  /** Called once, when both wires are closed or closing, maybe before the start returns; the lease is released. */
  readonly onEnd: RelayOptions['onEnd'];
}

/** A running tunnel, as its starter sees it. */
export interface RunningRelay {
  /** Ends it at once, without a goodbye. Idempotent. */
  stop(): void;
}

/** Starts a tunnel: takes both wires over, sends what came first, resumes reading. */
export type StartRelay = (start: RelayStart) => RunningRelay;

/** Everything that the gateway and the forwarder share. */
export interface ProxyDeps {
  readonly transport: Transport;
  /** A wire over a socket that node:http has given up: an upgrade that was not canonical. */
  readonly wireOf: (socket: Socket) => Wire;
  /** What the wire knew that has become this socket. */
  readonly originOf: (socket: Socket) => WireOrigin;
  readonly placement: Placement;
  readonly affinity: Affinity;
  readonly resolve: HostResolver;
  /** From where nodes are dialled. */
  readonly sources: SourceAddresses;
  readonly startRelay: StartRelay;
  /** What comes first on connections to the nodes of a pool. */
  readonly linkOf: (pool: string) => NodeLink;
  /** Whether what this peer says about its clients is believed (`trusted` of herald.yaml). */
  readonly trusted: (address: string) => boolean;
  /** How requests are marked, by the newest configuration; absent: not at all. */
  readonly marks?: () => MarkRule;
  /** Begins the story of a connection or an exchange; absent, or undefined given back: nothing is logged of it. */
  readonly access?: (start: AccessStart) => AccessStory | undefined;
  readonly timeouts: ProxyTimeouts;
  readonly limits: ProxyLimits;
  readonly census: ClientCensus;
  /** What is left behind the descriptor of a connection just accepted; absent: enough. */
  readonly roomBehind?: (descriptor: number) => DescriptorRoom;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly events: ProxyEvents;
  readonly open: Open;
}
