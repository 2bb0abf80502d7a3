// The admin listener on a UNIX socket: what the CLI and local tools ask and change. Routes are documented in
// docs/reference/api.md.
import type { Clock } from '../../core/clock.ts';
import { createHttpApp, type HttpRoutes } from '../../platform/http-app.ts';
import { defaultHttpLimits, HttpServer, type HttpLimits } from '../../platform/http-server.ts';
import type { Policy } from '../../policy/policy.ts';
import type { HealthAnswer } from '../../protocol/admin-api.ts';
import type { Registry } from '../state/registry.ts';
import { nodeRoutes } from './node-routes.ts';
import { policyRoutes } from './policy-routes.ts';
import { poolRoutes } from './pool-routes.ts';
import { listenPrivately } from './unix-socket.ts';

/** What the admin listener needs. */
export interface AdminDeps {
  readonly socketPath: string;
  readonly registry: Registry;
  readonly clock: Clock;
  /** Every policy that is loaded, used by a pool or not. */
  readonly policies: () => Iterable<Policy>;
  readonly onInternalError: (error: unknown) => void;
  readonly limits?: HttpLimits;
}

/** A listener with a lifetime. */
export interface Admin {
  /** Rejects with HERALD_LISTEN_FAILED. */
  start(): Promise<void>;
  /** Ends in bounded time and removes the socket file. Idempotent. */
  stop(): Promise<void>;
}

/** The names by which a local client may call a UNIX socket, where a Host means nothing. */
const hosts = ['localhost', 'herald', '127.0.0.1', '[::1]'] as const;

export function createAdmin(deps: AdminDeps): Admin {
  const { clock, socketPath, onInternalError, limits = defaultHttpLimits } = deps;
  const app = createHttpApp({ routes: routesOf(deps), hosts, onInternalError });
  const server = new HttpServer({ app, clock, limits, onError: onInternalError });
  return {
    start: () => listenPrivately(server, socketPath),
    stop: () => server.stop(),
  };
}

function routesOf(deps: AdminDeps): HttpRoutes {
  return {
    '/healthz': { GET: (context) => context.json<HealthAnswer>({ status: 'alive' }) },
    ...poolRoutes(deps),
    ...nodeRoutes(deps),
    ...policyRoutes(deps),
  };
}
