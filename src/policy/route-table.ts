// Which pool a request goes to, by host and path. Built once for a configuration, asked for every connection.
import type { PoolConfig } from './config.ts';

/** The pool for a host name (lower case, without port) and a path; undefined when no route matches. */
export type RouteTable = (host: string, path: string) => string | undefined;

interface Route {
  readonly host: string;
  readonly path: string;
  readonly pool: string;
}

/**
 * The most particular route wins: an exact host before `*.example.com` before `*` (longer suffixes first),
 * then the longest path. A path matches itself and what lies below it: `/chat` matches `/chat` and
 * `/chat/room`, not `/chatter`.
 */
export function buildRouteTable(pools: readonly Pick<PoolConfig, 'name' | 'routes'>[]): RouteTable {
  const routes: Route[] = pools
    .flatMap(({ name, routes }) => routes.map(({ host, path }) => ({ host, path, pool: name })))
    .toSorted((a, b) => hostRank(b.host) - hostRank(a.host) || b.path.length - a.path.length);
  return (host, path) =>
    routes.find((route) => matchesHost(route.host, host) && matchesPath(route.path, path))?.pool;
}

/** Exact hosts rank above every wildcard; wildcards by length. */
function hostRank(host: string): number {
  return host.startsWith('*') ? host.length : 1000 + host.length;
}

function matchesHost(pattern: string, host: string): boolean {
  if (pattern === '*') return true;
  // `*.example.com` is for the names below example.com, not for example.com itself, as in TLS certificates.
  return pattern.startsWith('*.')
    ? host.length > pattern.length - 1 && host.endsWith(pattern.slice(1))
    : pattern === host;
}

function matchesPath(prefix: string, path: string): boolean {
  const bare = path.split('?', 1)[0] ?? '';
  if (!bare.startsWith(prefix)) return false;
  return prefix.endsWith('/') || bare.length === prefix.length || bare[prefix.length] === '/';
}
