// The admin API: on a UNIX socket for its owner, and on TCP with tokens where that is configured. Routes are in
// api/routes.ts and documented in docs/reference/api.md.
import { listenAtPath, type SocketFile } from '../../platform/socket-file.ts';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import { createHttpApp, type HttpRoutes } from '../../platform/http-app.ts';
import {
  defaultHttpLimits,
  HttpServer,
  type HttpLimits,
  type TlsMaterial,
} from '../../platform/http-server.ts';
import type { ListenSlot } from '../../platform/listening-sockets.ts';
import type { PolicyFiles } from '../../platform/policy-files.ts';
import { formatAddress, type Address } from '../../policy/address.ts';
import type { Policy } from '../../policy/policy.ts';
import { aloneAnswer, type PeersAnswer } from '../../protocol/peering.ts';
import type { WorkerDetail } from '../../protocol/workers.ts';
import type { Control, EventFeed, ScaleFeed } from '../control/ports.ts';
import type { Registry } from '../state/registry.ts';
import { ok } from './answer.ts';
import { openApiDocument } from './api/openapi.ts';
import { adminRoutes, allRoutes } from './api/routes.ts';
import { createAudit, type Note } from './audit.ts';
import { identifyByToken, localCaller, type AdminToken, type Identify } from './caller.ts';
import { serveRoute, type DispatchDeps } from './dispatch.ts';
import { eventHandlers } from './event-routes.ts';
import { defaultStreamLimits, EventStreams, type StreamLimits } from './event-streams.ts';
import type { AdminHandlers, AdminRoutes } from './handlers.ts';
import { createIdempotency } from './idempotency.ts';
import { nodeHandlers } from './node-routes.ts';
import { operationHandlers } from './operation-routes.ts';
import { policyHandlers } from './policy-routes.ts';
import { poolHandlers } from './pool-routes.ts';
import { createRequestRate, defaultRequestRate, type RequestRate } from './request-rate.ts';
import type { TakeoverDesk } from './takeover-port.ts';
import { takeoverHandlers } from './takeover-routes.ts';
import type { WebhookDesk } from './webhook-port.ts';
import { webhookHandlers } from './webhook-routes.ts';

/** The TCP listener of the admin API. */
export interface AdminTcp {
  readonly bind: Address;
  /** Names in lower case that clients may call it by, beside the address that they connect to. */
  readonly hosts: readonly string[];
  /** At least one. */
  readonly tokens: readonly AdminToken[];
  /** Undefined: plain HTTP, for loopback. */
  readonly tls: TlsMaterial | undefined;
}

/** What the admin API needs. */
export interface AdminDeps {
  readonly socketPath: string;
  /** Where its sockets are kept for the next process; absent: nowhere. */
  readonly slots?: { readonly socket: ListenSlot; readonly tcp: ListenSlot | undefined };
  /** Undefined: no TCP. */
  readonly tcp?: AdminTcp | undefined;
  readonly registry: Registry;
  readonly clock: Clock;
  /** Undefined: routes that need it answer HERALD_NOT_AVAILABLE, and admin states are set plainly. */
  readonly control: Control | undefined;
  readonly feed: EventFeed;
  /** Undefined: the routes about scaling answer HERALD_NOT_AVAILABLE. */
  readonly scale?: ScaleFeed | undefined;
  /** Undefined: the routes about webhooks answer HERALD_NOT_AVAILABLE. */
  readonly webhooks?: WebhookDesk | undefined;
  /** Undefined: the routes about takeovers answer HERALD_NOT_AVAILABLE. */
  readonly takeover?: TakeoverDesk | undefined;
  /** Undefined: nothing is shared with other balancers. */
  readonly peers?: (() => PeersAnswer) | undefined;
  /** Processes that relay; absent: there are none. */
  readonly workers?: (() => readonly WorkerDetail[]) | undefined;
  /** Every policy that is loaded, used by a pool or not. */
  readonly policies: () => Iterable<Policy>;
  readonly policyFiles: PolicyFiles;
  /** Version of the package. */
  readonly version: string;
  /** Takes the audit lines for the log. */
  readonly note: Note;
  readonly onInternalError: (error: unknown) => void;
  readonly limits?: HttpLimits;
  readonly streamLimits?: StreamLimits;
  readonly requestRate?: RequestRate;
}

/** A listener with a lifetime. */
export interface Admin {
  /** Resolves with the bound port of TCP, 0 without it. Rejects with HERALD_LISTEN_FAILED. */
  start(): Promise<number>;
  /** New tokens and certificates count from the next request and connection on. */
  reconfigure(tcp: Pick<AdminTcp, 'tokens' | 'tls'>): void;
  /** Stops accepting and ends streams; requests in progress go on. `keepsFile`: another process listens behind it. */
  retire(options: { readonly keepsFile: boolean }): Promise<void>;
  /**
   * Ends in bounded time and removes the socket file, unless another process listens behind it (`keepsFile`).
   * Idempotent.
   */
  stop(options?: { readonly keepsFile?: boolean }): Promise<void>;
}

/** The names by which a local client may call a UNIX socket, where a Host means nothing. */
const localHosts = ['localhost', 'herald', '127.0.0.1', '[::1]'] as const;

