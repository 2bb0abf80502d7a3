// How connections to the nodes of a pool begin: a PROXY header, TLS, or neither. Whom to connect to is decided elsewhere.
import { isIP, type Socket } from 'node:net';
import { connect, createSecureContext, type TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';
import type { Clock } from '../core/clock.ts';
import { formatAddress, type Address } from '../policy/address.ts';
import type { PoolConfig } from '../policy/config.ts';
import type { PoolTlsConfig, SentProxyProtocol } from '../policy/listener-config.ts';
import { localProxyHeader, proxyHeader, type ProxiedEnds } from '../protocol/proxy-protocol.ts';

/** The way to the nodes of one pool. Another object as soon as its configuration is another. */
export interface NodeLink {
  readonly proxyProtocol: SentProxyProtocol;
  /** Undefined: plain. */
  readonly tls: NodeTls | undefined;
}

/** TLS to the nodes of one pool, with the sessions that they have given. */
export interface NodeTls {
  /** Begins a handshake over a connected socket; the caller listens for `secureConnect`, `error` and `close`. */
  begin(socket: Socket, node: Address): TLSSocket;
}

/** Nothing in front: what most pools have. */
export const bareLink: NodeLink = Object.freeze({ proxyProtocol: 'off', tls: undefined });

/** The ways to all pools. */
export interface NodeLinks {
  /** `bareLink` for a pool that is not known. */
  linkOf(pool: string): NodeLink;
  /** Pools whose settings are the same keep their sessions. */
  reconfigure(pools: readonly PoolConfig[]): void;
}

/** Code of the error for a handshake that failed. */
export const nodeTlsErrorCode = 'HERALD_NODE_TLS';

// A fleet of thousands; beyond that the oldest make a full handshake.
const maxSessions = 5000;

/** The ways that the configuration says. */
export function createNodeLinks(pools: readonly PoolConfig[]): NodeLinks {
  let links = new Map<string, { readonly settings: string; readonly link: NodeLink }>();
  const configured = (next: readonly PoolConfig[]) => {
    const found = next.map(({ name, tls, proxyProtocol }) => {
      const settings = JSON.stringify({ tls, proxyProtocol });
      const known = links.get(name);
      if (known?.settings === settings) return [name, known] as const;
      if (tls === undefined && proxyProtocol === 'off') return [name, { settings, link: bareLink }] as const;
      return [name, { settings, link: { proxyProtocol, tls: tls && createNodeTls(tls) } }] as const;
    });
    links = new Map(found);
  };
  configured(pools);
  return { linkOf: (pool) => links.get(pool)?.link ?? bareLink, reconfigure: configured };
}

function createNodeTls({ ca, cert, key, serverName, verifies }: PoolTlsConfig): NodeTls {
  const sessions = new Map<string, Buffer>();
  const secureContext = createSecureContext({
    minVersion: 'TLSv1.2',
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  });
  return {
    begin(socket, node) {
      const id = formatAddress(node);
      const session = sessions.get(id);
      const made = connect({
        socket,
        secureContext,
        rejectUnauthorized: verifies,
        // By the address where no name is configured; an address is no name to ask for (RFC 6066, section 3).
        host: node.host,
        servername: serverName ?? (isIP(node.host) === 0 ? node.host : ''),
        ...(session !== undefined && { session }),
      });
      made.on('session', (fresh: Buffer) => remember(sessions, id, fresh));
      // A session that a handshake has failed with is not offered again.
      made.once('error', () => sessions.delete(id));
      return made;
    },
  };
}

function remember(sessions: Map<string, Buffer>, id: string, session: Buffer): void {
  sessions.delete(id);
  sessions.set(id, session);
  const [oldest] = sessions.keys();
  if (sessions.size > maxSessions && oldest !== undefined) sessions.delete(oldest);
}

/** The header for a node; undefined where it expects none. `own`: a connection that is no client's. */
export function headerFor({ proxyProtocol }: NodeLink, ends: ProxiedEnds | 'own'): Buffer | undefined {
  if (proxyProtocol === 'off') return undefined;
  return ends === 'own' ? localProxyHeader(proxyProtocol) : proxyHeader(proxyProtocol, ends);
}

/** The error for a handshake that failed; `cause` may be absent when the node only closed. */
export function nodeTlsError(node: Address, cause: Error | undefined): Error {
  const why = cause?.message ?? 'the node closed the connection';
  const message = `TLS with ${formatAddress(node)} failed: ${why}`;
  return Object.assign(new Error(message, { cause }), { code: nodeTlsErrorCode });
}

/** What a connector of undici needs to know. */
export interface NodeConnection {
  readonly link: NodeLink;
  readonly node: Address;
  /** Whom the connection is for; `own`: Herald itself. */
  readonly ends: ProxiedEnds | 'own';
  readonly clock: Clock;
  /** For the connection, and again for the handshake. */
  readonly timeoutMs: number;
  /** Connects, within the time; absent: from whichever local address the kernel chooses. */
  readonly connectTcp?: buildConnector.connector;
}

/** Connects as undici wants it. Its errors have the codes of undici, of the system, or `nodeTlsErrorCode`. */
export function nodeConnector({
  link,
  node,
  ends,
  clock,
  timeoutMs,
  connectTcp = buildConnector({ timeout: timeoutMs }),
}: NodeConnection): buildConnector.connector {
  const header = headerFor(link, ends);
  return (options, done) => {
    connectTcp(options, (error, socket) => {
      if (error !== null) return done(error, null);
      if (header !== undefined) socket.write(header);
      if (link.tls === undefined) return done(null, socket);
      const secure = link.tls.begin(socket, node);
      const late = clock.schedule(timeoutMs, () => secure.destroy(new Error('no answer in time')));
      let failure: Error | undefined;
      const failed = () => {
        late.cancel();
        done(nodeTlsError(node, failure), null);
      };
      const noted = (cause: Error) => {
        failure = cause;
      };
      secure.on('error', noted);
      secure.once('close', failed);
      secure.once('secureConnect', () => {
        late.cancel();
        secure.off('error', noted);
        secure.off('close', failed);
        done(null, secure);
      });
    });
  };
}
