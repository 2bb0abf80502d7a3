// What is wrong with the routes of all pools together: two for the same requests, and one that nothing reaches.
import type { ConfigDocument } from './config-schema.ts';
import { formatProblem, type Path, type Problem } from './problem.ts';
import { isMapping } from './read-document.ts';
import { problemAt } from './schema-problems.ts';
import type { Source } from './yaml-document.ts';

interface NamedRoute {
  readonly host: string;
  readonly path: string;
  readonly match: 'prefix' | 'exact';
  readonly pool: string;
  /** Where it stands; where its pool stands, if nobody has written it. */
  readonly at: Path;
}

type Sections = Partial<ConfigDocument>;

/** A problem for each route that an earlier one has, too. */
export function checkRoutes(source: Source, { pools }: Sections): Problem[] {
  const first = new Map<string, NamedRoute>();
  return routesOf(pools).flatMap((route) => {
    const key = keyOf(route);
    const earlier = first.get(key);
    if (earlier === undefined) {
      first.set(key, route);
      return [];
    }
    const { file, line } = source.locate(earlier.at, 'value');
    const message = `the route ${shown(route)} is here twice, see pool ${earlier.pool} at ${file}:${line}`;
    return [problemAt(source, route.at, message, hintFor(source, route))];
  });
}

function hintFor({ data }: Source, { pool }: NamedRoute): string {
  const pools = isMapping(data) && isMapping(data['pools']) ? data['pools'] : {};
  const written = pools[pool];
  const rule = 'requests can go to one pool only: choose another host or path';
  if (isMapping(written) && written['routes'] !== undefined) return rule;
  return `${rule}; a pool without routes takes every request`;
}

/** A line for each route that no request can reach, because others take all that it matches. */
export function warnOfRoutes(source: Source, { pools }: Sections): string[] {
  const routes = routesOf(pools);
  const known = new Set(routes.map(keyOf));
  return routes.flatMap((route) => {
    const { path, match } = route;
    // A prefix is its own path and what lies below it.
    const isTaken =
      match === 'prefix' &&
      !path.endsWith('/') &&
      known.has(keyOf({ ...route, match: 'exact' })) &&
      known.has(keyOf({ ...route, path: `${path}/` }));
    if (!isTaken) return [];
    const message = `nothing reaches the route ${shown(route)}: others take ${path} and all below it`;
    return [formatProblem(problemAt(source, route.at, message, 'remove it'))];
  });
}

function routesOf(pools: Sections['pools'] = {}): NamedRoute[] {
  return Object.entries(pools).flatMap(([pool, { routes }]) =>
    routes.map((route, index) => ({ ...route, pool, at: ['pools', pool, 'routes', index] })),
  );
}

function keyOf({ host, path, match }: Omit<NamedRoute, 'pool' | 'at'>): string {
  return `${match} ${host}${path}`;
}

function shown({ host, path, match }: NamedRoute): string {
  return `${host}${path}${match === 'exact' ? ' (exact)' : ''}`;
}
