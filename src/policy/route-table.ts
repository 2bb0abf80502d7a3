// Which pool a request goes to, by host and path. Built once for a configuration, asked for every connection: a few
// looks into maps, however many routes there are.
import type { PoolConfig } from './config.ts';
import { canonicalHost } from './route-host.ts';
import { normalizePath } from './route-path.ts';

/** The pool for a host name (lower case, without port) and a path; undefined when no route matches. */
export type RouteTable = (host: string, path: string) => string | undefined;

/** The routes of one host, by path. */
interface HostRoutes {
  readonly exact: Map<string, string>;
  readonly prefixes: Map<string, string>;
  /** Length of the longest prefix: looking at more of a path would be in vain. */
  longest: number;
}

/**
 * The most particular route wins, whatever the order: an exact host before `*.example.com` before `*` (longer suffixes
 * first), then the longest path, an exact one before a prefix. Where no path of a host matches, the next host is asked.
 * A prefix matches itself and what lies below it: `/chat` matches `/chat` and `/chat/room`, not `/chatter`.
 */
export function buildRouteTable(pools: readonly Pick<PoolConfig, 'name' | 'routes'>[]): RouteTable {
  const byHost = new Map<string, HostRoutes>();
  for (const { name, routes } of pools) {
    for (const { host, path, isExact } of routes) {
      const ofHost = byHost.get(host) ?? { exact: new Map(), prefixes: new Map(), longest: 0 };
      byHost.set(host, ofHost);
      (isExact ? ofHost.exact : ofHost.prefixes).set(path, name);
      if (!isExact) ofHost.longest = Math.max(ofHost.longest, path.length);
    }
  }
  return (host, path) => {
    const plain = normalizePath(path.split('?', 1)[0] ?? '');
    for (const pattern of patternsOf(canonicalHost(host))) {
      const pool = poolAt(byHost.get(pattern), plain);
      if (pool !== undefined) return pool;
    }
    return undefined;
  };
}

/** What a route may have written to mean `host`, the most particular first. */
function* patternsOf(host: string): Generator<string> {
  yield host;
  // `*.example.com` is for the names below example.com, not for example.com itself, as in TLS certificates; but for
  // all of them, however deep.
  for (let dot = host.indexOf('.', 1); dot !== -1; dot = host.indexOf('.', dot + 1))
    yield `*${host.slice(dot)}`;
  yield '*';
}

function poolAt(routes: HostRoutes | undefined, path: string): string | undefined {
  if (routes === undefined) return undefined;
  const exact = routes.exact.get(path);
  if (exact !== undefined) return exact;
  for (let length = Math.min(path.length, routes.longest); length > 0; length -= 1) {
    if (!endsSegment(path, length)) continue;
    const pool = routes.prefixes.get(path.slice(0, length));
    if (pool !== undefined) return pool;
  }
  return undefined;
}

/** Whether the first `length` letters of `path`, 1 or more, may be a prefix of it. */
function endsSegment(path: string, length: number): boolean {
  return length === path.length || path[length] === '/' || path[length - 1] === '/';
}
