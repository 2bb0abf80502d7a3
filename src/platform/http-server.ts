// An HTTP server with bounded time and size for intake and admin. What it answers is http-app.ts.
import { getRequestListener } from '@hono/node-server';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, ListenOptions, Socket } from 'node:net';
import type { Clock, Timer } from '../core/clock.ts';
import { HeraldError } from '../core/error.ts';
import { problemResponse } from '../protocol/http-error.ts';
import { answerProblem, type HttpApp } from './http-app.ts';
import { listenIn, type ListenSlot } from './listening-sockets.ts';

/** How long and how much a client may take. */
export interface HttpLimits {
  /** From the first byte of a head to its last. */
  readonly headTimeoutMs: number;
  /** From the first byte of a request to the last of its body. */
  readonly requestTimeoutMs: number;
  /** How long a connection may wait for its next request. */
  readonly keepAliveTimeoutMs: number;
  /** How long `stop` waits for requests in progress. */
  readonly stopGraceMs: number;
  /** Connections beyond this are closed as they come, so that a flood does not take the relay's descriptors. */
  readonly maxConnections: number;
}

/** Agents report every second and scrapers ask every half minute: both keep their connection within a minute. */
export const defaultHttpLimits: HttpLimits = {
  headTimeoutMs: 5000,
  requestTimeoutMs: 10_000,
  keepAliveTimeoutMs: 65_000,
  stopGraceMs: 2000,
  maxConnections: 8192,
};

/** What TLS needs, as PEM texts. */
export interface TlsMaterial {
  /** The certificate, with those between it and its root. */
  readonly cert: string;
  /** The key: never logged. */
  readonly key: string;
  /** Who must have signed a client's certificate; undefined: clients need none. */
  readonly clientCa: string | undefined;
}

const maxHeadBytes = 16 * 1024;
// Node looks for overdue requests this often: half a second is fine against timeouts of seconds.
const timeoutCheckMs = 500;
// Agents report every second on a connection that they keep: none may go on talking to a server that has retired.
const retiredCheckMs = 250;

/** A server that listens once and stops once. */
export class HttpServer {
  readonly #server: Server | TlsServer;
  readonly #asksForCertificate: boolean;
  readonly #clock: Clock;
  readonly #limits: HttpLimits;
  readonly #onError: (error: unknown) => void;
  #stopping: Promise<void> | undefined;
  #retiring: Timer | undefined;

  /** `onError` hears of trouble with accepting, such as a system out of descriptors: the server goes on. */
  constructor(deps: {
    app: HttpApp;
    clock: Clock;
    limits: HttpLimits;
    /** Undefined: plain HTTP. */
    tls?: TlsMaterial | undefined;
    onError: (error: unknown) => void;
  }) {
    const { app, clock, limits } = deps;
    this.#onError = deps.onError;
    this.#clock = clock;
    this.#limits = limits;
    this.#server = serverOf(app, limits, deps.tls);
    this.#asksForCertificate = deps.tls?.clientCa !== undefined;
    this.#server.maxConnections = limits.maxConnections;
    this.#server.on('clientError', answerClientError);
  }

  /**
   * New connections are made with this from now on; open ones keep what they were made with. Nothing changes for a
   * server without TLS, nor when clients would need a certificate where they needed none, or the other way round:
   * a server that asks for one and is given no authority would believe every public one.
   */
  replaceTls({ cert, key, clientCa }: TlsMaterial): void {
    if (!('setSecureContext' in this.#server)) return;
    if ((clientCa !== undefined) !== this.#asksForCertificate) return;
    this.#server.setSecureContext({
      cert,
      key,
      minVersion,
      ...(clientCa === undefined ? {} : { ca: clientCa }),
    });
  }

  /**
   * Starts listening; the bind itself happens before this returns. Rejects with what node:net says, so that
   * the caller can name the listener. After a rejection it may be called again. What `slot` has inherited is listened on
   * in place of `options`.
   */
  listen(options: ListenOptions, slot?: ListenSlot): Promise<AddressInfo | string | null> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      listenIn(server, { slot, options }, () => {
        server.off('error', reject);
        server.on('error', this.#onError);
        resolve(server.address());
      });
    });
  }

  /** Stops accepting; requests in progress take what time they need, until `stop`, and none follows on their connection. Idempotent. */
  retire(): void {
    if (!this.#server.listening) return;
    const server = this.#server;
    // Connections between two requests are closed by this, too; those that are answered now are idle a moment later.
    server.close();
    this.#retiring = this.#clock.repeat(retiredCheckMs, () => server.closeIdleConnections());
  }

  /** Stops accepting, lets requests in progress end within the grace, then closes every connection. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#close();
    return this.#stopping;
  }

  async #close(): Promise<void> {
    if (!this.#server.listening && this.#retiring === undefined) return;
    this.#retiring?.cancel();
    let timer: Timer | undefined;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeIdleConnections();
    timer = this.#clock.schedule(this.#limits.stopGraceMs, () => this.#server.closeAllConnections());
    await closed;
    timer.cancel();
  }
}

const minVersion = 'TLSv1.2';

function serverOf(app: HttpApp, limits: HttpLimits, tls: TlsMaterial | undefined): Server | TlsServer {
  const options = {
    headersTimeout: limits.headTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(timeoutCheckMs, limits.headTimeoutMs),
    maxHeaderSize: maxHeadBytes,
    // The app answers a missing Host itself, as a problem and not as an empty 400.
    requireHostHeader: false,
  };
  // Not createAdaptorServer: it has no way to answer a bad Host or target by a problem. The adapter puts its
  // light Request and Response in place of the global ones: a report then takes 55 µs of CPU instead of
  // 100 (bare node:http: 45), and only the balancer's own process, never an agent's, is concerned.
  const listener = getRequestListener((request, env) => app.fetch(request, env), {
    hostname: 'localhost',
    errorHandler: (error) => answerProblem(invalidRequest(error)),
  });
  if (tls === undefined) return createServer(options, listener);
  const { cert, key, clientCa } = tls;
  const clients = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
  const handshakeTimeout = limits.headTimeoutMs;
  return createTlsServer({ ...options, cert, key, minVersion, handshakeTimeout, ...clients }, listener);
}

function invalidRequest(error: unknown): HeraldError {
  const why = error instanceof Error ? error.message : 'malformed';
  return new HeraldError(
    'HERALD_REQUEST_INVALID',
    `the request cannot be read: ${why}`,
    {},
    { cause: error },
  );
}

/** Bytes that are not HTTP, or come too slowly: there is no request to answer, so the answer is written by hand. */
function answerClientError(error: NodeJS.ErrnoException, stream: unknown): void {
  // node:http types the second argument as Duplex; without a custom server it is the net.Socket or the TLSSocket.
  const socket = stream as Socket;
  // After a failed handshake there is nothing that the client could read.
  const isHandshake = /^(ERR_SSL|ERR_TLS|EPROTO)/.test(error.code ?? '');
  if (isHandshake || error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  socket.write(problemResponse(clientError(error)));
  socket.destroySoon();
}

function clientError(error: NodeJS.ErrnoException): HeraldError {
  if (error.code === 'HPE_HEADER_OVERFLOW')
    return new HeraldError('HERALD_HEAD_TOO_LARGE', `the request head is larger than ${maxHeadBytes} bytes`);
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new HeraldError('HERALD_REQUEST_TIMEOUT', 'the request did not arrive in time');
  return invalidRequest(error);
}
