// TLS by node:tls over sockets: where wires have none of their own.
import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { createServer, type Server, type TlsOptions, type TLSSocket } from 'node:tls';
import type { Ending } from './open.ts';
import { wireOverSocket } from './plain-wire.ts';
import { carrierOf } from './tls-carrier.ts';
import type { TlsBeginning, TlsOutcome, TlsTerms, Wire, WireEnds } from './wire.ts';

/** Ends TLS of wires that become sockets, on the terms that it was made with. */
export interface TlsSockets {
  /** Takes `wire` over; the result ends the handshake. */
  accept(wire: Wire, beginning: Omit<TlsBeginning, 'terms'>): Pick<Ending, 'destroy'>;
}

interface Arrival {
  readonly ends: WireEnds;
  readonly outcome: TlsOutcome;
}

export function createTlsSockets(terms: TlsTerms): TlsSockets {
  /** By the bare socket under TLS, until its handshake has passed or failed. */
  const arrivals = new WeakMap<Socket, Arrival>();
  const server = serverOf(terms);
  server.on('secureConnection', (socket) => {
    const arrival = take(carrierOf(socket));
    if (arrival === undefined) return socket.destroy();
    const { ends, outcome } = arrival;
    if (terms.clientCertificates !== 'optional' || !showsWrongCertificate(socket))
      return outcome.passed(wireOverSocket(socket, { ends, isEncrypted: true }));
    outcome.certificateWrong();
    outcome.failed(undefined);
    socket.destroy();
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    take(carrierOf(socket))?.outcome.failed(error);
    socket.destroy();
  });

  /** Once for each: what comes of a handshake is told once. */
  function take(carrier: Socket | undefined): Arrival | undefined {
    if (carrier === undefined) return undefined;
    const arrival = arrivals.get(carrier);
    arrivals.delete(carrier);
    return arrival;
  }

  return {
    accept(wire, { seen, outcome }) {
      const { ends } = wire;
      const carrier = wire.toSocket(seen);
      // It may flow from the next tick on; TLS takes from it a tick later, and what flows to nobody is lost.
      carrier.pause();
      arrivals.set(carrier, { ends, outcome });
      // TLS hears of errors before this socket does; what is left for it must not end the process.
      carrier.on('error', () => {});
      // Without a word before: broken off, or a certificate of the client's that node:tls does not believe.
      carrier.on('close', () => take(carrier)?.outcome.failed(undefined));
      server.emit('connection', carrier);
      return { destroy: () => void carrier.destroy() };
    },
  };
}

/** It never listens: connections are given to it. */
function serverOf({ options, clientCertificates, choose, protocols }: TlsTerms): Server {
  return createServer({
    ...options,
    ...(protocols.length > 0 && { ALPNProtocols: Buffer.from(protocols) }),
    requestCert: clientCertificates !== 'off',
    rejectUnauthorized: clientCertificates === 'required',
    ...(choose && { SNICallback: sniOf(choose) }),
  });
}

function sniOf(choose: NonNullable<TlsTerms['choose']>): NonNullable<TlsOptions['SNICallback']> {
  return (name, done) => done(null, choose(name));
}

function showsWrongCertificate(socket: TLSSocket): boolean {
  return !socket.authorized && Object.keys(socket.getPeerCertificate()).length > 0;
}