// An operator's tools are few; a flood must not take the relay's descriptors.
const maxTcpConnections = 256;

export function createAdmin(deps: AdminDeps): Admin {
  const { clock, onInternalError, limits = defaultHttpLimits, tcp } = deps;
  const streams = new EventStreams({
    feed: deps.feed,
    clock,
    limits: deps.streamLimits ?? defaultStreamLimits,
  });
  const routesFor = routesBy(deps, streams);
  const local = createHttpApp({ routes: routesFor(() => localCaller), hosts: localHosts, onInternalError });
  const socket = new HttpServer({ app: local, clock, limits, onError: onInternalError });
  let tokens = tcp?.tokens ?? [];
  let identify = identifyByToken(tokens);
  let file: SocketFile | undefined;
  const remote =
    tcp &&
    tcpServer(
      tcp,
      deps,
      routesFor((authorization) => identify(authorization)),
    );
  return {
    async start() {
      file = await listenAtPath(socket, {
        path: deps.socketPath,
        mode: 0o600,
        what: 'the admin socket',
        slot: deps.slots?.socket,
      });
      return tcp === undefined || remote === undefined ? 0 : listenAt(remote, tcp.bind, deps.slots?.tcp);
    },
    reconfigure(next) {
      if (next.tls !== undefined) remote?.replaceTls(next.tls);
      if (isDeepStrictEqual(tokens, next.tokens)) return;
      tokens = next.tokens;
      identify = identifyByToken(tokens);
      streams.endOf((by) => by !== localCaller.by, 'the tokens have changed');
    },
    async retire({ keepsFile }) {
      streams.stop();
      const leaving = file;
      file = undefined;
      if (!keepsFile) await leaving?.remove();
      socket.retire();
      remote?.retire();
    },
    async stop({ keepsFile = false } = {}) {
      streams.stop();
      const leaving = file;
      file = undefined;
      // First the name: who asks from now on is told at once that nobody is there.
      if (!keepsFile) await leaving?.remove();
      await Promise.all([socket.stop(), remote?.stop()]);
    },
  };
}

function tcpServer({ hosts, tls }: AdminTcp, deps: AdminDeps, routes: HttpRoutes): HttpServer {
  const { clock, onInternalError, limits = defaultHttpLimits } = deps;
  const app = createHttpApp({
    routes,
    hosts,
    ownOrigin: tls === undefined ? 'http' : 'https',
    onInternalError,
  });
  const maxConnections = Math.min(limits.maxConnections, maxTcpConnections);
  return new HttpServer({ app, clock, limits: { ...limits, maxConnections }, tls, onError: onInternalError });
}

async function listenAt(server: HttpServer, { host, port }: Address, slot?: ListenSlot): Promise<number> {
  try {
    const address = await server.listen({ host, port }, slot);
    return typeof address === 'object' ? (address?.port ?? 0) : 0;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `the admin API cannot listen on ${formatAddress({ host, port })}: ${why}`;
    throw new HeraldError('HERALD_LISTEN_FAILED', message, {}, { cause: error });
  }
}

/** Routes for one way of knowing who asks. What limits callers is one for all listeners. */
function routesBy(deps: AdminDeps, streams: EventStreams): (identify: Identify) => HttpRoutes {
  const handlers = handlersOf(deps, streams);
  const takeOfToken = createRequestRate(deps.clock, deps.requestRate ?? defaultRequestRate);
  const shared: DispatchDeps = {
    registry: deps.registry,
    audit: createAudit(deps.feed, deps.note),
    answerOnce: createIdempotency(deps.clock),
    passGate: () => deps.takeover?.passGate(),
    // The socket's owner could stop the process: there is nothing to keep from him.
    takeRequest: (by) => (by === localCaller.by ? undefined : takeOfToken(by)),
  };
  const serve = <Id extends keyof AdminRoutes>(id: Id, identify: Identify) =>
    serveRoute<AdminRoutes[Id]>({ id, spec: adminRoutes[id], handler: handlers[id] }, shared, identify);
  return (identify) => {
    const routes: Record<string, Partial<HttpRoutes[string]>> = {};
    // Proof of the cast: keys of a constant table.
    for (const id of Object.keys(adminRoutes) as (keyof AdminRoutes)[]) {
      const { path, method } = adminRoutes[id];
      const key = path.replaceAll(/\{(\w+)\}/g, ':$1');
      routes[key] = { ...routes[key], [method]: serve(id, identify) };
    }
    return routes;
  };
}

function handlersOf(deps: AdminDeps, streams: EventStreams): AdminHandlers {
  // Made when it is first asked for: most balancers never are.
  let document: object | undefined;
  return {
    getHealth: () => ok({ status: 'alive' }),
    getOpenApi: () => ok((document ??= openApiDocument(allRoutes, deps.version))),
    ...poolHandlers(deps),
    ...nodeHandlers(deps),
    ...operationHandlers(deps),
    ...policyHandlers(deps),
    ...eventHandlers({ streams }),
    ...webhookHandlers(deps),
    ...takeoverHandlers(deps),
    listPeers: () => ok(deps.peers?.() ?? aloneAnswer),
    listWorkers: () => ok({ workers: deps.workers?.() ?? [] }),
  };
}
