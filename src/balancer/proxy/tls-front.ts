// TLS in front of a listener: node:tls over sockets that the transport has accepted. Which certificate, which clients,
// which sessions come back, and what is said of those that fail.
import type { Buffer } from 'node:buffer';
import { constants, createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type Server,
  type TlsOptions,
  type TLSSocket,
} from 'node:tls';
import { describeCertificate } from '../../platform/certificate.ts';
import { ticketPeriodMs } from '../../platform/ticket-keys.ts';
import type { ListenerTlsConfig } from '../../policy/listener-config.ts';
import type { FrontDeps, TlsFrontOptions } from './front.ts';
import type { Ending } from './open.ts';
import { wireOverSocket } from './plain-wire.ts';
import type { TurnedAway } from './ports.ts';
import { carrierOf } from './tls-carrier.ts';
import type { Wire, WireEnds } from './wire.ts';

/** Ends TLS of accepted connections. */
export interface TlsFront {
  /** Takes `wire` over, `seen` being what was read of it; `next` gets a wire of what is inside. */
  accept(wire: Wire, seen: Buffer, next: (wire: Wire) => void): void;
  replace(config: ListenerTlsConfig): void;
  stop(): void;
}

interface Arrival extends Ending {
  readonly ends: WireEnds;
  /** Undefined once it has passed or has been turned away. */
  next: ((wire: Wire) => void) | undefined;
}

// The secret changes twice a day, on its own; looking once in ten minutes is soon enough.
const ticketCheckMs = 10 * 60 * 1000;

export function createTlsFront(deps: FrontDeps, options: TlsFrontOptions): TlsFront {
  /** By the bare socket under TLS. */
  const arrivals = new WeakMap<Socket, Arrival>();
  let keys = options.ticketKeys();
  let server = serverOf(options.config);
  const rotation = deps.clock.repeat(ticketCheckMs, () => {
    const next = freshKeys(options) ?? keys;
    if (next.equals(keys)) return;
    keys = next;
    server.setTicketKeys(keys);
  });

  function serverOf(config: ListenerTlsConfig): Server {
    const made = createConfiguredServer(config, { keys, name: options.name, headMs: deps.timeouts.headMs });
    made.on('secureConnection', (socket) => passed(config, socket));
    made.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      turnAway(carrierOf(socket), reasonOf(error));
      // A handshake that takes too long is told of, but lives on.
      socket.destroy();
    });
    return made;
  }

  function passed(config: ListenerTlsConfig, socket: TLSSocket): void {
    const carrier = carrierOf(socket);
    const arrival = carrier && arrivals.get(carrier);
    if (carrier === undefined || arrival?.next === undefined) return void socket.destroy();
    if (config.clientCertificates === 'optional' && showsWrongCertificate(config, socket)) {
      turnAway(carrier, 'clientCertificate');
      return void socket.destroy();
    }
    const { next, ends } = arrival;
    arrival.next = undefined;
    deps.open.remove(arrival);
    next(wireOverSocket(socket, ends));
  }

  function turnAway(carrier: Socket | undefined, reason: TurnedAway): void {
    const arrival = carrier && arrivals.get(carrier);
    if (arrival?.next === undefined) return;
    arrival.next = undefined;
    deps.open.remove(arrival);
    deps.events.turnedAway(reason);
  }

  return {
    accept(wire, seen, next) {
      if (wire.isClosed) return;
      const { ends } = wire;
      const carrier = wire.toSocket(seen);
      const arrival: Arrival = { ends, next, destroy: () => void carrier.destroy() };
      arrivals.set(carrier, arrival);
      deps.open.add(arrival);
      // TLS hears of errors before this socket does; what is left for it must not end the process.
      carrier.on('error', () => {});
      // Without a word before: broken off, or a certificate of the client's that node:tls does not believe.
      carrier.on('close', () => turnAway(carrier, 'tlsHandshake'));
      server.emit('connection', carrier);
    },
    replace(config) {
      server = serverOf(config);
    },
    stop: () => rotation.cancel(),
  };
}

/** Undefined where the secret cannot be used now: the keys of before are better than no listener. */
function freshKeys({ ticketKeys }: TlsFrontOptions): Buffer | undefined {
  try {
    return ticketKeys();
  } catch {
    return undefined;
  }
}

function reasonOf({ code = '' }: NodeJS.ErrnoException): TurnedAway {
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'tlsTimeout';
  return code === 'ERR_SSL_HTTP_REQUEST' ? 'tlsPlain' : 'tlsHandshake';
}

function showsWrongCertificate(config: ListenerTlsConfig, socket: TLSSocket): boolean {
  if (config.clientCa === undefined || socket.authorized) return false;
  return Object.keys(socket.getPeerCertificate()).length > 0;
}

interface ServerSettings {
  readonly keys: Buffer;
  readonly name: string;
  readonly headMs: number;
}

function createConfiguredServer(config: ListenerTlsConfig, settings: ServerSettings): Server {
  const { certificates, minVersion, clientCa, clientCertificates, ticketSecretPath } = config;
  const shared = {
    minVersion,
    ticketKeys: settings.keys,
    // A session of other rules for clients, or of another listener, is not taken up again.
    sessionIdContext: sessionContext(config, settings.name),
    sessionTimeout: ticketPeriodMs / 1000,
    ...(clientCa !== undefined && { ca: clientCa }),
    ...(ticketSecretPath === undefined && { secureOptions: constants.SSL_OP_NO_TICKET }),
  };
  const contexts = new Map<string, SecureContext>();
  for (const { cert, key } of certificates.slice(1)) {
    const context = createSecureContext({ ...shared, cert, key });
    for (const name of describeCertificate(cert).names) contexts.set(name, context);
  }
  const [first] = certificates;
  // The first one's own names come before a wildcard of another.
  for (const name of describeCertificate(first?.cert ?? '').names) contexts.delete(name);
  const own = new Set(describeCertificate(first?.cert ?? '').names);
  return createServer({
    ...shared,
    cert: first?.cert,
    key: first?.key,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: settings.headMs,
    requestCert: clientCa !== undefined,
    rejectUnauthorized: clientCa !== undefined && clientCertificates === 'required',
    // With one certificate there is nothing to choose, and node:tls goes a longer way where it has to ask.
    ...(contexts.size > 0 && { SNICallback: choosing(own, contexts) }),
  });
}

/** Who has a name chooses by it; undefined chooses the first certificate. */
function choosing(
  own: ReadonlySet<string>,
  contexts: ReadonlyMap<string, SecureContext>,
): NonNullable<TlsOptions['SNICallback']> {
  return (asked, done) => {
    const name = asked.toLowerCase();
    const wildcard = `*${name.slice(name.indexOf('.'))}`;
    done(null, own.has(name) ? undefined : (contexts.get(name) ?? contexts.get(wildcard)));
  };
}

function sessionContext({ clientCa = '', clientCertificates }: ListenerTlsConfig, name: string): string {
  const digest = createHash('sha256').update(`${name}\0${clientCertificates}\0${clientCa}`);
  return digest.digest('hex').slice(0, 32);
}
